"""A volume: a part of a disk that may hold a file system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from guestclock.disks.budget import Budget
from guestclock.disks.problem import DiskProblem
from guestclock.disks.source import Source


class Volume(NamedTuple):
    """A part of a disk, or why it cannot be read.

    `place` says where for people: "partition 2 (GPT)", "LVM vg0/root", "the whole disk". `name`
    is the label that the table has for it, `type` its type there (a GUID in lower case, two hex
    digits of an MBR), both empty where there is none.
    """

    place: str
    content: Source | DiskProblem
    name: str = ""
    type: str = ""


class Split(Protocol):
    """What each reader's module has as `split`."""

    def __call__(self, disk: Source, budget: Budget) -> Iterator[Volume] | None:
        """The volumes of a disk or partition that has a table of this kind, None where not.

        Raises DiskProblem where there is such a table and it cannot be read.
        """
        ...
