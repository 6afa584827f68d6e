"""The superblock: the roots of the trees, and the chunks that the first of them lies in."""

from __future__ import annotations

from typing import NamedTuple

from guestclock.disks.compression.crc32c import crc32c
from guestclock.disks.fields import part, u8, u16, u32, u64
from guestclock.disks.problem import Damaged, UnreadFilesystem
from guestclock.disks.source import Source

_PLACES = (64 << 10, 64 << 20, 256 << 30)
_SIZE = 4096
_MAGIC = b"_BHRfS_M"
_SUM = 32

_METADATA_UUID = 0x400
# Which kinds of compression, profiles and items there are; all but the three below are read.
_UNDERSTOOD = 0x10FFF
_UNREAD = {0x1000: "zones", 0x2000: "extent tree v2", 0x4000: "a tree of stripes"}


class Top(NamedTuple):
    """Where a tree begins: the logical address of its top node, its level and generation."""

    address: int
    level: int
    generation: int


class Superblock(NamedTuple):
    """What of it is needed to find a tree. Sizes are in bytes."""

    node: int
    sector: int
    roots: Top
    chunks: Top
    roots_folder: int
    devices: int
    device: int
    system_chunks: bytes
    log: bool
    label: str
    uuid: bytes
    copied: bool


def read_superblock(volume: Source) -> Superblock | None:
    """The superblock, None where there is no btrfs. Raises DiskProblem where it cannot be read.

    A mirror is only asked where the first one is there and broken.
    """
    if volume.size < _PLACES[0] + _SIZE:
        return None
    first = volume.read_at(_PLACES[0], _SIZE)
    if first[0x40:0x48] != _MAGIC:
        return None
    try:
        return _parse(first, _PLACES[0])
    except Damaged as problem:
        for place in _PLACES[1:]:
            if place + _SIZE > volume.size:
                break
            data = volume.read_at(place, _SIZE)
            if data[0x40:0x48] != _MAGIC:
                continue
            try:
                return _parse(data, place)
            except Damaged:
                continue
        raise problem


def _parse(data: bytes, place: int) -> Superblock:
    _check_sum(data)
    if u64(data, 0x30) != place:
        raise Damaged("btrfs's superblock says that it lies elsewhere")
    incompatible = u64(data, 0xBC)
    for bit, what in _UNREAD.items():
        if incompatible & bit:
            raise UnreadFilesystem(f"btrfs with {what} is not read")
    if incompatible & ~_UNDERSTOOD:
        raise UnreadFilesystem(
            f"btrfs with unknown features ({incompatible & ~_UNDERSTOOD:#x}) is not read"
        )
    generation = u64(data, 0x48)
    found = Superblock(
        node=u32(data, 0x94),
        sector=u32(data, 0x90),
        roots=Top(u64(data, 0x50), u8(data, 0xC6), generation),
        chunks=Top(u64(data, 0x58), u8(data, 0xC7), u64(data, 0xA4)),
        roots_folder=u64(data, 0x80),
        devices=u64(data, 0x88),
        device=u64(data, 0xC9),
        system_chunks=part(data, 0x32B, min(u32(data, 0xA0), 2048)),
        log=u64(data, 0x60) != 0,
        label=part(data, 0x12B, 256).split(b"\0")[0].decode("utf-8", "replace"),
        uuid=part(data, 0x23B if incompatible & _METADATA_UUID else 0x20, 16),
        copied=place != _PLACES[0],
    )
    sizes = (4096, 8192, 16384, 32768, 65536)
    if found.node not in sizes or found.sector not in sizes or found.node < found.sector:
        raise Damaged("the sizes in btrfs's superblock are impossible")
    return found


def _check_sum(data: bytes) -> None:
    kind, covered = u16(data, 0xC4), data[_SUM:]
    match kind:
        case 0:
            right = crc32c(covered).to_bytes(4, "little")
        case 2 | 3:
            import hashlib

            made = (
                hashlib.sha256(covered) if kind == 2 else hashlib.blake2b(covered, digest_size=32)
            )
            right = made.digest()
        case 1:
            # xxhash: what is read is checked against its place, its owner and its generation.
            return
        case _:
            raise UnreadFilesystem(f"btrfs with checksums of kind {kind} is not read")
    if data[: len(right)] != right:
        raise Damaged("the checksum of btrfs's superblock is wrong")
