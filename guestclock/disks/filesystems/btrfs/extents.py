"""The contents of a file: extents, plain or compressed, in the tree or outside of it."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import part, u8, u16, u32, u64
from guestclock.disks.filesystems.btrfs.space import Space
from guestclock.disks.filesystems.btrfs.tree import BTree, Key
from guestclock.disks.problem import Damaged, Encrypted, UnreadFilesystem
from guestclock.disks.source import read_parts

_EXTENT = 108
_INLINE, _REGULAR, _UNWRITTEN = 0, 1, 2
_ZLIB, _LZO, _ZSTD = 1, 2, 3
_WHOLE = 128 << 10
"""No compressed extent makes or takes more bytes than this."""


class Extent(NamedTuple):
    """A piece of a file, from its byte `start` up to `end`. `item` is None for a hole."""

    start: int
    end: int
    item: bytes | None


class Contents:
    """A Source of what a file holds."""

    def __init__(
        self, space: Space, tree: BTree, number: int, size: int, sector: int, budget: Budget
    ) -> None:
        self._space = space
        self._tree = tree
        self._number = number
        self._size = size
        self._sector = sector
        self._budget = budget
        self._extent = Extent(0, 0, None)
        self._made: tuple[int, bytes] | None = None

    @property
    def size(self) -> int:
        """In bytes; what the inode says."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        self._budget.tick()
        if not self._extent.start <= offset < self._extent.end:
            self._extent = self._find(offset)
        extent = self._extent
        return self._read(extent, offset - extent.start, min(count, extent.end - offset))

    def _find(self, offset: int) -> Extent:
        found = self._tree.at_most((self._number, _EXTENT, offset))
        if found is not None and found[0][:2] == (self._number, _EXTENT):
            extent = self._described(*found)
            if offset < extent.end:
                return extent
        for key, _ in self._tree.after((self._number, _EXTENT, offset + 1)):
            if key[:2] == (self._number, _EXTENT):
                return Extent(offset, key[2], None)
            break
        return Extent(offset, max(self._size, offset + 1), None)

    def _described(self, key: Key, item: bytes) -> Extent:
        kind = u8(item, 20)
        if u8(item, 17):
            raise Encrypted(f"the file of inode {self._number} of btrfs is encrypted")
        if u16(item, 18) or kind not in (_INLINE, _REGULAR, _UNWRITTEN):
            raise UnreadFilesystem(f"an extent of btrfs of a kind {kind} is not read")
        if kind == _INLINE:
            size = u64(item, 8) if u8(item, 16) else len(item) - 21
            if key[2] or size > _WHOLE:
                raise Damaged(f"inode {self._number} of btrfs has an impossible inline extent")
            return Extent(0, size, item)
        size = u64(item, 45)
        if not size:
            raise Damaged(f"an extent of inode {self._number} of btrfs is empty")
        address = u64(item, 21)
        nothing = kind == _UNWRITTEN or not address
        return Extent(key[2], key[2] + size, None if nothing else item)

    def _read(self, extent: Extent, past: int, count: int) -> bytes:
        item = extent.item
        if item is None:
            return bytes(count)
        inline, compression = u8(item, 20) == _INLINE, u8(item, 16)
        if inline and not compression:
            return part(item, 21 + past, count)
        if not compression:
            within = u64(item, 37) + past
            if within + count > u64(item, 29):
                raise Damaged(f"an extent of inode {self._number} is longer than its space")
            return self._space.read(u64(item, 21) + within, count)
        if self._made is None or self._made[0] != extent.start:
            self._made = (extent.start, self._decompress(item, inline, compression))
        return part(self._made[1], past if inline else u64(item, 37) + past, count)

    def _decompress(self, item: bytes, inline: bool, compression: int) -> bytes:
        made, taken = u64(item, 8), 0 if inline else u64(item, 29)
        if made > _WHOLE or taken > _WHOLE:
            raise Damaged(f"a compressed extent of inode {self._number} is too large")
        data = item[21:] if inline else self._space.read(u64(item, 21), taken)
        self._budget.spend(made)
        if compression == _ZLIB:
            return _inflate(data, made)
        if compression == _LZO:
            return _unpack_lzo(data, made, self._sector)
        if compression == _ZSTD:
            from guestclock.disks.compression import zstd

            return zstd.decompress(data, made)
        raise UnreadFilesystem(f"btrfs's compression of kind {compression} is not read")


def _inflate(data: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, max(limit, 1))
    except zlib.error:
        raise Damaged("a zlib stream of btrfs is broken") from None


def _unpack_lzo(data: bytes, limit: int, sector: int) -> bytes:
    """Streams of a sector each, behind their lengths, which never lie across two sectors."""
    from guestclock.disks.compression import lzo

    total = min(u32(data, 0), len(data))
    parts: list[bytes] = []
    made, at = 0, 4
    while at < total and made < limit:
        if sector - at % sector < 4:
            at += sector - at % sector
        length = u32(data, at)
        parts.append(lzo.decompress(part(data, at + 4, length), sector))
        if not parts[-1]:
            raise Damaged("an lzo stream of btrfs is empty")
        made += len(parts[-1])
        at += 4 + length
    return b"".join(parts)[:limit]
