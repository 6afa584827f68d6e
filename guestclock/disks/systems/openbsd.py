"""OpenBSD: its RTC is ahead of UTC by the minutes of kern.utc_offset, whatever the season.

Source: sysctl(2), KERN_UTC_OFFSET: minutes east of UTC, 0 unless /etc/sysctl.conf sets it before
securelevel(7) rises. It has no summer time; before OpenBSD 6.9 the kernel was compiled with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.systems.assignments import assignments, short
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.local_zone import read_zone
from guestclock.disks.tree import Tree

_SYSCTL = "etc/sysctl.conf"
_KEY = "kern.utc_offset"
_MOTD = re.compile(r"^OpenBSD (\d{1,2}\.\d)\b")
_BASE_KEY = re.compile(r"openbsd-(\d{2,3})-base\.pub")
# The kernel refuses more than a day (sys/kern/kern_sysctl.c).
_DAY = 24 * 60


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """The one OpenBSD that a tree is the root of, if it is one's.

    Details: `time_services_enabled`, `steps_at_boot` (None: ntpd steps only where its constraints
    or -s let it).
    """
    if tree.find("etc/rc") is None or not (
        tree.find("etc/signify") or tree.find("etc/installurl") or tree.find("bsd.rd")
    ):
        return
    system = System("openbsd", "OpenBSD", id="openbsd")
    try:
        _read_version(tree, system)
    except DiskProblem as problem:
        system.lacks("version", problem)
    try:
        _read_offset(tree, system)
    except DiskProblem as problem:
        system.lacks("rtc", problem)
        system.lacks("utc_offset_minutes", problem)
    read_zone(tree, system, at)
    try:
        flags = assignments(tree.text("etc/rc.conf.local") or "").get("ntpd_flags", "")
        # It is on unless it is told not to run (etc/rc.conf).
        system.details["time_services_enabled"] = [] if flags == "NO" else ["openntpd"]
        system.details["steps_at_boot"] = None
    except DiskProblem as problem:
        system.lacks("details", problem)
    yield system


def sysctl_settings(text: str) -> dict[str, str]:
    """What a sysctl.conf(5) sets: `name=value` lines, a hash mark begins a comment."""
    found: dict[str, str] = {}
    for line in text.split("\n"):
        key, sign, value = line.partition("#")[0].partition("=")
        if sign:
            found[key.strip()] = value.strip().strip("\"'")
    return found


def minutes(value: str) -> int | None:
    """A number of minutes that is less than a day either way, None for any other text."""
    number = int(value) if re.fullmatch(r"[+-]?[0-9]{1,4}", value, re.ASCII) else _DAY + 1
    return number if abs(number) <= _DAY else None


def _read_offset(tree: Tree, system: System) -> None:
    value = sysctl_settings(tree.text(_SYSCTL) or "").get(_KEY)
    offset = 0 if value is None else minutes(value)
    if offset is None:
        detail = f"{_KEY} in /{_SYSCTL} is {short(value)}, which is no number of minutes"
        system.lacks("rtc", Reason.AMBIGUOUS, detail)
        system.lacks("utc_offset_minutes", Reason.AMBIGUOUS, detail)
        return
    system.utc_offset_minutes = offset
    system.rtc = "local" if offset else "utc"
    raw = "not set" if value is None else value
    system.saw("rtc", f"/{_SYSCTL}", _KEY, raw=raw)
    system.saw("utc_offset_minutes", f"/{_SYSCTL}", _KEY, raw=raw)


def _read_version(tree: Tree, system: System) -> None:
    """By the message of the day, which each boot writes; else by the keys of its releases.

    A release brings its own key and the next one's (signify(1)).
    """
    told = _MOTD.match(tree.text("etc/motd") or "") or _MOTD.match(tree.text("var/run/motd") or "")
    if told:
        system.version = told[1]
        system.saw("version", "/etc/motd", raw=told[0])
    else:
        names = [name for name, _ in tree.entries("etc/signify")]
        keys = sorted(int(one[1]) for one in map(_BASE_KEY.fullmatch, names) if one)
        if len(keys) < 2:
            system.lacks(
                "version", Reason.NOT_RECORDED, "neither /etc/motd nor /etc/signify has it"
            )
            return
        system.version = f"{keys[-2] // 10}.{keys[-2] % 10}"
        system.saw("version", "/etc/signify", raw=f"openbsd-{keys[-2]}-base.pub")
    system.name = f"OpenBSD {system.version}"
