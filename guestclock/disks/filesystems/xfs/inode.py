"""Inodes: where each lies, and what it says of its file."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from guestclock.disks.fields import be16, be32, be64, part, u8
from guestclock.disks.filesystems.interface import Kind
from guestclock.disks.filesystems.xfs.superblock import Superblock
from guestclock.disks.problem import Damaged, UnreadFilesystem
from guestclock.disks.source import Source

_KINDS = {0x4000: Kind.FOLDER, 0x8000: Kind.FILE, 0xA000: Kind.LINK}
_OTHERS = (0x1000, 0x2000, 0x6000, 0xC000)
_MAGIC = b"IN"
_REAL_TIME = 0x1
_BIG_TIME, _MANY_EXTENTS = 0x8, 0x10


class Form(IntEnum):
    """How the data of a file hang on its inode."""

    LOCAL = 1
    EXTENTS = 2
    BTREE = 3


class Inode(NamedTuple):
    """One inode. `fork` is the part of it that holds the data or their map."""

    number: int
    kind: Kind
    size: int
    modified: int
    form: int
    extents: int
    fork: bytes


def read_inode(volume: Source, superblock: Superblock, number: int) -> Inode:
    """The inode of that number. Raises DiskProblem, Damaged where it is not in use."""
    in_block = superblock.block_log - superblock.inode_log
    at = superblock.place(number >> in_block)
    at += (number & (1 << in_block) - 1) << superblock.inode_log
    record = volume.read_at(at, superblock.inode)
    version = u8(record, 4)
    if record[:2] != _MAGIC or not (version == 3 if superblock.version == 5 else version in (1, 2)):
        raise Damaged(f"there is no inode at the place of {number}")
    if version == 3 and (be64(record, 152) != number or part(record, 160, 16) != superblock.uuid):
        raise Damaged(f"another inode lies at the place of {number}")
    mode = be16(record, 2) & 0xF000
    kind = _KINDS.get(mode, Kind.OTHER)
    links = be16(record, 6) if version == 1 else be32(record, 16)
    if (kind is Kind.OTHER and mode not in _OTHERS) or not links:
        raise Damaged(f"inode {number} is named but not in use")
    if kind is Kind.FILE and be16(record, 90) & _REAL_TIME:
        raise UnreadFilesystem("files in xfs's real-time section are not read")
    flags = be64(record, 120) if version == 3 else 0
    size = be64(record, 56)
    if size >> 63:
        raise Damaged(f"inode {number} has a size beyond any file")
    start = 176 if version == 3 else 100
    # The attributes begin where this says, in units of eight bytes behind the core.
    length = u8(record, 82) * 8 or superblock.inode - start
    return Inode(
        number,
        kind,
        size,
        _modified(record, bool(flags & _BIG_TIME)),
        u8(record, 5),
        be64(record, 24) if flags & _MANY_EXTENTS else be32(record, 76),
        part(record, start, length),
    )


def _modified(record: bytes, big: bool) -> int:
    if big:
        return be64(record, 40) // 1_000_000_000 - (1 << 31)
    seconds = be32(record, 40)
    return seconds - (1 << 32) if seconds >> 31 else seconds
