"""The bins of a hive with the pages of its transaction logs over them, in sectors of 512 bytes."""

from __future__ import annotations

from guestclock.disks.registry.base_block import BASE, SECTOR
from guestclock.disks.source import Source, check_range


class Overlay:
    """A Source of the bins. A page of a log is remembered by its place and read when it is asked
    for; later pages cover earlier ones.
    """

    def __init__(self, hive: Source, size: int) -> None:
        self._hive = hive
        self._size = size
        self._sectors: dict[int, tuple[Source, int]] = {}

    @property
    def size(self) -> int:
        """In bytes, as the hive or the last log entry has it."""
        return self._size

    def resize(self, size: int) -> None:
        """The bins grow or shrink, as a log entry says."""
        self._size = size

    def cover(self, offset: int, count: int, log: Source, at: int) -> None:
        """Lays `count` bytes of a log, from `at` on, over the bins; whole sectors only."""
        for step in range(0, count, SECTOR):
            self._sectors[(offset + step) // SECTOR] = log, at + step

    def forget(self) -> None:
        """Takes all pages away."""
        self._sectors.clear()

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        check_range(self, offset, count)
        if not self._sectors:
            return self._hive.read_at(BASE + offset, count)
        parts: list[bytes] = []
        end = offset + count
        while offset < end:
            sector, inside = divmod(offset, SECTOR)
            over = self._sectors.get(sector)
            until = sector + 1
            if over is None:
                while until * SECTOR < end and until not in self._sectors:
                    until += 1
            stop = min(until * SECTOR, end)
            if over is None:
                parts.append(self._hive.read_at(BASE + offset, stop - offset))
            else:
                log, at = over
                parts.append(log.read_at(at + inside, stop - offset))
            offset = stop
        return b"".join(parts)
