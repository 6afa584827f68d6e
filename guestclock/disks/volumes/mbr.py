"""Partition tables of the PC's first sector, with logical partitions."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from guestclock.disks.budget import Budget
from guestclock.disks.fields import unpack
from guestclock.disks.problem import Damaged, DiskProblem, OverLimit
from guestclock.disks.source import Source, Window
from guestclock.disks.volumes import disklabel
from guestclock.disks.volumes.interface import Volume

_SECTOR = 512
_TABLE = 446
_ENTRY = Struct("<B3xB3xII")
_EXTENDED = frozenset((0x05, 0x0F, 0x85))
_GPT = 0xEE
# Linux swap, and what a boot loader or a vendor's tools have for themselves.
_SKIPPED = frozenset((0x00, 0x82, 0x12, 0x41, 0xEB))
_ACTIVE = frozenset((0x00, 0x80))


def split(disk: Source, budget: Budget) -> Iterator[Volume] | None:
    """The partitions of a disk that begins with such a table, None where it does not.

    The signature alone says little: boot sectors of file systems carry it too.
    """
    if disk.size < _SECTOR:
        return None
    sector = disk.read_at(0, _SECTOR)
    if not is_table(sector, disk.size):
        return None
    return _volumes(disk, sector, budget)


def is_table(sector: bytes, size: int) -> bool:
    """Whether a first sector is a partition table: its entries are sound and one is in use."""
    if sector[510:512] != b"\x55\xaa":
        return False
    used = 0
    for number in range(4):
        active, kind, start, count = _entry(sector, number)
        if active not in _ACTIVE:
            return False
        if kind == 0 or count == 0:
            continue
        if start == 0 or (start * _SECTOR >= size and kind != _GPT):
            return False
        used += 1
    return used > 0


def is_protective(sector: bytes) -> bool:
    """Whether it says that a GPT has the partitions."""
    return sector[510:512] == b"\x55\xaa" and any(
        _entry(sector, one)[1] == _GPT for one in range(4)
    )


def _entry(sector: bytes, number: int) -> tuple[int, int, int, int]:
    active, kind, start, count = unpack(_ENTRY, sector, _TABLE + 16 * number)
    return active, kind, start, count


def _volumes(disk: Source, sector: bytes, budget: Budget) -> Iterator[Volume]:
    for number in range(4):
        _, kind, start, count = _entry(sector, number)
        if count == 0 or kind in _SKIPPED:
            continue
        if kind in _EXTENDED:
            yield from _logical(disk, start, budget)
        elif kind in disklabel.SLICES:
            yield from _slice(disk, number + 1, kind, start, count)
        else:
            yield _volume(disk, number + 1, kind, start, count)


def _slice(disk: Source, number: int, kind: int, start: int, count: int) -> Iterator[Volume]:
    """The partitions of a BSD's slice, or the slice where it has no label."""
    whole = _volume(disk, number, kind, start, count)
    try:
        inner = disklabel.partitions(disk, start, count * _SECTOR, kind, whole.place)
    except DiskProblem as problem:
        inner = [Volume(whole.place, problem, type=whole.type)]
    yield from [whole] if inner is None else inner


def _volume(disk: Source, number: int, kind: int, start: int, count: int) -> Volume:
    content: Source | DiskProblem
    if start * _SECTOR >= disk.size:
        content = Damaged(f"sector {start}, where it begins, is not on the disk")
    else:
        content = Window(disk, start * _SECTOR, count * _SECTOR)
    return Volume(f"partition {number} (MBR)", content, type=f"{kind:02x}")


def _logical(disk: Source, extended: int, budget: Budget) -> Iterator[Volume]:
    """A chain of tables: each has one partition, and where the next table is."""
    at, number, seen = extended, 5, set[int]()
    while True:
        if at in seen or number > budget.limits.volumes:
            raise OverLimit("the chain of logical partitions has no end")
        seen.add(at)
        budget.tick()
        sector = disk.read_at(at * _SECTOR, _SECTOR)
        if sector[510:512] != b"\x55\xaa":
            raise Damaged(f"the table of logical partition {number} is not there")
        _, kind, start, count = _entry(sector, 0)
        if count and kind not in _SKIPPED:
            yield _volume(disk, number, kind, at + start, count)
        number += 1
        _, kind, start, count = _entry(sector, 1)
        if count == 0 or kind not in _EXTENDED:
            return
        at = extended + start
