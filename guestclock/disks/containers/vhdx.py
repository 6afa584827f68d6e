"""Hyper-V's vhdx (MS-VHDX): headers, regions, metadata, and the table of blocks."""

from __future__ import annotations

from struct import Struct

from guestclock.disks.budget import Budget
from guestclock.disks.compression.crc32c import crc32c
from guestclock.disks.containers.interface import References
from guestclock.disks.fields import guid, part, u16, u32, u64, unpack
from guestclock.disks.problem import Damaged, RefusedReference, UnreadFormat
from guestclock.disks.source import Source, read_parts

_HEADERS = (64 << 10, 128 << 10)
_REGIONS = (192 << 10, 256 << 10)
# Checksum, sequence number; GUIDs of writes; the log's GUID, versions, its length and place.
_HEADER = Struct("<4xIQ32x16xHHIQ")
_ENTRY = Struct("<QI")
_ITEM = Struct("<II")
_BAT = "2dc27766-f623-4200-9d64-115e9bfd4a08"
_METADATA = "8b7ca206-4790-4b9a-b8fe-575f050f886e"
_PARAMETERS = "caa16737-fa36-4d43-b3b6-33f0aa44e76b"
_SIZE = "2fa54224-cd1b-4876-b211-5dbed83bf4b8"
_SECTOR = "8141bf1d-a96f-4709-ba47-f233a8faab5f"
_MOST = 2047
_HAS_PARENT = 2
_CHUNK = 1 << 23
_MEGABYTE = 1 << 20
_PRESENT = 6
_ZERO = frozenset((0, 1, 2, 3))


def open_disk(source: Source, references: References, budget: Budget) -> Source:
    """The virtual disk. Raises DiskProblem."""
    header = _newest_header(source)
    guid, (version, length, at) = part(header, 48, 16), unpack(_HEADER, header)[-3:]
    if version != 1:
        raise UnreadFormat(f"vhdx of version {version}; 1 is read")
    file = source
    if any(guid):
        from guestclock.disks.containers.vhdx_log import replayed

        file = replayed(source, at, length, guid, budget)
    regions = _regions(file)
    items = _items(file, regions[_METADATA][0])
    block, flags = u32(items[_PARAMETERS], 0), u32(items[_PARAMETERS], 4)
    size, sector = u64(items[_SIZE], 0), u32(items[_SECTOR], 0)
    if block < _MEGABYTE or block > 256 * _MEGABYTE or block & block - 1:
        raise Damaged(f"vhdx: blocks of {block} bytes")
    if sector not in (512, 4096) or size % sector:
        raise Damaged(f"vhdx: {size} bytes in sectors of {sector}")
    if flags & _HAS_PARENT:
        raise RefusedReference(
            "a differencing vhdx is not read without its parent: merge them first"
        )
    ratio = _CHUNK * sector // block
    blocks = (size + block - 1) // block
    table, table_size = regions[_BAT]
    if blocks and 8 * (blocks + (blocks - 1) // ratio) > table_size:
        raise Damaged(f"vhdx: its table of {table_size} bytes is too small for {blocks} blocks")
    return _Disk(file, size, table, block, ratio)


def _newest_header(source: Source) -> bytes:
    best: bytes | None = None
    for at in _HEADERS:
        data = source.read_at(at, 4096)
        if not data.startswith(b"head") or not _holds(data):
            continue
        if best is None or u64(data, 8) > u64(best, 8):
            best = data
    if best is None:
        raise Damaged("vhdx: neither of its headers is whole")
    return best


def _holds(data: bytes) -> bool:
    return crc32c(data[:4] + bytes(4) + data[8:]) == u32(data, 4)


def _regions(file: Source) -> dict[str, tuple[int, int]]:
    """Place and size of the table of blocks and of the metadata."""
    for at in _REGIONS:
        data = file.read_at(at, 64 << 10)
        if not data.startswith(b"regi") or not _holds(data):
            continue
        count = u32(data, 8)
        if count > _MOST:
            raise Damaged(f"vhdx: {count} regions")
        found: dict[str, tuple[int, int]] = {}
        for number in range(count):
            entry = 16 + 32 * number
            place, size = unpack(_ENTRY, data, entry + 16)
            region = guid(data, entry)
            if region not in (_BAT, _METADATA) and u32(data, entry + 28) & 1:
                raise UnreadFormat(f"vhdx needs the region {region}")
            found[region] = place, size
        if _BAT not in found or _METADATA not in found:
            raise Damaged("vhdx: a region is missing")
        return found
    raise Damaged("vhdx: neither of its region tables is whole")


def _items(file: Source, region: int) -> dict[str, bytes]:
    head = file.read_at(region, 32)
    count = u16(head, 10)
    if not head.startswith(b"metadata") or count > _MOST:
        raise Damaged("vhdx: its table of metadata")
    table = file.read_at(region + 32, 32 * count)
    found: dict[str, bytes] = {}
    for number in range(count):
        item = guid(table, 32 * number)
        at, size = unpack(_ITEM, table, 32 * number + 16)
        if item in (_PARAMETERS, _SIZE, _SECTOR):
            if size > 64:
                raise Damaged(f"vhdx: a metadata item of {size} bytes")
            found[item] = file.read_at(region + at, size)
    if len(found) < 3:
        raise Damaged("vhdx: its metadata lack the size of the disk, of a block or of a sector")
    return found


class _Disk:
    """The virtual disk, by its table of blocks."""

    def __init__(self, file: Source, size: int, table: int, block: int, ratio: int) -> None:
        self._file = file
        self._size = size
        self._table = table
        self._block = block
        self._ratio = ratio

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        number, within = divmod(offset, self._block)
        count = min(count, self._block - within)
        # After each chunk's blocks the table has one for the bitmap of their sectors.
        index = number + number // self._ratio
        entry = u64(self._file.read_at(self._table + 8 * index, 8), 0)
        state, place = entry & 7, entry >> 20 << 20
        if state in _ZERO:
            return bytes(count)
        if state != _PRESENT:
            raise Damaged(f"vhdx: a block in state {state}")
        return self._file.read_at(place + within, count)
