"""VirtualBox's vdi: a header, a map of blocks, blocks."""

from __future__ import annotations

from struct import Struct

from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import References
from guestclock.disks.fields import u32, unpack
from guestclock.disks.problem import Damaged, RefusedReference, UnreadFormat
from guestclock.disks.source import Source, read_parts

_MAGIC = 0xBEDA107F
# From byte 64: signature, version, header size, type, flags; from 340: offsets, geometry, sizes.
_BEGIN = Struct("<IIIII")
_SIZES = Struct("<II16xIQIII")
_DYNAMIC, _FIXED, _DIFFERENCE = 1, 2, 4
_FREE, _ZERO = 0xFFFFFFFF, 0xFFFFFFFE
_LARGEST_BLOCK = 1 << 28


def open_disk(source: Source, references: References, budget: Budget) -> Source:
    """The virtual disk. Raises DiskProblem."""
    data = source.read_at(0, min(source.size, 512))
    magic, version, _, kind, _ = unpack(_BEGIN, data, 64)
    if magic != _MAGIC:
        raise Damaged("vdi: its signature is not there")
    if version >> 16 != 1:
        raise UnreadFormat(f"vdi of version {version >> 16}.{version & 0xFFFF}; 1.1 is read")
    if kind == _DIFFERENCE:
        # A parent is named by a UUID that only VirtualBox's registry knows a file of.
        raise RefusedReference(
            "a differencing vdi is not read without its parent: merge them first"
        )
    if kind not in (_DYNAMIC, _FIXED):
        raise UnreadFormat(f"vdi of type {kind}; dynamic and fixed ones are read")
    blocks, start, _, size, block, extra, count = unpack(_SIZES, data, 340)
    if block == 0 or block & block - 1 or block > _LARGEST_BLOCK or extra:
        raise Damaged(f"vdi: blocks of {block} and {extra} bytes")
    if count < (size + block - 1) // block:
        raise Damaged(f"vdi: {count} blocks do not hold {size} bytes")
    return _Disk(source, size, blocks, start, block)


class _Disk:
    """The virtual disk, by its map of blocks."""

    def __init__(self, file: Source, size: int, blocks: int, start: int, block: int) -> None:
        self._file = file
        self._size = size
        self._map = blocks
        self._start = start
        self._block = block

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        number, within = divmod(offset, self._block)
        size = min(count, self._block - within)
        place = u32(self._file.read_at(self._map + 4 * number, 4), 0)
        if place in (_FREE, _ZERO):
            return bytes(size)
        return self._file.read_at(self._start + place * self._block + within, size)
