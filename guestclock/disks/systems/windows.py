"""Windows: its registry, and the few files beside it that matter for the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, OverLimit, Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.windows_clock import current_set, read_clock
from guestclock.disks.systems.windows_hives import Hives
from guestclock.disks.systems.windows_state import (
    read_cloudbase,
    read_hibernation,
    read_sealed,
    read_services,
)
from guestclock.disks.systems.windows_version import read_version
from guestclock.disks.systems.windows_zone import read_rules
from guestclock.disks.tree import Tree

Read = TypeVar("Read")

_FOLDERS = ("Windows", "WINNT")
_CLOCK = "Control\\TimeZoneInformation"
_FROM_REGISTRY = ("rtc", "active_time_bias_minutes", "zone")


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """The Windows of a volume: one for each of its system folders that has a registry."""
    for folder in _FOLDERS:
        config = f"{folder}/System32/config"
        if tree.find(f"{config}/SYSTEM") is not None:
            yield _system(tree, Hives(tree, config, budget), at)


def _system(tree: Tree, hives: Hives, at: Moment) -> System:
    system = System("windows", "Windows")
    control = _attempt(system, _FROM_REGISTRY, lambda: _control(hives, system))
    path = hives.path("SYSTEM")
    if control is not None:
        where = f"{control.name}\\{_CLOCK}"
        _attempt(
            system,
            _FROM_REGISTRY,
            lambda: read_clock(control.key(_CLOCK), path, where, system),
        )
        _attempt(system, ("services",), lambda: read_services(control, path, system))
    software = _attempt(system, ("version",), lambda: hives.open("SOFTWARE", system))
    if software is not None:
        _software(software, hives.path("SOFTWARE"), at, system)
    elif not system.version and not any(gap.what == "version" for gap in system.gaps):
        system.lacks("version", Reason.NOT_RECORDED, f"there is no {hives.path('SOFTWARE')}")
    _attempt(system, ("hibernated",), lambda: read_hibernation(tree, system))
    _attempt(system, ("real_time_clock_utc",), lambda: read_cloudbase(tree, system))
    return system


def _software(hive: Hive, path: str, at: Moment, system: System) -> None:
    _attempt(system, ("version",), lambda: read_version(hive, path, system))
    _attempt(system, ("sealed",), lambda: read_sealed(hive, path, system))
    _attempt(system, ("rules",), lambda: read_rules(hive, path, at, system))


def _control(hives: Hives, system: System) -> Key | None:
    hive = hives.open("SYSTEM", system)
    if hive is None:
        return None
    name = current_set(hive, hives.path("SYSTEM"), system)
    if name is None:
        detail = system.gaps[-1].detail
        for what in _FROM_REGISTRY:
            system.lacks(what, Reason.NO_CURRENT_CONTROL_SET, detail)
        return None
    return hive.key(name)


def _attempt(system: System, what: tuple[str, ...], read: Callable[[], Read]) -> Read | None:
    """What `read` gives; where it fails, each of `what` is a gap with the reason."""
    try:
        return read()
    except OverLimit:
        raise
    except DiskProblem as problem:
        for one in what:
            system.lacks(one, problem)
        return None
