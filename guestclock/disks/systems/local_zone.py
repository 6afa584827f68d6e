"""The zone that a Unix system is set to, and the rules of it that the system brings along.

/etc/localtime is what libc, systemd, hwclock and adjkerntz go by (tzset(3), localtime(5)): a link
whose text names the zone, or a copied file. Other files only remember which name was chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from guestclock.disks.found import System
from guestclock.disks.problem import Damaged, DiskProblem, Reason
from guestclock.disks.systems.assignments import assignments, short
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.posix_tz import posix_rule
from guestclock.disks.systems.tzif import LARGEST, MAGIC, ZoneFile, zone_file
from guestclock.disks.systems.zone_match import FOLDER, zone_of
from guestclock.disks.tree import Tree

LOCALTIME = "etc/localtime"
YEAR = 31_556_952
"""Seconds, the Gregorian mean."""
_LINKED = re.compile(
    r"(?:^|/)zoneinfo(?:-posix|-leaps)?/(?:posix/|right/|uclibc/)?"
    r"([A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9][A-Za-z0-9_+-]*){0,3})/*$"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9][A-Za-z0-9_+-]*){0,3}")
# Links of the database itself to the zone in use.
_NO_NAMES = frozenset(("localtime", "posixrules"))
_UCI = re.compile(r"^[ \t]*option[ \t]+zonename[ \t]+['\"]?([A-Za-z0-9_+/ -]{1,80})", re.MULTILINE)
_SETTINGS = (
    ("etc/sysconfig/clock", ("ZONE", "TIMEZONE")),
    ("etc/rc.conf", ("TIMEZONE",)),
    ("etc/conf.d/clock", ("TIMEZONE",)),
)
# Rules that are told reach from a year before the moment asked about to three years after it.
_BEFORE, _AFTER = YEAR, 3 * YEAR


class Hint(NamedTuple):
    """A zone's name that a file remembers."""

    path: str
    key: str
    name: str


def read_zone(tree: Tree, system: System, at: Moment) -> None:
    """Fills in `zone` and `rules` with their evidence, or the reasons why not."""
    try:
        data = _read_name(tree, system)
    except DiskProblem as problem:
        system.lacks("zone", problem)
        return
    try:
        _read_rules(tree, system, at, data)
    except DiskProblem as problem:
        system.lacks("zone_rules", problem)


def _read_name(tree: Tree, system: System) -> bytes | None:
    """The name first; what is returned is the file of its rules, where there is one."""
    hints = list(_hints(tree))
    linked = _by_link(tree)
    data = None if linked and linked[0] is None else tree.read(LOCALTIME, LARGEST)
    if linked and linked[0]:
        _name(system, linked[0], LOCALTIME, "link", linked[1])
        data = data or tree.read(f"{FOLDER}/{system.zone}", LARGEST)
    elif data is not None:
        if not data.startswith(MAGIC):
            raise Damaged(f"/{LOCALTIME} is neither a link to a zone nor a zone file")
        _by_content(tree, system, data, hints)
    else:
        _without_file(tree, system, hints, linked[1] if linked else "")
        if system.zone not in (None, "UTC"):
            data = tree.read(f"{FOLDER}/{system.zone}", LARGEST)
    for hint in hints:
        alike = system.details.get("zones_alike")
        same = [system.zone, *(alike if isinstance(alike, list) else ())]
        if system.zone and hint.name not in same:
            system.warn(
                "zone-names-differ",
                f"/{hint.path} names {hint.name}, but {system.zone} is what the system goes by",
            )
    return data


def _by_link(tree: Tree) -> tuple[str | None, str] | None:
    """The zone that a chain of links names with the link's text; no name where it leads nowhere.

    None where there is no link, or one to a file that is no zone's own. Raises Damaged for a loop.
    """
    path, text = LOCALTIME, ""
    for _ in range(tree.budget.limits.links):
        target = tree.target(path)
        if target is None:
            return None if tree.find(path) or not text else (None, text)
        text = target
        match = _LINKED.search(text)
        if match and match[1] not in _NO_NAMES:
            return match[1], text
        path = text if text.startswith("/") else f"{path.rpartition('/')[0]}/{text}"
    raise Damaged(f"/{LOCALTIME} leads through more than {tree.budget.limits.links} links")


