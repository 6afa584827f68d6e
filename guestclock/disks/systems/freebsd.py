"""FreeBSD and its kin: /etc/wall_cmos_clock says that the RTC is in local time (adjkerntz(8))."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.systems.assignments import assignments, shown
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.local_zone import read_zone
from guestclock.disks.tree import Tree

_WALL = "etc/wall_cmos_clock"
_SCRIPT = "bin/freebsd-version"
_VERSION = re.compile(r"^USERLAND_VERSION=[\"']?([0-9][\w.-]{0,60})", re.MULTILINE)
_RELEASE = re.compile(r"\d+\.\d+[\w.-]{0,40}")


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """The one FreeBSD that a tree is the root of, if it is one's.

    Its kin (GhostBSD, pfSense, OPNsense, TrueNAS CORE) are told as FreeBSD with their own name.
    Details: `time_services_enabled`, `steps_at_boot` (None where only ntpd's own limit says it),
    `agent`, as Linux has them.
    """
    if tree.find(_SCRIPT) is None and tree.find("etc/defaults/rc.conf") is None:
        return
    system = System("freebsd", "FreeBSD", id="freebsd")
    try:
        _read_version(tree, system)
    except DiskProblem as problem:
        system.lacks("version", problem)
    try:
        wall = tree.find(_WALL) is not None
        system.rtc = "local" if wall else "utc"
        system.saw("rtc", f"/{_WALL}", raw="it is there" if wall else "there is no such file")
    except DiskProblem as problem:
        system.lacks("rtc", problem)
    read_zone(tree, system, at)
    try:
        _read_services(tree, system)
    except DiskProblem as problem:
        system.lacks("details", problem)
    yield system


def _read_version(tree: Tree, system: System) -> None:
    fields = assignments(tree.text("etc/os-release") or "")
    found = _VERSION.search(tree.text(_SCRIPT) or "")
    if found:
        system.version = found[1]
        system.saw("version", f"/{_SCRIPT}", "USERLAND_VERSION", raw=found[1])
    elif _RELEASE.fullmatch(fields.get("VERSION_ID", "")):
        system.version = fields["VERSION_ID"]
        system.saw("version", "/etc/os-release", "VERSION_ID", raw=system.version)
    else:
        system.lacks("version", Reason.NOT_RECORDED, f"/{_SCRIPT} does not say which it is")
    name = shown(fields.get("NAME", ""), 60)
    if tree.find("usr/local/opnsense") is not None:
        name = "OPNsense on FreeBSD"
    elif (tree.text("etc/platform") or "").strip() == "pfSense":
        name = "pfSense on FreeBSD"
    system.name = " ".join(one for one in (name or "FreeBSD", system.version) if one)


def _read_services(tree: Tree, system: System) -> None:
    settings = assignments(tree.text("etc/rc.conf") or "")
    settings |= assignments(tree.text("etc/rc.conf.local") or "")
    wanted = {"ntpd": "ntpd_enable", "chrony": "chronyd_enable", "openntpd": "openntpd_enable"}
    enabled = [name for name, key in wanted.items() if is_yes(settings.get(key, ""))]
    details = system.details
    details["time_services_enabled"] = enabled
    steps = any(is_yes(settings.get(key, "")) for key in ("ntpd_sync_on_start", "ntpdate_enable"))
    details["steps_at_boot"] = steps or (None if enabled else False)
    details["agent"] = tree.find("usr/local/bin/qemu-ga") is not None


def is_yes(value: str) -> bool:
    """Whether rc.subr(8) takes a value for yes (`checkyesno`)."""
    return value.lower() in ("yes", "true", "on", "1")
