"""The partitions of the BSDs inside a slice, or on a disk of their own (disklabel(5))."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct, iter_unpack

from guestclock.disks.fields import part, u16, u32, unpack
from guestclock.disks.problem import Damaged, DiskProblem
from guestclock.disks.source import Source, Window
from guestclock.disks.volumes.interface import Volume

FREEBSD, OPENBSD, NETBSD = 0xA5, 0xA6, 0xA9
SLICES = frozenset((FREEBSD, OPENBSD, NETBSD))
"""Types of the MBR's partitions that have such a label."""

_MAGIC = b"\x57\x45\x56\x82"
_AT = 512
_PARTITIONS = 148
# Sectors, the first one; the high halves of both where OpenBSD has them; the file system.
_ENTRY = Struct("<II4xB3x")
_OPENBSD_ENTRY = Struct("<IIHHB3x")
_SIZE = 16
_MOST = 22
_RAW = 2
_UNUSED, _SWAP, _BOOT = 0, 1, 9
_SECTOR = 512


def partitions(disk: Source, start: int, size: int, kind: int, place: str) -> list[Volume] | None:
    """The partitions of a slice of `size` bytes that begins at the sector `start` of a disk.

    `kind` is the slice's type in the MBR, 0 for a disk that has none; `place` says where for
    people. None where the slice has no label. Raises Damaged where its checksum is wrong.
    """
    slice_ = Window(disk, start * _SECTOR, size)
    if slice_.size < 2 * _SECTOR or slice_.read_at(_AT, 4) != _MAGIC:
        return None
    label = slice_.read_at(_AT, _SECTOR)
    count = u16(label, 138)
    if label[132:136] != _MAGIC or not 0 < count <= _MOST:
        raise Damaged(f"disk label: {count} partitions")
    if _sum(part(label, 0, _PARTITIONS + count * _SIZE)):
        raise Damaged("disk label: its checksum is wrong")
    sector = u32(label, 40)
    if sector not in (512, 4096):
        raise Damaged(f"disk label: sectors of {sector} bytes")
    entries = list(_entries(label, count, kind))
    # OpenBSD counts from the disk's begin. The others count from where the label says that the
    # whole slice begins, which is the slice's own begin or the disk's.
    base = start * _SECTOR // sector if kind == OPENBSD else _raw_start(entries)
    return list(_volumes(slice_, entries, base, sector, place))


def _entries(label: bytes, count: int, kind: int) -> Iterator[tuple[int, int, int]]:
    """First sector, sectors and type of each."""
    for number in range(count):
        at = _PARTITIONS + number * _SIZE
        if kind == OPENBSD:
            size, first, first_high, size_high, type = unpack(_OPENBSD_ENTRY, label, at)
            yield first_high << 32 | first, size_high << 32 | size, type
        else:
            size, first, type = unpack(_ENTRY, label, at)
            yield first, size, type


def _raw_start(entries: list[tuple[int, int, int]]) -> int:
    return entries[_RAW][0] if len(entries) > _RAW else 0


def _volumes(
    slice_: Source, entries: list[tuple[int, int, int]], base: int, sector: int, place: str
) -> Iterator[Volume]:
    for number, (first, count, type) in enumerate(entries):
        if count == 0 or type in (_UNUSED, _SWAP, _BOOT):
            continue
        content: Source | DiskProblem
        at = (first - base) * sector
        if at < 0 or at >= slice_.size:
            content = Damaged(f"sector {first}, where it begins, is not in its slice")
        else:
            content = Window(slice_, at, count * sector)
        letter = chr(ord("a") + number)
        yield Volume(f"{place}: BSD {letter}" if place else f"BSD {letter}", content)


def _sum(label: bytes) -> int:
    """All of its 16-bit words by exclusive or: 0 where it is whole."""
    total = 0
    for (word,) in iter_unpack("<H", label):
        total ^= word
    return total
