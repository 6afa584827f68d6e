"""GUID partition tables (UEFI specification, 5.3), with their backup, sectors of 512 or 4096."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import guid, part, unpack
from guestclock.disks.problem import Damaged, DiskProblem
from guestclock.disks.source import Source, Window
from guestclock.disks.volumes.interface import Volume

_MAGIC = b"EFI PART"
# Header size, its checksum, own place, the other's place, first and last usable, GUID, entries'
# place, their count, their size, their checksum.
_HEADER = Struct("<12xII4xQ24x16xQIII")
_ENTRY = Struct("<32xQQ")
_SECTORS = (512, 4096)
_MOST = 1024
_UNUSED = bytes(16)
# What cannot hold a system: Microsoft's reserved, BIOS boot, Linux swap.
_SKIPPED = frozenset(
    (
        "e3c9e316-0b5c-4db8-817d-f92df00215ae",
        "21686148-6449-6e6f-744e-656564454649",
        "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
    )
)


class _Table(NamedTuple):
    entries: bytes
    size: int
    sector: int


def split(disk: Source, budget: Budget) -> Iterator[Volume] | None:
    """The partitions of a disk with such a table, None where there is neither it nor its backup.

    Raises Damaged where there is one and neither copy is whole.
    """
    problem: DiskProblem | None = None
    for sector in _SECTORS:
        for at in (sector, disk.size // sector * sector - sector):
            try:
                table = _table(disk, at, sector)
            except DiskProblem as one:
                problem = problem or one
                continue
            if table is not None:
                return _volumes(disk, table, budget)
    if problem is not None:
        raise problem
    return None


def _table(disk: Source, at: int, sector: int) -> _Table | None:
    if at < sector or at + sector > disk.size:
        return None
    head = disk.read_at(at, 512)
    if not head.startswith(_MAGIC):
        return None
    size, sum_of_header, own, place, count, each, sum_of_entries = unpack(_HEADER, head)
    if not 92 <= size <= 512:
        raise Damaged(f"GPT: a header of {size} bytes")
    blank = head[:16] + bytes(4) + head[20:size]
    if zlib.crc32(blank) != sum_of_header or own * sector != at:
        raise Damaged("GPT: the checksum of its header is wrong")
    if each < 128 or each > 4096 or each & each - 1:
        raise Damaged(f"GPT: entries of {each} bytes")
    if count > _MOST:
        raise Damaged(f"GPT: {count} entries")
    entries = disk.read_at(place * sector, count * each)
    if zlib.crc32(entries) != sum_of_entries:
        raise Damaged("GPT: the checksum of its entries is wrong")
    return _Table(entries, each, sector)


def _volumes(disk: Source, table: _Table, budget: Budget) -> Iterator[Volume]:
    for number in range(len(table.entries) // table.size):
        entry = part(table.entries, number * table.size, table.size)
        if entry.startswith(_UNUSED):
            continue
        kind = guid(entry)
        if kind in _SKIPPED:
            continue
        first, last = unpack(_ENTRY, entry)
        place = f"partition {number + 1} (GPT)"
        name = entry[56:128].decode("utf-16-le", "replace").split("\0", 1)[0]
        content: Source | DiskProblem
        if last < first or first * table.sector >= disk.size:
            content = Damaged(f"sectors {first} to {last} of it are not on the disk")
        else:
            size = (last - first + 1) * table.sector
            content = Window(disk, first * table.sector, size)
        yield Volume(place, content, name, kind)
