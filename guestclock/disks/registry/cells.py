"""Cells: what a hive is made of. Each has a size and lies in a bin, and nothing spans two bins.

Rule: the regf specification, "Hive bin" and "Cell". A cell in use has a negative size.
"""

from __future__ import annotations

from guestclock.disks.budget import Budget
from guestclock.disks.fields import u32
from guestclock.disks.problem import Damaged
from guestclock.disks.registry.base_block import BASE
from guestclock.disks.source import Source

_HEAD = 128
_BIN_HEAD = 32


class Cell:
    """The content of one cell; its first bytes are at hand, others are read when asked for."""

    __slots__ = ("_bins", "_head", "offset", "size")

    def __init__(self, bins: Source, offset: int, size: int, head: bytes) -> None:
        self._bins = bins
        self._head = head
        self.offset = offset
        self.size = size

    def part(self, at: int, count: int) -> bytes:
        """Exactly `count` bytes of the content. Raises Damaged beyond its end."""
        if at < 0 or count < 0 or at + count > self.size:
            raise Damaged(f"the cell at {self.offset} has {self.size} bytes, not {at + count}")
        if at + count <= len(self._head):
            return self._head[at : at + count]
        return self._bins.read_at(self.offset + 4 + at, count)


class Cells:
    """All cells of a hive, found by their offsets; `minor` is the hive's version."""

    def __init__(self, bins: Source, minor: int, budget: Budget) -> None:
        self.bins = bins
        self.minor = minor
        self.budget = budget
        self._bounds: dict[int, tuple[int, int]] = {}

    def cell(self, offset: int, what: str) -> Cell:
        """The cell at an offset, in use. `what` it should be is for the message. Raises Damaged."""
        self.budget.tick()
        # Windows aligns cells to eight bytes; other writers are known to keep to four.
        if offset % 4 or offset + 8 > self.bins.size:
            raise Damaged(f"{what} cannot be at {offset} of {self.bins.size} bytes")
        start, end = self._bin(offset // BASE)
        if offset < start:
            raise Damaged(f"{what} cannot be at {offset}, in the head of a bin")
        head = self.bins.read_at(offset, min(4 + _HEAD, end - offset))
        size = u32(head, 0)
        if not size >> 31:
            raise Damaged(f"{what} at {offset} is in a free cell")
        size = (1 << 32) - size
        if size < 8 or offset + size > end:
            raise Damaged(f"{what} at {offset} cannot have {size} bytes")
        return Cell(self.bins, offset, size - 4, head[4:size])

    def _bin(self, page: int) -> tuple[int, int]:
        """Where cells may begin and end, as far as the page of a bin tells.

        Most bins are one page. Of a larger one only the first page has a head; from the others on
        the end of the hive is the bound, which saves reading the pages before.
        """
        known = self._bounds.get(page)
        if known:
            return known
        start, end = page * BASE, self.bins.size
        head = self.bins.read_at(start, 12)
        cells = start
        if head[:4] == b"hbin" and u32(head, 4) == start:
            size = u32(head, 8)
            if not size or size % BASE or start + size > end:
                raise Damaged(f"the bin at {start} cannot have {size} bytes")
            cells, end = start + _BIN_HEAD, start + size
        self._bounds[page] = cells, end
        return cells, end
