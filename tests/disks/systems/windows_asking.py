"""Asks for the one Windows of a tree that is in memory only."""

from __future__ import annotations

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.windows import detect
from tests.disks.builders.memory import tree_of
from tests.disks.builders.tree import Files

AT = Moment(1_795_435_200)
"""2026-11-23, noon UTC."""


def windows_of(files: Files) -> System:
    """The only Windows that there is, its names in any case."""
    (found,) = detect(tree_of(files, folded=True), Budget(), AT)
    return found
