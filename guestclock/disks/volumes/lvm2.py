"""LVM2: the logical volumes whose extents lie on one physical volume, linear or striped.

The physical volume's label leads to a metadata area, its header to the newest text
(lib/format_text/layout.h of LVM2).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import part, u32, u64
from guestclock.disks.problem import Damaged, DiskProblem, UnreadVolume
from guestclock.disks.source import Source, read_parts
from guestclock.disks.volumes.interface import Volume
from guestclock.disks.volumes.lvm2_text import Section, number, parse, sections

_SECTOR = 512
_LABEL, _TYPE = b"LABELONE", b"LVM2 001"
_AREA = b"\x20LVM2\x20x[5A%r0N*>"
_SEED = 0xF597A6CF
_LONGEST = 4 << 20
_MOST_SEGMENTS = 4096


def split(disk: Source, budget: Budget) -> Iterator[Volume] | None:
    """The visible logical volumes of a physical volume, None where it is none.

    Raises Damaged where it is one and its metadata cannot be read.
    """
    for sector in range(4):
        if disk.size < (sector + 1) * _SECTOR:
            return None
        label = disk.read_at(sector * _SECTOR, _SECTOR)
        if label.startswith(_LABEL) and label[24:32] == _TYPE:
            return _volumes(disk, label, budget)
    return None


def _sum(data: bytes) -> int:
    """LVM's checksum: that of zlib from its own seed, without the inversions."""
    return zlib.crc32(data, _SEED ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def _volumes(disk: Source, label: bytes, budget: Budget) -> Iterator[Volume]:
    if _sum(label[20:]) != u32(label, 16):
        raise Damaged("LVM: the checksum of its label is wrong")
    at = u32(label, 20)
    own = part(label, at, 32).decode("ascii", "replace")
    areas = _pairs(label, at + 40)
    metadata = _pairs(label, at + 40 + 16 * (len(areas) + 1))
    if not metadata:
        raise UnreadVolume("LVM: its metadata are on another disk")
    text = _newest(disk, metadata, budget)
    for name, group in _groups(parse(text)):
        yield from _group(disk, name, group, own, budget)


def _pairs(label: bytes, at: int) -> list[tuple[int, int]]:
    """Places and sizes in bytes, up to a pair of zeros."""
    found: list[tuple[int, int]] = []
    while len(found) < 16:
        start, size = u64(label, at), u64(label, at + 8)
        if start == 0:
            return found
        found.append((start, size))
        at += 16
    raise Damaged("LVM: its list of areas has no end")


def _newest(disk: Source, areas: list[tuple[int, int]], budget: Budget) -> str:
    problem: DiskProblem = Damaged("LVM: no metadata area has a text")
    for start, size in areas:
        try:
            return _text(disk, start, size, budget)
        except DiskProblem as one:
            problem = one
    raise problem


def _text(disk: Source, start: int, size: int, budget: Budget) -> str:
    head = disk.read_at(start, _SECTOR)
    if head[4:20] != _AREA or _sum(head[4:]) != u32(head, 0):
        raise Damaged("LVM: the header of its metadata is damaged")
    at, length, wanted = u64(head, 40), u64(head, 48), u32(head, 56)
    if length == 0 or length > min(size, _LONGEST) or not _SECTOR <= at < size:
        raise Damaged(f"LVM: metadata of {length} bytes at {at}")
    budget.spend(length)
    first = min(length, size - at)
    # The area is a ring: what does not fit goes on after its header.
    data = disk.read_at(start + at, first) + disk.read_at(start + _SECTOR, length - first)
    if _sum(data) != wanted:
        raise Damaged("LVM: the checksum of its metadata is wrong")
    return data.rstrip(b"\0").decode("utf-8", "replace")


def _groups(text: Section) -> Iterator[tuple[str, Section]]:
    for name, value in text.items():
        if isinstance(value, dict) and "physical_volumes" in value:
            yield name, value


class _Piece(NamedTuple):
    """Extents of a logical volume: from `first` on, in stripes of `stripe` bytes on the disk."""

    first: int
    size: int
    stripe: int
    starts: tuple[int, ...]


def _group(disk: Source, name: str, group: Section, own: str, budget: Budget) -> Iterator[Volume]:
    extent = number(group, "extent_size") * _SECTOR
    here = {
        key: number(volume, "pe_start") * _SECTOR
        for key, volume in sections(group, "physical_volumes").items()
        if str(volume.get("id", "")).replace("-", "") == own
    }
    for key, volume in sections(group, "logical_volumes").items():
        status = volume.get("status")
        if not isinstance(status, list) or "VISIBLE" not in status:
            continue
        content: Source | DiskProblem
        try:
            content = _Logical(disk, tuple(_pieces(volume, extent, here, budget)))
        except DiskProblem as problem:
            content = problem
        yield Volume(f"LVM {name[:60]}/{key[:60]}", content, key[:60])


def _pieces(volume: Section, extent: int, here: dict[str, int], budget: Budget) -> Iterator[_Piece]:
    found = [value for key, value in volume.items() if key.startswith("segment") and key[7:]]
    if not 0 < len(found) <= _MOST_SEGMENTS or extent <= 0:
        raise Damaged(f"LVM: {len(found)} segments")
    for segment in found:
        budget.tick()
        if not isinstance(segment, dict):
            continue
        kind = segment.get("type")
        if kind != "striped":
            raise UnreadVolume(f"LVM: a volume of type {str(kind)[:40]!r} is not read")
        stripes = segment.get("stripes")
        if not isinstance(stripes, list) or len(stripes) % 2 or not stripes:
            raise Damaged("LVM: the stripes of a segment")
        starts = []
        for device, begin in zip(stripes[::2], stripes[1::2], strict=True):
            if device not in here:
                raise UnreadVolume("LVM: a part of it is on another disk")
            if not isinstance(begin, int) or begin < 0:
                raise Damaged("LVM: a stripe begins nowhere")
            starts.append(here[str(device)] + begin * extent)
        size = number(segment, "extent_count") * extent
        stripe = number(segment, "stripe_size") * _SECTOR if len(starts) > 1 else size
        first = number(segment, "start_extent") * extent
        if size <= 0 or stripe <= 0 or first < 0:
            raise Damaged("LVM: a segment without a size")
        yield _Piece(first, size, stripe, tuple(starts))


class _Logical:
    """A logical volume, by its segments."""

    def __init__(self, disk: Source, pieces: tuple[_Piece, ...]) -> None:
        self._disk = disk
        self._pieces = pieces
        self._size = max(piece.first + piece.size for piece in pieces)

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        piece = self._piece(offset)
        row, within = divmod(offset - piece.first, piece.stripe)
        row, column = divmod(row, len(piece.starts))
        size = min(count, piece.stripe - within, piece.first + piece.size - offset)
        return self._disk.read_at(piece.starts[column] + row * piece.stripe + within, size)

    def _piece(self, offset: int) -> _Piece:
        for piece in self._pieces:
            if piece.first <= offset < piece.first + piece.size:
                return piece
        raise Damaged(f"LVM: no segment has the byte {offset}")
