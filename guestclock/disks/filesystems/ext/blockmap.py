"""Block maps: ext2's and ext3's twelve blocks, and blocks of block numbers behind them."""

from __future__ import annotations

from struct import Struct

from guestclock.disks.fields import unpack
from guestclock.disks.filesystems.ext.superblock import Superblock
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source

_DIRECT = 12
_TOP = Struct("<15I")


class BlockMap:
    """The map of one file, whose top lies in its inode."""

    def __init__(self, volume: Source, superblock: Superblock, top: bytes) -> None:
        self._volume = volume
        self._superblock = superblock
        self._top = unpack(_TOP, top)
        self._width = superblock.block // 4
        self._layout = Struct(f"<{self._width}I")
        self._last: tuple[int, tuple[int, ...]] = (0, ())

    def find(self, block: int) -> tuple[int | None, int]:
        """Where a block of the file lies, None where it reads as zero, and for how many blocks.

        Raises DiskProblem.
        """
        if block < _DIRECT:
            return self._run(self._top[:_DIRECT], block)
        block -= _DIRECT
        for level in range(3):
            span = self._width ** (level + 1)
            if block < span:
                return self._descend(self._top[_DIRECT + level], level, block)
            block -= span
        raise Damaged("a file is longer than its block map can be")

    def _descend(self, number: int, level: int, block: int) -> tuple[int | None, int]:
        while True:
            span = self._width**level
            if number == 0:
                return None, span * self._width - block
            index, below = divmod(block, span)
            numbers = self._numbers(number)
            if level == 0:
                return self._run(numbers, index)
            number, block = numbers[index], below
            level -= 1

    def _numbers(self, number: int) -> tuple[int, ...]:
        if self._last[0] != number:
            self._check(number)
            size = self._superblock.block
            data = self._volume.read_at(number * size, size)
            self._last = (number, unpack(self._layout, data))
        return self._last[1]

    def _run(self, numbers: tuple[int, ...], index: int) -> tuple[int | None, int]:
        start = numbers[index]
        step = 1 if start else 0
        end = index + 1
        while end < len(numbers) and numbers[end] == start + step * (end - index):
            end += 1
        if not start:
            return None, end - index
        self._check(start + end - index - 1)
        return start, end - index

    def _check(self, number: int) -> None:
        if not self._superblock.first_block < number < self._superblock.blocks:
            raise Damaged(f"block {number} of a file lies outside the volume")
