"""Linux: its name and version, how it takes the RTC, its zone, and what keeps its time."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem
from guestclock.disks.systems.assignments import assignments, shown
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.linux_release import has_release, read_release
from guestclock.disks.systems.linux_rtc import read_rtc
from guestclock.disks.systems.local_zone import read_zone
from guestclock.disks.systems.time_service import read_time_service
from guestclock.disks.tree import Tree


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """The one Linux that a tree is the root of, if it is one's.

    Details, beside those of `time_service`: `init` (which program starts the system, None where
    none is seen), `adjtime` (its third line, None where there is none), `zones_alike` (zones with
    the same rules as a copied one), `tz_environment` (TZ for those who log in).
    """
    system = System("linux", "Linux", id="linux")
    try:
        if not read_release(tree, system):
            return
    except DiskProblem as problem:
        if not has_release(tree):
            raise
        system.lacks("version", problem)
    read_rtc(tree, system)
    read_zone(tree, system, at)
    try:
        zone = assignments(tree.text("etc/environment") or "").get("TZ", "")
        if zone:
            system.details["tz_environment"] = shown(zone)
        read_time_service(tree, system)
    except DiskProblem as problem:
        system.lacks("details", problem)
    yield system
