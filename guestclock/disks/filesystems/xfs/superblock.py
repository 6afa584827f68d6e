"""The superblock: how the volume is laid out and what its reader must understand."""

from __future__ import annotations

from typing import NamedTuple

from guestclock.disks.compression.crc32c import crc32c
from guestclock.disks.fields import be16, be32, be64, part, u8, u32
from guestclock.disks.problem import Damaged, UnreadFilesystem
from guestclock.disks.source import Source

_SIZE = 512
_MAGIC = b"XFSB"
_SUM = 224

FOLDERS_V2, FOLDED, MORE = 0x2000, 0x4000, 0x8000
_TYPES_V4 = 0x200
_TYPES, _SPARSE, _META_UUID, _BIG_TIME = 0x1, 0x2, 0x4, 0x8
_REPAIR, _MANY_EXTENTS, _EXCHANGE, _PARENTS = 0x10, 0x20, 0x40, 0x80
# Sparse inodes, exchanged ranges and parents (which are attributes) change nothing that is read.
_UNDERSTOOD = (
    _TYPES | _SPARSE | _META_UUID | _BIG_TIME | _REPAIR | _MANY_EXTENTS | _EXCHANGE | _PARENTS
)
_UNREAD = {0x100: "a folder of metadata", 0x200: "zones"}


class Superblock(NamedTuple):
    """What of it is needed to find an inode. Sizes are in bytes, `..._log` are powers of two."""

    version: int
    block: int
    block_log: int
    blocks: int
    group_blocks: int
    group_log: int
    groups: int
    inode: int
    inode_log: int
    root: int
    folder_block: int
    typed: bool
    folded: bool
    log_start: int
    log_blocks: int
    log_stripe: int
    replay_needed: bool
    repair_needed: bool
    label: str
    uuid: bytes

    def place(self, block: int, count: int = 1) -> int:
        """The byte at which `count` blocks lie, from the first one's number. Raises Damaged.

        A number is that of a group of blocks and one in the group, each in its own bits.
        """
        group, inside = block >> self.group_log, block & (1 << self.group_log) - 1
        first = group * self.group_blocks + inside
        if inside + count > self.group_blocks or first + count > self.blocks:
            raise Damaged(f"{count} blocks at {block:#x} lie outside the volume")
        return first * self.block


def read_superblock(volume: Source) -> Superblock | None:
    """The superblock, None where there is no XFS. Raises DiskProblem where it cannot be read."""
    if volume.size < _SIZE:
        return None
    data = volume.read_at(0, _SIZE)
    if data[:4] != _MAGIC:
        return None
    numbers = be16(data, 100)
    version = numbers & 0xF
    if version not in (4, 5) or not numbers & FOLDERS_V2:
        raise UnreadFilesystem(f"xfs of version {version} is not read")
    features2 = be32(data, 200) if numbers & MORE else 0
    incompatible = be32(data, 216) if version == 5 else 0
    if version == 5:
        _check_sum(volume, data)
    for bit, what in _UNREAD.items():
        if incompatible & bit:
            raise UnreadFilesystem(f"xfs with {what} is not read")
    if incompatible & ~_UNDERSTOOD:
        raise UnreadFilesystem(
            f"xfs with unknown features ({incompatible & ~_UNDERSTOOD:#x}) is not read"
        )
    block_log, inode_log = u8(data, 120), u8(data, 122)
    if not 9 <= block_log <= 16 or not 8 <= inode_log <= 11:
        raise Damaged("the sizes in xfs's superblock are impossible")
    found = Superblock(
        version=version,
        block=be32(data, 4),
        block_log=block_log,
        blocks=be64(data, 8),
        group_blocks=be32(data, 84),
        group_log=u8(data, 124),
        groups=be32(data, 88),
        inode=be16(data, 104),
        inode_log=inode_log,
        root=be64(data, 56),
        folder_block=1 << min(block_log + u8(data, 192), 17),
        typed=bool(incompatible & _TYPES if version == 5 else features2 & _TYPES_V4),
        folded=bool(numbers & FOLDED),
        log_start=be64(data, 48),
        log_blocks=be32(data, 96),
        log_stripe=be32(data, 196),
        replay_needed=version == 5 and be32(data, 220) != 0,
        repair_needed=bool(incompatible & _REPAIR),
        label=part(data, 108, 12).split(b"\0")[0].decode("utf-8", "replace"),
        uuid=part(data, 248 if incompatible & _META_UUID else 32, 16),
    )
    _check(found, data)
    return found


def _check_sum(volume: Source, start: bytes) -> None:
    size = be16(start, 102)
    if size not in (512, 1024, 2048, 4096, 8192, 16384, 32768) or size > volume.size:
        raise Damaged(f"xfs's superblock names sectors of {size} bytes")
    data = volume.read_at(0, size)
    if crc32c(data[:_SUM] + bytes(4) + data[_SUM + 4 :]) != u32(data, _SUM):
        raise Damaged("the checksum of xfs's superblock is wrong")


def _check(found: Superblock, data: bytes) -> None:
    sound = (
        found.block == 1 << found.block_log
        and found.inode == 1 << found.inode_log
        and found.inode <= found.block
        and found.folder_block <= 65536
        and 0 < found.group_blocks <= 1 << min(found.group_log, 31)
        and found.groups > 0
        and (found.groups - 1) * found.group_blocks < found.blocks
        and found.blocks <= found.groups * found.group_blocks
        and found.inode >= (512 if found.version == 5 else 256)
    )
    if not sound:
        raise Damaged("the sizes in xfs's superblock contradict each other")
    if u8(data, 126):
        raise Damaged("xfs was never made to its end")
