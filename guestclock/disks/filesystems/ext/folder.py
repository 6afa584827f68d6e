"""Folders: names and the inodes they stand for, in blocks or in the inode itself."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.fields import part, u8, u16, u32
from guestclock.disks.filesystems.ext.superblock import FILE_TYPE, Superblock
from guestclock.disks.problem import Damaged

_HEADER = 8


def block_entries(data: bytes, superblock: Superblock) -> Iterator[tuple[bytes, int]]:
    """The names in a block of a folder, with their inodes. Raises Damaged.

    The nodes of an index look like blocks without a name, and so do sums at a block's end.
    """
    at = 0
    while at < len(data):
        number, length = u32(data, at), _length(u16(data, at + 4), superblock.block)
        size = u8(data, at + 6)
        if not superblock.incompatible & FILE_TYPE:
            size = u16(data, at + 6)
        if length < _HEADER or length % 4 or at + length > len(data):
            raise Damaged(f"an entry of a folder is {length} bytes long")
        if number:
            if not size or _HEADER + size > length:
                raise Damaged(f"an entry of {length} bytes has a name of {size}")
            name = part(data, at + _HEADER, size)
            if b"/" in name or b"\0" in name:
                raise Damaged(f"a folder has the impossible name {name[:120]!r}")
            if name not in (b".", b".."):
                yield name, number
        at += length


def _length(stored: int, block: int) -> int:
    """The length of an entry: sixteen bits hold a block of 64 KiB only by a trick."""
    if block < 65536:
        return stored
    if stored in (0, 65535):
        return block
    return stored & 65532 | (stored & 3) << 16
