"""Blocks of a slow Source: kept while they are used, and more of them at once where it is read on
from block to block.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from guestclock.disks.source import check_range

BLOCK = 1 << 16
_MOST_AHEAD = 16
_KEPT = 512


class Blocks:
    """A Source over `fetch(offset, count)`, which gives exactly what it is asked for."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._fetch = fetch
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._next = 0
        self._ahead = 1

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    def keep(self, data: bytes) -> None:
        """Takes the bytes from the beginning that came with the first answer."""
        if len(data) == min(self._size, BLOCK):
            self._blocks[0] = data
            self._next = 1

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        check_range(self, offset, count)
        if count == 0:
            return b""
        first, last = offset // BLOCK, (offset + count - 1) // BLOCK
        number = first
        while number <= last:
            if number not in self._blocks:
                self._fetch_from(number, last)
            number += 1
        parts = [self._kept(number) for number in range(first, last + 1)]
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        start = offset - first * BLOCK
        return b"".join(parts)[start : start + count]

    def _kept(self, number: int) -> bytes:
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _fetch_from(self, first: int, last: int) -> None:
        """Fetches what is missing from `first` on, in one piece."""
        self._ahead = min(2 * self._ahead, _MOST_AHEAD) if first == self._next else 1
        end = max(last, first + self._ahead - 1)
        end = min(end, (self._size - 1) // BLOCK)
        missing = first
        while missing < end and missing + 1 not in self._blocks:
            missing += 1
        start = first * BLOCK
        data = self._fetch(start, min((missing + 1) * BLOCK, self._size) - start)
        for number in range(first, missing + 1):
            at = (number - first) * BLOCK
            self._blocks[number] = data[at : at + BLOCK]
        self._next = missing + 1
