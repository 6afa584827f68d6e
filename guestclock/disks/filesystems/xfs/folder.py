"""Folders: names and the inodes they stand for, in the inode or in blocks of their own."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.fields import be16, be32, be64, part, u8
from guestclock.disks.filesystems.xfs.inode import Inode
from guestclock.disks.filesystems.xfs.superblock import Superblock
from guestclock.disks.problem import Damaged

_UNUSED = 0xFFFF
_BLOCK = (b"XD2B", b"XDB3")
_DATA = (b"XD2D", b"XDD3")

INDEX = 1 << 35
"""The byte of a folder from which its index lies; names lie before it."""
END = 1 << 37


def short_entries(inode: Inode, superblock: Superblock) -> Iterator[tuple[bytes, int]]:
    """The names of a small folder, which lie in its inode. Raises Damaged."""
    data = part(inode.fork, 0, inode.size)
    wide = 8 if u8(data, 1) else 4
    at = 2 + wide
    for _ in range(u8(data, 0)):
        size = u8(data, at)
        name = _name(part(data, at + 3, size))
        at += 3 + size + (1 if superblock.typed else 0)
        yield name, be64(data, at) if wide == 8 else be32(data, at)
        at += wide


def check_block(data: bytes, superblock: Superblock, inode: Inode) -> bool:
    """Whether a block of a folder has its own index at its end (a folder of one block).

    Raises Damaged where it is no block of this folder. The first 64 bytes are enough.
    """
    new = superblock.version == 5
    magic = data[:4]
    if magic not in (_BLOCK[new], _DATA[new]):
        raise Damaged(f"a block of the folder of inode {inode.number} has a wrong header")
    if new and (part(data, 24, 16) != superblock.uuid or be64(data, 40) != inode.number):
        raise Damaged(f"a block of the folder of inode {inode.number} is another's")
    return magic == _BLOCK[new]


def block_entries(data: bytes, superblock: Superblock, inode: Inode) -> Iterator[tuple[bytes, int]]:
    """The names in one block of a folder. Raises Damaged."""
    end = len(data)
    if check_block(data, superblock, inode):
        end = index_at_end(data)[0]
    at = 64 if superblock.version == 5 else 16
    while at < end:
        if be16(data, at) == _UNUSED:
            length = be16(data, at + 2)
            if length < 8 or length % 8:
                raise Damaged(f"{length} unused bytes stand in a folder")
            at += length
            continue
        name, number, length = entry(data, at, superblock)
        if name not in (b".", b".."):
            yield name, number
        at += length


def index_at_end(data: bytes) -> tuple[int, int]:
    """Where the index of a folder of one block begins, and how many entries it has.

    Raises Damaged.
    """
    count = be32(data, len(data) - 8)
    start = len(data) - 8 - count * 8
    if start < 16:
        raise Damaged(f"a folder of one block has {count} entries")
    return start, count


def entry(data: bytes, at: int, superblock: Superblock) -> tuple[bytes, int, int]:
    """The name at a place of a block, its inode and the length of the entry. Raises Damaged."""
    if be16(data, at) == _UNUSED:
        raise Damaged("the index of a folder names an entry that is not in use")
    size = u8(data, at + 8)
    length = (8 + 1 + size + (1 if superblock.typed else 0) + 2 + 7) & ~7
    return _name(part(part(data, at, length), 9, size)), be64(data, at), length


def _name(name: bytes) -> bytes:
    if not name or b"/" in name or b"\0" in name:
        raise Damaged(f"a folder has the impossible name {name[:120]!r}")
    return name
