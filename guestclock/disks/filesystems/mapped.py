"""A file's bytes, scattered over the volume: read on demand through the file system's own map."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from guestclock.disks.budget import Budget
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source, read_parts

Find: TypeAlias = Callable[[int], tuple[int | None, int]]
"""Where the byte at a position of a file lies on the volume, None where it reads as zero, and how
many bytes from there on (more than none) lie just behind it or read as zero too."""


class Mapped:
    """A Source whose bytes lie where `find` says."""

    def __init__(self, volume: Source, size: int, find: Find, budget: Budget) -> None:
        self._volume = volume
        self._size = size
        self._find = find
        self._budget = budget

    @property
    def size(self) -> int:
        """In bytes; what the inode says."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        self._budget.tick()
        start, length = self._find(offset)
        length = min(length, count)
        if length <= 0:
            raise Damaged(f"the map of a file leads nowhere at {offset}")
        return bytes(length) if start is None else self._volume.read_at(start, length)
