"""NetBSD: its RTC is in UTC unless rtclocaltime or kern.rtc_offset says otherwise.

Source: rc.conf(5), rtclocaltime: /etc/rc.d/rtclocaltime sets kern.rtc_offset at boot to what
/etc/localtime gives for that moment; sysctl(7), kern.rtc_offset: minutes west of UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.systems.assignments import assignments, short
from guestclock.disks.systems.freebsd import is_yes
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.local_zone import read_zone
from guestclock.disks.systems.openbsd import minutes, sysctl_settings
from guestclock.disks.tree import Tree

_RC = ("etc/defaults/rc.conf", "etc/rc.conf", "etc/rc.conf.d/rtclocaltime")
_SYSCTL = "etc/sysctl.conf"
_KEY = "kern.rtc_offset"
_SERVICES = (("ntpd", "ntpd"), ("chrony", "chronyd"))
_RELEASE = re.compile(r"NetBSD (\d{1,2}\.[\w.]{1,20})")


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """The one NetBSD that a tree is the root of, if it is one's.

    Details: `time_services_enabled`, `steps_at_boot` (by ntpdate; None where ntpd runs alone).
    """
    if tree.find("etc/defaults/rc.conf") is None and tree.find("etc/release") is None:
        return
    release = ""
    system = System("netbsd", "NetBSD", id="netbsd")
    try:
        release = tree.text("etc/release") or ""
        found = _RELEASE.match(release)
        if found:
            system.version, system.name = found[1], found[0]
            system.saw("version", "/etc/release", raw=found[0])
        else:
            system.lacks("version", Reason.NOT_RECORDED, "/etc/release does not say it")
    except DiskProblem as problem:
        system.lacks("version", problem)
    try:
        _read_rtc(tree, system)
    except DiskProblem as problem:
        system.lacks("rtc", problem)
    read_zone(tree, system, at)
    try:
        settings = _settings(tree)
        yes = {key for key, (value, _) in settings.items() if is_yes(value)}
        enabled = [name for name, key in _SERVICES if key in yes]
        system.details["time_services_enabled"] = enabled
        system.details["steps_at_boot"] = "ntpdate" in yes or (None if enabled else False)
    except DiskProblem as problem:
        system.lacks("details", problem)
    yield system


def _settings(tree: Tree) -> dict[str, tuple[str, str]]:
    """Each variable of rc.conf with its value and the file that has it last."""
    found: dict[str, tuple[str, str]] = {}
    for path in _RC:
        for key, value in assignments(tree.text(path) or "").items():
            found[key] = value, path
    return found


def _read_rtc(tree: Tree, system: System) -> None:
    value, path = _settings(tree).get("rtclocaltime", ("NO", _RC[1]))
    if is_yes(value):
        system.rtc = "local"
        system.saw("rtc", f"/{path}", "rtclocaltime", raw=value)
        return
    if value.lower() not in ("no", "false", "off", "0"):
        system.lacks("rtc", Reason.AMBIGUOUS, f"rtclocaltime in /{path} is {short(value)}")
        return
    offset = sysctl_settings(tree.text(_SYSCTL) or "").get(_KEY)
    if offset is None:
        system.rtc = "utc"
        system.saw("rtc", f"/{path}", "rtclocaltime", raw=value)
        return
    west = minutes(offset)
    if west is None:
        system.lacks("rtc", Reason.AMBIGUOUS, f"{_KEY} in /{_SYSCTL} is {short(offset)}")
        return
    system.utc_offset_minutes = -west
    system.rtc = "local" if west else "utc"
    system.saw("rtc", f"/{_SYSCTL}", _KEY, raw=offset)
    system.saw("utc_offset_minutes", f"/{_SYSCTL}", _KEY, raw=offset)
