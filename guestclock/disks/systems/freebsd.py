"""FreeBSD: /etc/wall_cmos_clock says that its RTC is in local time (adjkerntz(8))."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.local_zone import read_zone
from guestclock.disks.tree import Tree

_WALL = "etc/wall_cmos_clock"
_SCRIPT = "bin/freebsd-version"
_VERSION = re.compile(r'^USERLAND_VERSION="([0-9][^"\n]{0,60})"', re.MULTILINE)


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """The one FreeBSD that a tree is the root of."""
    system = System("freebsd", "FreeBSD", id="freebsd")
    try:
        found = _VERSION.search(tree.text(_SCRIPT, 64 << 10) or "")
        if found:
            system.version, system.name = found[1], f"FreeBSD {found[1]}"
            system.saw("version", f"/{_SCRIPT}", "USERLAND_VERSION", raw=found[1])
        else:
            system.lacks("version", Reason.NOT_RECORDED, f"/{_SCRIPT} does not say it")
    except DiskProblem as problem:
        system.lacks("version", problem)
    try:
        wall = tree.find(_WALL) is not None
        system.rtc = "local" if wall else "utc"
        system.saw("rtc", f"/{_WALL}", raw="it is there" if wall else "there is no such file")
    except DiskProblem as problem:
        system.lacks("rtc", problem)
    read_zone(tree, system, ("var/db/zoneinfo",))
    yield system