def _by_content(tree: Tree, system: System, data: bytes, hints: list[Hint]) -> None:
    for hint in hints:
        if tree.read(f"{FOLDER}/{hint.name}", LARGEST) == data:
            raw = f"the same file as {FOLDER}/{hint.name}, which {hint.path} names"
            _name(system, hint.name, LOCALTIME, "content", raw)
            return
    match = zone_of(tree, data)
    if len(match.alike) > 1:
        system.details["zones_alike"] = list(match.alike[:40])
    hinted = next((hint for hint in hints if hint.name in match.alike), None)
    if hinted is not None:
        raw = f"the zone that {hint_place(hinted)} names"
        _name(system, hinted.name, LOCALTIME, "content", raw)
    elif match.name is not None:
        where = f"/{FOLDER}" if not match.where else f"the package {match.where}"
        _name(system, match.name, LOCALTIME, "content", f"the zone of that name in {where}")
    elif match.alike:
        some = ", ".join(match.alike[:6])
        system.lacks(
            "zone", Reason.AMBIGUOUS, f"/{LOCALTIME} is a copy, and several zones fit it: {some}"
        )
    else:
        system.lacks("zone", Reason.AMBIGUOUS, f"/{LOCALTIME} is a copy of no zone that is known")


def _without_file(tree: Tree, system: System, hints: list[Hint], link: str) -> None:
    """Where there is no localtime: OpenWrt and Void make it at boot, for others it is UTC."""
    made = re.search(_UCI, tree.text("etc/config/system") or "")
    if made and _NAME.fullmatch(made[1].strip().replace(" ", "_")):
        name = made[1].strip().replace(" ", "_")
        _name(system, name, "etc/config/system", "zonename", made[1])
        return
    hint = next((one for one in hints if one.path == "etc/rc.conf"), None)
    if hint is not None and tree.find("etc/runit"):
        _name(system, hint.name, hint.path, hint.key, hint.name)
        return
    if link:
        system.lacks(
            "zone",
            Reason.NOT_RECORDED,
            f"/{LOCALTIME} is a link to {short(link)}, which is not on this file system",
        )
        return
    _name(system, "UTC", LOCALTIME, "", "there is no such file")


def _read_rules(tree: Tree, system: System, at: Moment, data: bytes | None) -> None:
    if data is not None:
        zone, where = zone_file(data), LOCALTIME
    elif system.zone == "UTC":
        return
    elif system.zone is None:
        # OpenWrt's and busybox' own: a rule without a name (uClibc's tzset(3)).
        text = (tree.text("etc/TZ") or "").strip()
        if not text:
            return
        zone, where = ZoneFile(0, (), (), posix_rule(text)), "etc/TZ"
    else:
        system.lacks(
            "zone_rules",
            Reason.NOT_RECORDED,
            f"the rules of {system.zone} are not on this file system",
        )
        return
    system.rules = zone.between(at.seconds - _BEFORE, at.seconds + _AFTER)
    system.saw("zone_rules", f"/{where}")


def _hints(tree: Tree) -> Iterator[Hint]:
    for path in ("etc/timezone", "var/db/zoneinfo"):
        line = _first_line(tree.text(path) or "")
        if _NAME.fullmatch(line):
            yield Hint(path, "", line)
    for path, keys in _SETTINGS:
        settings = assignments(tree.text(path) or "")
        for key in keys:
            name = settings.get(key, "").replace(" ", "_")
            if _NAME.fullmatch(name):
                yield Hint(path, key, name)


def hint_place(hint: Hint) -> str:
    """A hint's file and setting as they stand in a message."""
    return f"/{hint.path}: {hint.key}" if hint.key else f"/{hint.path}"


def _first_line(text: str) -> str:
    lines = (line.partition("#")[0].strip() for line in text.split("\n"))
    return next((line for line in lines if line), "")


def _name(system: System, name: str, path: str, key: str, raw: str) -> None:
    system.zone = name
    system.saw("zone", f"/{path}", key, raw=raw)
