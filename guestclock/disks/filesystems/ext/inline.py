"""Inline data: small files and folders that lie in their inode."""

from __future__ import annotations

from guestclock.disks.fields import part, u8, u16, u32
from guestclock.disks.filesystems.ext.inode import Inode
from guestclock.disks.problem import Damaged

_MAGIC = 0xEA020000
_SYSTEM, _NAME = 7, b"data"


def inline_rest(inode: Inode) -> bytes:
    """What does not fit the 60 bytes of the map: the attribute `system.data`. Raises Damaged."""
    record = inode.record
    if len(record) <= 128:
        raise Damaged(f"inode {inode.number} has inline data but no room for it")
    start = 128 + u16(record, 0x80)
    if start + 4 > len(record) or u32(record, start) != _MAGIC:
        return b""
    start += 4
    at = start
    while at + 16 <= len(record) and u32(record, at) != 0:
        length = u8(record, at)
        if u8(record, at + 1) == _SYSTEM and part(record, at + 16, length) == _NAME:
            return part(record, start + u16(record, at + 2), u32(record, at + 8))
        at += 16 + (length + 3 & ~3)
    return b""


def inline_data(inode: Inode) -> bytes:
    """All of a file that lies in its inode. Raises Damaged."""
    return part(inode.map + inline_rest(inode), 0, inode.size)
