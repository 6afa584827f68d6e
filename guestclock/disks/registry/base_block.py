"""The first 512 bytes of a hive, of which every transaction log begins with a copy.

Rule: the regf specification (github.com/msuhanov/regf), "Base block".
"""

from __future__ import annotations

from struct import Struct, iter_unpack
from typing import NamedTuple

from guestclock.disks.fields import part, u32, unpack
from guestclock.disks.problem import Damaged, UnreadFormat

SECTOR = 512
BASE = 4096
"""Where the bins of a hive begin; all offsets inside a hive count from there."""

HIVE, OLD_LOG, NEW_LOG = 0, 1, 6
_LAYOUT = Struct("<4xIIQIIIIIII")
_MINORS = range(3, 7)


class BaseBlock(NamedTuple):
    """Its numbers. `root` is an offset into the bins, `size` all bins' size in bytes.

    `first` and `second` are the sequence numbers, counted up before and after each writing.
    `written` is in Windows' ticks of 100 ns. `sound` says that the checksum fits.
    """

    first: int
    second: int
    written: int
    minor: int
    kind: int
    root: int
    size: int
    sector: int
    sound: bool

    @property
    def clean(self) -> bool:
        """Whether nothing was being written when the hive was left."""
        return self.sound and self.first == self.second


def read_base_block(data: bytes) -> BaseBlock:
    """Raises Damaged where it is none, UnreadFormat for a version that is not known."""
    if data[:4] != b"regf":
        raise Damaged(f"no registry hive: it begins with {data[:4]!r}")
    first, second, written, major, minor, kind, _, root, size, factor = unpack(_LAYOUT, data)
    sound = _checksum(part(data, 0, 508)) == u32(data, 508)
    if major != 1 or minor not in _MINORS:
        raise UnreadFormat(f"a registry hive of version {major}.{minor} is not read here")
    # The factor counts sectors of 512 bytes in one of the disk that the hive was made on.
    sector = SECTOR * factor if 1 <= factor <= 8 else SECTOR
    return BaseBlock(first, second, written, minor, kind, root, size, sector, sound)


def _checksum(data: bytes) -> int:
    """All words XORed; 0 and -1 are stored as their neighbours 1 and -2."""
    number = 0
    for (word,) in iter_unpack("<I", data):
        number ^= word
    return {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(number, number)
