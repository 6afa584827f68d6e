"""The map from the blocks of a file to those of the volume: extents, or a b-tree of them."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from struct import Struct

from guestclock.disks.fields import be16, be64, part, unpack
from guestclock.disks.filesystems.xfs.inode import Form, Inode
from guestclock.disks.filesystems.xfs.superblock import Superblock
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source

_RECORD = Struct(">QQ")
_END = 1 << 54
_DEEPEST = 12
_KEPT = 64

Extent = tuple[int, int, int, bool]
"""The first block of the file, that on the volume, how many, and whether they were written."""


class Fork:
    """The map of one file."""

    def __init__(self, volume: Source, superblock: Superblock, inode: Inode) -> None:
        self._volume = volume
        self._superblock = superblock
        self._inode = inode
        self._leaves: dict[int, list[Extent]] = {}
        if inode.form == Form.EXTENTS:
            if inode.extents * _RECORD.size > len(inode.fork):
                raise Damaged(f"inode {inode.number} has more extents than room for them")
            self._extents = _extents(inode.fork, 0, inode.extents)
        elif inode.form != Form.BTREE:
            raise Damaged(f"the data of inode {inode.number} are kept in a form {inode.form}")

    def find(self, offset: int) -> tuple[int | None, int]:
        """Where a byte of the file lies, None where it reads as zero, and for how many bytes.

        Raises DiskProblem.
        """
        size = self._superblock.block
        block, past = divmod(offset, size)
        start, count = self._find(block)
        if start is None:
            return None, count * size - past
        return self._superblock.place(start, count) + past, count * size - past

    def extents(self) -> list[Extent]:
        """All extents of a file that has only a few, in its inode. Raises Damaged."""
        if self._inode.form != Form.EXTENTS:
            raise Damaged(f"inode {self._inode.number} has too many extents for its kind")
        return self._extents

    def _find(self, block: int) -> tuple[int | None, int]:
        found, end = (
            (self._extents, _END) if self._inode.form == Form.EXTENTS else self._descend(block)
        )
        index = bisect_right(found, block, key=lambda extent: extent[0]) - 1
        if index + 1 < len(found):
            end = found[index + 1][0]
        if index >= 0:
            first, start, count, written = found[index]
            past = block - first
            if past < count:
                # Blocks that lie side by side are wholly checked, so that no part is outside.
                self._superblock.place(start, count)
                return (start + past if written else None), count - past
        return None, max(end - block, 1)

    def _descend(self, block: int) -> tuple[list[Extent], int]:
        fork = self._inode.fork
        level, count = be16(fork, 0), be16(fork, 2)
        if not 0 < level <= _DEEPEST:
            raise Damaged(f"the map of inode {self._inode.number} is {level} levels deep")
        end = _END
        data, start = fork, 4
        while True:
            room = (len(data) - start) // 16
            if not 0 < count <= room:
                raise Damaged(f"a node of the map of inode {self._inode.number} has {count} keys")
            keys = unpack(Struct(f">{count}Q"), data, start)
            index = max(bisect_right(keys, block) - 1, 0)
            if index + 1 < count:
                end = min(end, keys[index + 1])
            below = be64(data, start + room * 8 + index * 8)
            level -= 1
            if level == 0 and below in self._leaves:
                return self._leaves[below], end
            data, start, count = self._node(below, level)
            if level == 0:
                if start + count * _RECORD.size > len(data):
                    raise Damaged(f"a leaf of a map has {count} extents")
                if len(self._leaves) >= _KEPT:
                    self._leaves.clear()
                self._leaves[below] = _extents(data, start, count)
                return self._leaves[below], end

    def _node(self, block: int, level: int) -> tuple[bytes, int, int]:
        at = self._superblock.place(block)
        data = self._volume.read_at(at, self._superblock.block)
        new = self._superblock.version == 5
        sound = data[:4] == (b"BMA3" if new else b"BMAP") and be16(data, 4) == level
        if new and sound:
            sound = (
                be64(data, 24) == at // 512
                and part(data, 40, 16) == self._superblock.uuid
                and be64(data, 56) == self._inode.number
            )
        if not sound:
            raise Damaged(f"a node of the map of inode {self._inode.number} has a wrong header")
        return data, 72 if new else 24, be16(data, 6)


def _extents(data: bytes, at: int, count: int) -> list[Extent]:
    found = []
    for number in range(count):
        high, low = unpack(_RECORD, data, at + number * _RECORD.size)
        first, blocks = high >> 9 & (1 << 54) - 1, low & (1 << 21) - 1
        start = (high & 0x1FF) << 43 | low >> 21
        if not blocks:
            raise Damaged("an extent has no blocks")
        found.append((first, start, blocks, not high >> 63))
    if any(one[0] + one[2] > other[0] for one, other in pairwise(found)):
        raise Damaged("the extents of a file are out of order")
    return found
