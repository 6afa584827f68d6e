"""Asks for the systems of a tree that is in memory only."""

from __future__ import annotations

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.found import System, Trace
from guestclock.disks.systems.detect import systems
from guestclock.disks.systems.interface import Moment
from tests.disks.builders.memory import MemoryFiles
from tests.disks.builders.tree import Files

AT = Moment(1_792_000_000)
"""2026-10-14: the summer time of Europe ends eleven days later."""


def systems_of(
    files: Files, filesystem: str = "ext4", folded: bool = False, limits: Limits | None = None
) -> list[tuple[str, System]]:
    """All systems with their bases."""
    memory = MemoryFiles(files, folded)
    memory.name = filesystem
    return list(systems(memory, Budget(limits), AT))


def system_of(files: Files, filesystem: str = "ext4") -> System:
    """The only system that there is, at the root."""
    ((base, system),) = systems_of(files, filesystem)
    assert base == ""
    return system


def trace_of(system: System, what: str) -> Trace:
    """Where a value was read."""
    return next(one.trace for one in system.seen if one.what == what)


def gap_of(system: System, what: str) -> tuple[str, str]:
    """The reason and the detail of a value that is not known."""
    gap = next(one for one in system.gaps if one.what == what)
    return gap.reason.value, gap.detail


def codes_of(system: System) -> set[str]:
    """The codes of all remarks."""
    return {one.code for one in system.remarks}
