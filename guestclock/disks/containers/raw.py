"""Raw images: the file is the disk."""

from __future__ import annotations

from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import References
from guestclock.disks.problem import Empty, NotAnImage
from guestclock.disks.source import Source

_SECTOR = 512


def open_disk(source: Source, references: References, budget: Budget) -> Source:
    """The source itself. Raises Empty, and NotAnImage for less than a sector."""
    if source.size == 0:
        raise Empty("the file is empty")
    if source.size < _SECTOR:
        raise NotAnImage(f"it has {source.size} bytes, less than a sector of a disk")
    return source
