"""Extent trees: ext4's map from the blocks of a file to those of the volume."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from struct import Struct

from guestclock.disks.fields import u16, unpack
from guestclock.disks.filesystems.ext.superblock import Superblock
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source

_MAGIC = 0xF30A
_DEEPEST = 5
_HEADER = 12
_LEAF = Struct("<IHHI")
_INDEX = Struct("<IIHH")
_UNWRITTEN = 32768
_KEPT = 64
END = 1 << 32
"""Blocks of a file are numbered below this."""


class Extents:
    """The tree of one file, whose top lies in its inode."""

    def __init__(self, volume: Source, superblock: Superblock, top: bytes) -> None:
        self._volume = volume
        self._superblock = superblock
        self._top = top
        self._nodes: dict[int, tuple[list[int], list[tuple[int, ...]], int]] = {}

    def find(self, block: int) -> tuple[int | None, int]:
        """Where a block of the file lies, None where it reads as zero, and for how many blocks.

        Raises DiskProblem.
        """
        firsts, entries, depth = self._parse(self._top, None)
        end = END
        while True:
            index = bisect_right(firsts, block) - 1
            if index + 1 < len(firsts):
                end = min(end, firsts[index + 1])
            if index < 0:
                return None, max(end - block, 1)
            if depth == 0:
                return self._leaf(entries[index], block, end)
            _, low, high, _ = entries[index]
            firsts, entries, depth = self._node(low | high << 32, depth - 1)

    def _leaf(self, entry: tuple[int, ...], block: int, end: int) -> tuple[int | None, int]:
        first, count, high, low = entry
        unwritten = count > _UNWRITTEN
        count -= _UNWRITTEN if unwritten else 0
        start = low | high << 32
        if not count or start + count > self._superblock.blocks:
            raise Damaged(f"an extent of {count} blocks at {start} lies outside the volume")
        past = block - first
        if past >= count:
            return None, max(end - block, 1)
        return (None if unwritten else start + past), count - past

    def _node(self, block: int, depth: int) -> tuple[list[int], list[tuple[int, ...]], int]:
        if not 0 < block < self._superblock.blocks:
            raise Damaged(f"a node of extents at block {block} lies outside the volume")
        if block in self._nodes and self._nodes[block][2] == depth:
            return self._nodes[block]
        size = self._superblock.block
        node = self._parse(self._volume.read_at(block * size, size), depth)
        if len(self._nodes) >= _KEPT:
            self._nodes.clear()
        self._nodes[block] = node
        return node

    def _parse(
        self, data: bytes, expected: int | None
    ) -> tuple[list[int], list[tuple[int, ...]], int]:
        count, depth = u16(data, 2), u16(data, 6)
        if u16(data, 0) != _MAGIC or depth > _DEEPEST or expected not in (None, depth):
            raise Damaged("a node of a tree of extents has a wrong header")
        if _HEADER + count * _LEAF.size > len(data) or (depth and not count):
            raise Damaged(f"a node of a tree of extents has {count} entries")
        layout = _INDEX if depth else _LEAF
        entries = [
            unpack(layout, data, at)
            for at in range(_HEADER, _HEADER + count * layout.size, layout.size)
        ]
        firsts = [entry[0] for entry in entries]
        if any(one >= other for one, other in pairwise(firsts)):
            raise Damaged("a node of a tree of extents is out of order")
        return firsts, entries, depth
