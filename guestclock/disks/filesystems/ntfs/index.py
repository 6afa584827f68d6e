"""Folders: the b-tree of names, of which only the blocks on the way are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import part, u8, u16, u32, u64
from guestclock.disks.filesystems.ntfs.record import fixed
from guestclock.disks.problem import Damaged, OverLimit
from guestclock.disks.source import Source

_HAS_CHILD, _LAST = 1, 2
_DOS = 2
_FOLDER = 0x10000000
_REPARSE = 0x400
_DEEPEST = 16
_SECTOR = 512

Upper = Callable[[bytes], tuple[int, ...]]
"""A name in UTF-16 as the units that it is sorted by."""


class Entry(NamedTuple):
    """A name in a folder, with what the folder itself says of its file."""

    reference: int
    name: bytes
    dos: bool
    folder: bool
    reparse: bool
    size: int


class _Slot(NamedTuple):
    """A place in a node: an entry, None for the last; the block of what sorts before it."""

    entry: Entry | None
    child: int | None


class Index:
    """The names of one folder. `blocks` are outside its record, None for a small folder."""

    def __init__(
        self, root: bytes, blocks: Source | None, cluster: int, upper: Upper, budget: Budget
    ) -> None:
        self._root = root
        self._blocks = blocks
        self._block = u32(root, 8)
        # Small blocks are counted in sectors, all others in clusters.
        self._unit = cluster if self._block >= cluster else _SECTOR
        self._upper = upper
        self._budget = budget
        if not 512 <= self._block <= 1 << 16 or self._block % _SECTOR:
            raise Damaged(f"NTFS: index blocks of {self._block} bytes")

    def find(self, name: bytes) -> Entry | None:
        """The entry of a name in UTF-16, None if there is none. Raises DiskProblem."""
        wanted = self._upper(name)
        slots = _slots(self._root, 16)
        for _ in range(_DEEPEST):
            child: int | None = None
            for slot in slots:
                if slot.entry is None:
                    child = slot.child
                    break
                here = self._upper(slot.entry.name)
                if here == wanted:
                    return slot.entry
                if here > wanted:
                    child = slot.child
                    break
            if child is None:
                return None
            slots = self._node(child)
        raise OverLimit("NTFS: a folder is deeper than any can be")

    def entries(self) -> Iterator[Entry]:
        """All entries in their order. Raises DiskProblem."""
        yield from self._walk(_slots(self._root, 16), set(), 0)

    def _walk(self, slots: Iterator[_Slot], seen: set[int], depth: int) -> Iterator[Entry]:
        if depth > _DEEPEST:
            raise OverLimit("NTFS: a folder is deeper than any can be")
        for slot in slots:
            if slot.child is not None:
                if slot.child in seen:
                    raise Damaged("NTFS: a folder leads back into itself")
                seen.add(slot.child)
                yield from self._walk(self._node(slot.child), seen, depth + 1)
            if slot.entry is not None:
                yield slot.entry

    def _node(self, block: int) -> Iterator[_Slot]:
        if self._blocks is None:
            raise Damaged("NTFS: a folder has blocks that are nowhere")
        self._budget.tick()
        data = fixed(self._blocks.read_at(block * self._unit, self._block), b"INDX")
        if u64(data, 16) != block:
            raise Damaged("NTFS: a block of a folder is another's")
        return _slots(data, 24)


def _slots(data: bytes, header: int) -> Iterator[_Slot]:
    """The slots of a node whose header is at that place."""
    at = header + u32(data, header)
    end = header + u32(data, header + 4)
    while at < end:
        size, flags = u16(data, at + 8), u16(data, at + 12)
        if size < 16 or size % 8 or at + size > end:
            raise Damaged(f"NTFS: an entry of a folder of {size} bytes")
        child = u64(data, at + size - 8) if flags & _HAS_CHILD else None
        if flags & _LAST:
            yield _Slot(None, child)
            return
        yield _Slot(_entry(part(data, at, size)), child)
        at += size
    raise Damaged("NTFS: a folder's entries have no end")


def _entry(raw: bytes) -> Entry:
    flags = u32(raw, 16 + 56)
    return Entry(
        u64(raw, 0),
        part(raw, 16 + 66, 2 * u8(raw, 16 + 64)),
        u8(raw, 16 + 65) == _DOS,
        bool(flags & _FOLDER),
        bool(flags & _REPARSE),
        u64(raw, 16 + 48),
    )
