"""Which zone a copied file is: found among the zones on its disk, else among the packaged ones.

Several names can stand for the same zone. The one that zone1970.tab lists is taken then: the
others are its links (Theory file of the tz database, "Names of timezones").
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import Kind
from guestclock.disks.problem import DiskProblem
from guestclock.disks.systems.tzif import LARGEST, zone_file
from guestclock.disks.tree import Tree

FOLDER = "usr/share/zoneinfo"
_TABLE = "zone1970.tab"
# Folders that hold the same zones in another form, and files that are copies of one.
_NO_ZONES = frozenset(("posix", "right", "uclibc", "SystemV", "localtime", "posixrules", "Factory"))
# Names of no place, which no table lists.
_PLACELESS = ("UTC", "GMT")
_MOST = 2000
# Files of the same length that are compared; in a whole database some fifty are.
_COMPARED = 200
_DEPTH = 4
# All that is compared where the bytes differ, as they do from one compiler of zones to another.
_SINCE, _UNTIL = 0, 2**31 - 1


class Match(NamedTuple):
    """The name to use, None where several fit alike or none does; all that fit; where they are."""

    name: str | None
    alike: tuple[str, ...]
    where: str


def zone_of(tree: Tree, data: bytes) -> Match:
    """The zone that a file of `data` is. Raises Damaged for what is no zone."""
    same = sorted(name for name in _on_disk(tree, data))
    if same:
        return Match(_one_of(same, _listed(tree.text(f"{FOLDER}/{_TABLE}") or "")), tuple(same), "")
    package = _package()
    if package is None:
        return Match(None, (), "")
    same = sorted(_in_package(package, data, tree.budget))
    table = _host_file(package / _TABLE) or b""
    return Match(_one_of(same, _listed(table.decode("utf-8", "replace"))), tuple(same), "tzdata")


def _one_of(names: list[str], listed: frozenset[str]) -> str | None:
    if len(names) == 1:
        return names[0]
    main = [name for name in names if name in listed]
    if len(main) == 1:
        return main[0]
    return next((name for name in _PLACELESS if name in names and not main), None)


def _listed(table: str) -> frozenset[str]:
    rows = (line.split("\t") for line in table.split("\n") if not line.startswith("#"))
    return frozenset(row[2].strip() for row in rows if len(row) > 2)


def _on_disk(tree: Tree, data: bytes) -> Iterator[str]:
    """The zones on the disk that have these bytes; only files of their length are read."""
    waiting = [(FOLDER, "", 1)]
    count = compared = 0
    while waiting:
        folder, above, depth = waiting.pop()
        for name, node in tree.entries(folder):
            tree.budget.tick()
            count += 1
            if count > _MOST:
                return
            if name in _NO_ZONES:
                continue
            if node.kind is Kind.FOLDER and depth < _DEPTH:
                waiting.append((f"{folder}/{name}", f"{above}{name}/", depth + 1))
            elif node.kind is Kind.FILE and node.size == len(data):
                compared += 1
                if compared > _COMPARED:
                    return
                try:
                    if tree.files.open(node).read_at(0, node.size) == data:
                        yield f"{above}{name}"
                except DiskProblem:
                    # A damaged file beside the one that is asked for tells nothing of it.
                    tree.budget.spend(0)


def _in_package(package: Path, data: bytes, budget: Budget) -> Iterator[str]:
    """The zones of the tzdata package with the same rule and the same offsets since 1970."""
    theirs = zone_file(data)
    if theirs.rule is None:
        return
    offsets = theirs.between(_SINCE, _UNTIL)
    for name in (_host_file(package.parent / "zones") or b"").decode("ascii", "replace").split():
        budget.tick()
        ours = zone_file(_host_file(package / name) or b"")
        if ours.rule == theirs.rule and ours.between(_SINCE, _UNTIL) == offsets:
            yield name


def _package() -> Path | None:
    try:
        import tzdata
    except ImportError:
        return None
    return Path(tzdata.__file__).parent / "zoneinfo" if tzdata.__file__ else None


def _host_file(path: Path) -> bytes | None:
    """A file of the package; its name never comes from the disk that is read."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError:
        return None
