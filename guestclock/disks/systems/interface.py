"""What every reader of a family of systems is given, and gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.tree import Tree


class Moment(NamedTuple):
    """The instant that the question is about, in seconds since 1970 (`--at`)."""

    seconds: int


class Detect(Protocol):
    """What each family's module has as `detect`."""

    def __call__(self, tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
        """The systems of this family in a tree, each as complete as it can be read.

        A part that cannot be read is a Gap of its system, not an exception; what is raised
        (DiskProblem) stands for the whole tree.
        """
        ...
