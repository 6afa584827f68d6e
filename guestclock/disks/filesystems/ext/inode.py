"""Inodes: where each lies, and what it says of its file."""

from __future__ import annotations

from typing import NamedTuple

from guestclock.disks.fields import part, u16, u32
from guestclock.disks.filesystems.ext.superblock import LARGE_FOLDERS, META_GROUPS, Superblock
from guestclock.disks.filesystems.interface import Kind
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source

ROOT = 2

INDEXED, EXTENTS, ENCRYPTED = 0x1000, 0x80000, 0x800
INLINE, FOLDED = 0x10000000, 0x40000000

_KINDS = {0x4000: Kind.FOLDER, 0x8000: Kind.FILE, 0xA000: Kind.LINK}
_OTHERS = (0x1000, 0x2000, 0x6000, 0xC000)


class Inode(NamedTuple):
    """One inode. `record` is all of it, `map` its 60 bytes of block numbers, extents or data."""

    number: int
    kind: Kind
    size: int
    flags: int
    modified: int
    map: bytes
    record: bytes


def read_inode(volume: Source, superblock: Superblock, number: int) -> Inode:
    """The inode of that number. Raises DiskProblem, Damaged where it is not in use."""
    if not 0 < number <= superblock.inodes:
        raise Damaged(f"an inode {number} is named, of {superblock.inodes}")
    group, index = divmod(number - 1, superblock.group_inodes)
    table = _table(volume, superblock, group)
    at = table * superblock.block + index * superblock.inode
    if table <= superblock.first_block or at >= superblock.blocks * superblock.block:
        raise Damaged(f"the inodes of group {group} lie outside the volume")
    record = volume.read_at(at, superblock.inode)
    mode = u16(record, 0) & 0xF000
    kind = _KINDS.get(mode, Kind.OTHER)
    if (kind is Kind.OTHER and mode not in _OTHERS) or u16(record, 0x1A) == 0:
        raise Damaged(f"inode {number} is named but not in use")
    size = u32(record, 0x4)
    # Of a folder these bytes were once something else.
    if kind is Kind.FILE or superblock.incompatible & LARGE_FOLDERS:
        size |= u32(record, 0x6C) << 32
    if size >> 63:
        raise Damaged(f"inode {number} has a size beyond any file")
    return Inode(
        number, kind, size, u32(record, 0x20), _modified(record), part(record, 0x28, 60), record
    )


def _modified(record: bytes) -> int:
    seconds = u32(record, 0x10)
    if seconds >> 31:
        seconds -= 1 << 32
    if len(record) > 128 and u16(record, 0x80) >= 12:
        seconds += (u32(record, 0x88) & 3) << 32
    return seconds


def _table(volume: Source, superblock: Superblock, group: int) -> int:
    a_block = superblock.block // superblock.descriptor
    number, index = divmod(group, a_block)
    copy = 1 if superblock.block == 1024 else 0
    block = copy + 1 + number
    if superblock.incompatible & META_GROUPS and number >= superblock.first_meta_group:
        first = number * a_block
        block = superblock.first_block + first * superblock.group_blocks
        block += 1 if superblock.has_copy(first) else 0
        if first == 0 and copy and superblock.first_block == 0:
            block += 1
    elif superblock.copy_of:
        # Whatever broke the first superblock may have broken the descriptors behind it.
        block += superblock.copy_of * superblock.group_blocks
    at = block * superblock.block + index * superblock.descriptor
    descriptor = volume.read_at(at, superblock.descriptor)
    table = u32(descriptor, 0x8)
    return table | u32(descriptor, 0x28) << 32 if superblock.descriptor >= 64 else table
