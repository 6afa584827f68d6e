"""A sparse extent of a vmdk: grains found through two levels of tables, perhaps compressed
(Virtual Disk Format 5.0, VMware).
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable
from struct import Struct

from guestclock.disks.budget import Budget
from guestclock.disks.fields import u32, u64, unpack
from guestclock.disks.problem import Damaged, UnreadFormat
from guestclock.disks.source import Source, read_parts

MAGIC = b"KDMV"
_SECTOR = 512
# Version, flags, capacity, size of a grain, the descriptor's place and size, entries of a grain
# table, the redundant directory, the directory, what the metadata take.
_HEADER = Struct("<4xIIQQQQIQQQ")
_COMPRESSION = Struct("<H")
_ZEROED, _COMPRESSED = 4, 1 << 16
_AT_END = 0xFFFFFFFFFFFFFFFF
_KEPT = 16

Below = Callable[[int, int], bytes]
"""What lies under the extent, at an offset in it."""


class Header:
    """The header of a sparse extent, in bytes but for `entries`."""

    def __init__(self, source: Source, at: int = 0) -> None:
        data = source.read_at(at, _SECTOR)
        fields = unpack(_HEADER, data)
        version, flags, capacity, grain, text, text_size, entries, _, directory, _ = fields
        if not data.startswith(MAGIC) or version not in (1, 2, 3):
            raise Damaged(f"vmdk: a sparse extent of version {version}")
        if grain < 1 or grain & grain - 1 or grain > 1 << 16 or not 0 < entries <= 1 << 16:
            raise Damaged(f"vmdk: grains of {grain} sectors, tables of {entries}")
        self.size = capacity * _SECTOR
        self.grain = grain * _SECTOR
        self.entries = entries
        self.zeroed = bool(flags & _ZEROED)
        self.compressed = bool(flags & _COMPRESSED)
        self.text, self.text_size = text * _SECTOR, text_size * _SECTOR
        self.directory = directory if directory == _AT_END else directory * _SECTOR
        if self.compressed and data[77:79] != _COMPRESSION.pack(1):
            raise UnreadFormat("vmdk: a compression other than deflate")

    @staticmethod
    def of(source: Source) -> Header:
        """The header that counts: a stream has its copy, with the directory's place, at the end."""
        header = Header(source)
        if header.directory == _AT_END:
            header = Header(source, source.size - 2 * _SECTOR)
        if header.directory == _AT_END:
            raise Damaged("vmdk: no header says where the grains are")
        return header


class SparseExtent:
    """The sectors of a sparse extent."""

    def __init__(self, file: Source, budget: Budget, below: Below | None = None) -> None:
        self._file = file
        self._header = Header.of(file)
        self._budget = budget
        self._below = below
        self._unpacked: OrderedDict[int, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        """In bytes."""
        return self._header.size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        number, within = divmod(offset, self._header.grain)
        size = min(count, self._header.grain - within)
        sector = self._sector(number)
        if sector == 0:
            return bytes(size) if self._below is None else self._below(offset, size)
        if sector == 1 and self._header.zeroed:
            return bytes(size)
        if self._header.compressed:
            return self._grain(number, sector)[within : within + size]
        return self._file.read_at(sector * _SECTOR + within, size)

    def _sector(self, number: int) -> int:
        """Where a grain begins, 0 where it was never written."""
        first, second = divmod(number, self._header.entries)
        table = u32(self._file.read_at(self._header.directory + 4 * first, 4), 0)
        if table == 0:
            return 0
        return u32(self._file.read_at(table * _SECTOR + 4 * second, 4), 0)

    def _grain(self, number: int, sector: int) -> bytes:
        kept = self._unpacked.get(sector)
        if kept is not None:
            self._unpacked.move_to_end(sector)
            return kept
        grain = self._header.grain
        at = sector * _SECTOR
        # A marker goes before it: its own first sector, and how many bytes follow.
        marker = self._file.read_at(at, 12)
        first, length = u64(marker, 0), u32(marker, 8)
        if first != number * (grain // _SECTOR):
            raise Damaged(f"vmdk: the grain at sector {sector} is another's")
        if length > 2 * grain:
            raise Damaged(f"vmdk: a compressed grain of {length} bytes")
        self._budget.spend(grain)
        try:
            data = zlib.decompressobj().decompress(self._file.read_at(at + 12, length), grain)
        except zlib.error as problem:
            raise Damaged(f"vmdk: a compressed grain: {problem}") from None
        # The last one may be cut to the disk's size.
        data += bytes(grain - len(data))
        self._unpacked[sector] = data
        if len(self._unpacked) > _KEPT:
            self._unpacked.popitem(last=False)
        return data
