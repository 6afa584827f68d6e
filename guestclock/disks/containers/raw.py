"""Raw images: the file is the disk."""

from __future__ import annotations

from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import References
from guestclock.disks.problem import Empty
from guestclock.disks.source import Source


def open_disk(source: Source, references: References, budget: Budget) -> Source:
    """The source itself. Raises Empty where there is not a byte."""
    if source.size == 0:
        raise Empty("the file is empty")
    return source
