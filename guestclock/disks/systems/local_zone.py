"""The zone that a Unix system is set to: a link, a copied file, or a name in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guestclock.disks.filesystems.interface import Kind, Node
from guestclock.disks.found import System
from guestclock.disks.problem import Damaged, DiskProblem, Reason
from guestclock.disks.tree import Tree

_LOCALTIME = "etc/localtime"
_ZONES = "usr/share/zoneinfo"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,3}")
_SIZE = 64 << 10
# Folders of the database that hold other forms of the same zones.
_OTHER_FORMS = frozenset(("posix", "right", "SystemV"))
_MOST = 2000
_LONGEST = 4096


def read_zone(tree: Tree, system: System, files: tuple[str, ...] = ("etc/timezone",)) -> None:
    """Fills in `zone`; `files` are those that may name it, which count where no link does."""
    try:
        _read(tree, system, files)
    except DiskProblem as problem:
        system.lacks("zone", problem)


def _read(tree: Tree, system: System, files: tuple[str, ...]) -> None:
    target = tree.target(_LOCALTIME)
    if target is not None:
        # A link is enough: the file itself may be in a part that comes with an update.
        name = _name_in(target)
        if name is not None:
            _found(system, name, _LOCALTIME, f"a link to {target}")
            return
    named = [(path, name) for path in files for name in _names_in(tree, path)]
    content = _content(tree)
    if content is None:
        if named:
            path, name = named[0]
            _found(system, name, path, name)
        else:
            # glibc and musl take UTC where there is no file (tzset(3)).
            _found(system, "UTC", _LOCALTIME, "there is no such file")
        return
    for path, name in named:
        if tree.read(f"{_ZONES}/{name}", _SIZE) == content:
            _found(system, name, _LOCALTIME, f"the same bytes as the zone that {path} names")
            return
    same = next(_same(tree, content), None)
    if same is not None:
        _found(system, same, _LOCALTIME, f"the same bytes as {_ZONES}/{same}")
        return
    system.lacks(
        "zone", Reason.AMBIGUOUS, f"/{_LOCALTIME} is a copy, and of no zone that is on the disk"
    )


def _found(system: System, name: str, path: str, raw: str) -> None:
    system.zone = name
    system.saw("zone", f"/{path}", raw=raw)


def _name_in(target: str) -> str | None:
    """The zone's name in a link's target, such as ../usr/share/zoneinfo/Europe/Berlin."""
    _, found, name = target.rpartition("zoneinfo/")
    for form in _OTHER_FORMS:
        name = name.removeprefix(f"{form}/")
    return name if found and _NAME.fullmatch(name) else None


def _names_in(tree: Tree, path: str) -> Iterator[str]:
    """A zone that a file names: alone, or as a shell's ZONE= or TIMEZONE=."""
    text = tree.text(path, _LONGEST)
    for line in (text or "").splitlines():
        line = line.partition("#")[0].strip()
        key, sign, value = line.partition("=")
        if sign and key.strip() not in ("ZONE", "TIMEZONE"):
            continue
        name = (value if sign else line).strip().strip("\"'").replace(" ", "_")
        if _NAME.fullmatch(name):
            yield name
            return


def _content(tree: Tree) -> bytes | None:
    data = tree.read(_LOCALTIME, _SIZE)
    if data is not None and not data.startswith(b"TZif"):
        raise Damaged(f"/{_LOCALTIME} holds no zone")
    return data


def _same(tree: Tree, content: bytes) -> Iterator[str]:
    """The zones of the same bytes, those in a continent's folder before the old short names."""
    short = []
    count = 0
    for path, node in _walk(tree, _ZONES, ""):
        count += 1
        if count > _MOST:
            return
        if node.size != len(content):
            continue
        if tree.files.open(node).read_at(0, node.size) != content:
            continue
        if "/" in path and not path.startswith("Etc/"):
            yield path
        else:
            short.append(path)
    yield from short


def _walk(tree: Tree, folder: str, above: str, depth: int = 0) -> Iterator[tuple[str, Node]]:
    entries = sorted(tree.entries(folder), key=lambda entry: entry[0])
    for name, node in entries[:_MOST]:
        tree.budget.tick()
        path = f"{above}/{name}" if above else name
        if node.kind is Kind.FILE and _NAME.fullmatch(path):
            yield path, node
        elif node.kind is Kind.FOLDER and depth < 3 and name not in _OTHER_FORMS:
            yield from _walk(tree, f"{folder}/{name}", path, depth + 1)
