"""Indexed folders: the few blocks of a large one that can have a name."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import TypeAlias

from guestclock.disks.fields import u8, u16, u32
from guestclock.disks.filesystems.ext.hashes import TEA, name_hash
from guestclock.disks.filesystems.ext.superblock import Superblock
from guestclock.disks.problem import Damaged

Block: TypeAlias = Callable[[int], bytes]
"""A block of a folder by its number there."""

_INFO = 0x18
_DEEPEST = 3


def leaves(block: Block, superblock: Superblock, name: bytes) -> Iterator[bytes] | None:
    """The blocks that can have a name, None where the index is of a kind not known here.

    Raises DiskProblem.
    """
    top = block(0)
    version, length, levels = u8(top, _INFO + 4), u8(top, _INFO + 5), u8(top, _INFO + 6)
    # 3 to 5 are the same hashes of characters that are never negative.
    if version > 5 or length != 8 or u32(top, _INFO) != 0:
        return None
    if levels > _DEEPEST:
        raise Damaged(f"the index of a folder is {levels} levels deep")
    unsigned = version > TEA or superblock.unsigned_hash
    wanted = name_hash(name, version % 3, unsigned, superblock.hash_seed)
    return _walk(block, top, _INFO + length, levels, wanted, False)


def _walk(
    block: Block, node: bytes, at: int, levels: int, wanted: int, leftmost: bool
) -> Iterator[bytes]:
    limit, count = u16(node, at), u16(node, at + 2)
    if not 0 < count <= limit or at + count * 8 > len(node):
        raise Damaged(f"a node of a folder's index has {count} entries")
    # The first entry has no hash: the counts stand in its place.
    hashes = [u32(node, at + index * 8) for index in range(1, count)]
    first = 0 if leftmost else bisect_right(hashes, wanted)
    for index in range(first, count):
        # Names of one hash may go on in the next block, whose lowest bit says so.
        if index > first and hashes[index - 1] & ~1 != wanted:
            return
        below = block(u32(node, at + index * 8 + 4) & 0x0FFFFFFF)
        if levels:
            yield from _walk(block, below, 8, levels - 1, wanted, index > first or leftmost)
        else:
            yield below
