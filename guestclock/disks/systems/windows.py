"""Windows: its registry, and the few files beside it that matter for the clock.

Details (plain JSON values), each described where it is read: `registry`, `control_set`; `bias`,
`standard_bias`, `daylight_bias`, `standard_start`, `daylight_start`, `standard_name`,
`daylight_disabled`; `edition`, `installation`; `w32time`, `agent`, `agent_start`; `sealed`,
`image_state`, `generalized`, `setup_in_progress`, `unattend_zone`; `fast_startup`, `hibernated`;
`cloudbase_init`, `real_time_clock_utc`. One that is missing has a gap, or does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, OverLimit, Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.windows_clock import ABOUT_CLOCK, current_set, read_clock
from guestclock.disks.systems.windows_cloudbase import read_cloudbase
from guestclock.disks.systems.windows_hives import Hives, Values
from guestclock.disks.systems.windows_services import (
    read_agent,
    read_time_service,
    time_policies,
)
from guestclock.disks.systems.windows_state import (
    read_answer_file,
    read_fast_startup,
    read_hibernation,
    read_sealed,
)
from guestclock.disks.systems.windows_version import read_version
from guestclock.disks.systems.windows_zone import read_rules, read_zone
from guestclock.disks.tree import Tree

Read = TypeVar("Read")

_FOLDERS = ("Windows", "WINNT")
_OLD = "Windows.old"
_VERSION = ("name", "version")
_FROM_SOFTWARE = (*_VERSION, "zone_rules", "sealed")


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """The Windows of a volume: one for each of its system folders that has a registry."""
    for folder in _FOLDERS:
        hives = Hives(tree, f"{folder}/System32/config", budget)
        if hives.exists("SYSTEM"):
            yield _system(tree, folder, hives, at)


def _system(tree: Tree, folder: str, hives: Hives, at: Moment) -> System:
    system = System("windows", "Windows")
    hive, control, values = _clock(hives, system)
    software = _software(hives, system)
    soft, hard = hives.path("SOFTWARE"), hives.path("SYSTEM")
    if values is not None:
        saved = values
        _attempt(system, ("zone",), lambda: read_zone(saved, software, system))
    if software is not None:
        told = software
        _attempt(system, _VERSION, lambda: read_version(told, soft, system))
        _attempt(system, ("zone_rules",), lambda: read_rules(told, soft, at, system))
        if hive is not None:
            ours = hive
            _attempt(system, ("sealed",), lambda: read_sealed(ours, told, soft, system))
    if control is not None:
        key = control
        _attempt(
            system,
            ("w32time",),
            lambda: read_time_service(key, hard, time_policies(software, soft), system),
        )
        _attempt(system, ("agent",), lambda: read_agent(key, hard, system))
        _attempt(system, ("fast_startup",), lambda: read_fast_startup(key, hard, system))
    if system.details.get("sealed"):
        _attempt(system, ("unattend_zone",), lambda: read_answer_file(tree, folder, system))
    _attempt(system, ("hibernated",), lambda: read_hibernation(tree, system))
    _attempt(system, ("real_time_clock_utc",), lambda: read_cloudbase(tree, system))
    _attempt(system, (), lambda: _warn_of_old(tree, system))
    return system


def _clock(hives: Hives, system: System) -> tuple[Hive | None, Key | None, Values | None]:
    """The hive SYSTEM, the control set that boots, and what it has of the clock."""
    hive = control = values = None
    try:
        hive = hives.open("SYSTEM", system)
        if hive is not None:
            control = current_set(hive, hives.path("SYSTEM"), system)
        if control is not None:
            values = read_clock(control, hives.path("SYSTEM"), system)
    except OverLimit:
        # Nothing of what is asked for is known yet: the whole volume is not read.
        raise
    except DiskProblem as problem:
        for what in ABOUT_CLOCK:
            system.lacks(what, problem)
    return hive, control, values


def _software(hives: Hives, system: System) -> Hive | None:
    before = len(system.gaps)
    software = _attempt(system, _FROM_SOFTWARE, lambda: hives.open("SOFTWARE", system))
    if software is None and len(system.gaps) == before:
        for what in _FROM_SOFTWARE:
            system.lacks(what, Reason.NOT_RECORDED, f"there is no {hives.path('SOFTWARE')}")
    return software


def _warn_of_old(tree: Tree, system: System) -> None:
    if tree.find(_OLD) is not None:
        system.warn("windows-old", f"/{_OLD} has the Windows before an upgrade, which is not read")


def _attempt(system: System, what: tuple[str, ...], read: Callable[[], Read]) -> Read | None:
    """What `read` gives; where it fails, each of `what` is a gap with the reason."""
    try:
        return read()
    except DiskProblem as problem:
        for one in what:
            system.lacks(one, problem)
        return None
