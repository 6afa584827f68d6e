"""Linux: its name and version, how it takes the RTC, its zone, and what keeps its time."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.linux_clock import read_clock
from guestclock.disks.systems.local_zone import read_zone
from guestclock.disks.tree import Tree

_RELEASES = ("etc/os-release", "usr/lib/os-release")
# Before os-release each had a file of one line.
_OLD_RELEASES = (
    ("etc/redhat-release", "redhat"),
    ("etc/SuSE-release", "suse"),
    ("etc/alpine-release", "alpine"),
    ("etc/gentoo-release", "gentoo"),
    ("etc/slackware-version", "slackware"),
    ("etc/debian_version", "debian"),
)
_SMALL = 16 << 10
_AGENT = ("usr/sbin/qemu-ga", "usr/bin/qemu-ga", "sbin/qemu-ga")
_SERVICES = (
    ("chrony", ("usr/sbin/chronyd", "sbin/chronyd")),
    ("ntpd", ("usr/sbin/ntpd",)),
    ("systemd-timesyncd", ("usr/lib/systemd/systemd-timesyncd", "lib/systemd/systemd-timesyncd")),
)
_CHRONY = ("etc/chrony/chrony.conf", "etc/chrony.conf")
_TIMESYNC = "var/lib/systemd/timesync/clock"


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """The one Linux that a tree is the root of."""
    system = System("linux")
    try:
        _read_release(tree, system)
    except DiskProblem as problem:
        system.lacks("version", problem)
    read_clock(tree, system)
    read_zone(tree, system, ("etc/timezone", "etc/sysconfig/clock"))
    try:
        _read_services(tree, system)
    except DiskProblem as problem:
        system.lacks("details", problem)
    yield system


def _read_release(tree: Tree, system: System) -> None:
    for path in _RELEASES:
        text = tree.text(path, _SMALL)
        if text is None:
            continue
        fields = dict(_assignments(text))
        system.id = fields.get("ID", "linux")
        system.version = fields.get("VERSION_ID") or fields.get("VERSION") or None
        system.name = fields.get("PRETTY_NAME") or fields.get("NAME") or "Linux"
        system.saw("version", f"/{path}", "PRETTY_NAME", raw=system.name)
        return
    for path, id in _OLD_RELEASES:
        text = tree.text(path, _SMALL)
        line = next(iter((text or "").splitlines()), "").strip()[:120]
        if line:
            system.id = id
            system.name = line if " " in line else f"{id} {line}"
            system.version = next((word for word in line.split() if word[:1].isdigit()), None)
            system.saw("version", f"/{path}", raw=line)
            return
    system.name = "Linux"
    system.lacks("version", Reason.NOT_RECORDED, "no file says which distribution it is")


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """What os-release(5) assigns, by a shell's rules of quoting."""
    for line in text.splitlines():
        name, sign, value = line.strip().partition("=")
        if not sign or name.startswith("#"):
            continue
        try:
            words = shlex.split(value)
        except ValueError:
            continue
        yield name, " ".join(words)[:120]


def _read_services(tree: Tree, system: System) -> None:
    """Details `agent`, `time_services` (those installed), `steps_at_boot`, `saved_clock`."""
    details = system.details
    details["agent"] = any(tree.find(path) for path in _AGENT)
    services = [name for name, paths in _SERVICES if any(tree.find(path) for path in paths)]
    details["time_services"] = services
    if "chrony" in services:
        details["steps_at_boot"] = any(_makestep(tree, path) for path in _CHRONY)
    saved = tree.find(_TIMESYNC)
    if saved is not None and saved.modified is not None:
        details["saved_clock"] = saved.modified


def _makestep(tree: Tree, path: str) -> bool:
    """Whether chrony may step the clock (chrony.conf(5), makestep and initstepslew)."""
    words = [line.split() for line in (tree.text(path, _SMALL) or "").splitlines()]
    return any(line and line[0] in ("makestep", "initstepslew") for line in words)
