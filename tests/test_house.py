"""The house of the design: which rooms there are, and which way the arrows between them point."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "guestclock"

# A room is a module or a folder of guestclock/. The core: no I/O, no clock, no zone of its own.
CORE = {
    "clock",
    "cures",
    "disk",
    "errors",
    "evidence",
    "explanation",
    "exposure",
    "faults",
    "findings",
    "guest",
    "hops",
    "law",
    "lifecycle",
    "machine",
    "prediction",
    "rtc",
    "words",
    "zones",
}
# What each other room may import beside the core and itself.
ARROWS: dict[str, set[str]] = {
    "audit": {"platforms", "rules"},
    "cases": {"platforms"},
    "databases": set(),
    "disks": set(),
    "fleet": {"audit", "platforms"},
    "inside": {"disks", "platforms"},
    "rules": {"platforms"},
    "state": set(),
    "inventory": set(),
    "lab": {"databases", "platforms", "state"},
    # The commands of the openstack client: a roof of its own, that knows nothing of click.
    "osc": {"audit", "databases", "platforms", "reports", "rules"},
    "platforms": {"databases", "inventory"},
    "repair": {"audit", "platforms"},
    "reports": {"audit", "disks", "platforms"},
}
# The roof may look down on all rooms.
ARROWS |= {"cli": set(ARROWS) - {"osc"}, "__main__": {"cli", "disks"}}
# What reads a file, a socket, the time or the environment.
OUTSIDE = {
    "asyncio",
    "ctypes",
    "glob",
    "locale",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "platform",
    "random",
    "secrets",
    "select",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
}
LONGEST = 400


@dataclass(frozen=True)
class Module:
    """A source file of the package."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        """The part of the house that it stands in; the package itself is none."""
        return self.name.split(".")[1] if "." in self.name else ""

    def imports(self) -> Iterator[str]:
        """All modules it imports, wherever in the file, and for types only too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path}: imports are absolute"
                assert node.module is not None
                yield node.module
                inner = (f"{node.module}.{alias.name}" for alias in node.names)
                yield from (one for one in inner if one in paths())


def named(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def paths() -> dict[str, Path]:
    return {named(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def modules() -> tuple[Module, ...]:
    return tuple(
        Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))
        for name, path in paths().items()
    )


def core() -> list[Module]:
    return [module for module in modules() if module.room in CORE]


def files() -> list[Path]:
    folders = (PACKAGE, ROOT / "tests", ROOT / "benchmarks", ROOT / "tools")
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def called(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call with the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(name) | ast.Attribute(attr=name):
                    yield name, node


def test_every_module_stands_in_a_room() -> None:
    assert {module.room for module in modules()} - CORE - ARROWS.keys() - {""} == set()


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_arrows_point_down(module: Module) -> None:
    allowed = {module.room, ""} | CORE | ARROWS.get(module.room, set())
    targets = {name for name in module.imports() if name.split(".")[0] == "guestclock"}
    wrong = {name for name in targets if "." in name and name.split(".")[1] not in allowed}
    assert not wrong


def test_no_two_modules_import_each_other() -> None:
    graph = {
        module.name: {name for name in module.imports() if name in paths()} - {module.name}
        for module in modules()
        if module.path.name != "__init__.py"
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("module", core(), ids=lambda module: module.name)
def test_the_core_imports_the_standard_library_and_itself(module: Module) -> None:
    tops = {name.split(".")[0] for name in module.imports()}
    assert tops <= (set(sys.stdlib_module_names) | {"guestclock"}) - OUTSIDE


@pytest.mark.parametrize("module", core(), ids=lambda module: module.name)
def test_the_core_never_asks_the_system(module: Module) -> None:
    for name, call in called(module.tree):
        where = f"{module.path}:{call.lineno}"
        assert name not in {"open", "print", "input", "now", "utcnow", "today"}, where
        # Both take the system's zone or its database where nothing else is given.
        assert name != "astimezone" or call.args, where
        assert name not in {"ZoneInfo", "no_cache", "available_timezones"}, where
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id != "io" or node.attr in {"BytesIO", "StringIO"}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_waits_by_sleeping(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    assert [call.lineno for name, call in called(tree) if name == "sleep"] == []
