"""The superblock: how the volume is laid out and what its reader must understand."""

from __future__ import annotations

from typing import NamedTuple

from guestclock.disks.compression.crc32c import crc32c
from guestclock.disks.fields import part, u8, u16, u32
from guestclock.disks.problem import Damaged, UnreadFilesystem
from guestclock.disks.source import Source

_AT, _SIZE = 1024, 1024
_MAGIC = 0xEF53

HAS_JOURNAL, SPARSE_SUPER2 = 0x4, 0x200
FILE_TYPE, RECOVER, META_GROUPS, EXTENTS, WIDE = 0x2, 0x4, 0x10, 0x40, 0x80
LARGE_FOLDERS = 0x4000
SPARSE_SUPER, BIG_CLUSTERS, METADATA_SUMS = 0x1, 0x200, 0x400

_INCOMPATIBLE = {
    0x1: "compression",
    0x8: "a journal device",
    0x1000: "data in folder entries",
}
_UNDERSTOOD = (
    FILE_TYPE | RECOVER | META_GROUPS | EXTENTS | WIDE | LARGE_FOLDERS
    # Multi-mount protection, flexible groups, values in inodes, the seed of sums, inline data,
    # encryption and folded case: none changes where an inode lies.
    | 0x100 | 0x200 | 0x400 | 0x2000 | 0x8000 | 0x10000 | 0x20000
)  # fmt: skip
_ONLY_EXT4 = (EXTENTS | WIDE | 0x200 | 0x400 | 0x2000 | LARGE_FOLDERS | 0x8000, 0x8 | 0x10 | 0x778)


class Superblock(NamedTuple):
    """What of it is needed to find an inode. Sizes are in bytes, `blocks` are counts."""

    block: int
    blocks: int
    first_block: int
    group_blocks: int
    group_inodes: int
    inodes: int
    inode: int
    descriptor: int
    first_meta_group: int
    backups: tuple[int, int]
    compatible: int
    incompatible: int
    read_only: int
    clean: bool
    errors: bool
    label: str
    uuid: bytes
    hash_seed: bytes
    unsigned_hash: bool
    copy_of: int = 0
    """The group whose copy was read, 0 for the first superblock itself."""

    @property
    def name(self) -> str:
        """ext2, ext3 or ext4, after the features in use."""
        incompatible, read_only = _ONLY_EXT4
        if self.incompatible & incompatible or self.read_only & read_only:
            return "ext4"
        return "ext3" if self.compatible & HAS_JOURNAL else "ext2"

    @property
    def groups(self) -> int:
        """How many groups of blocks there are."""
        return -(-(self.blocks - self.first_block) // self.group_blocks)

    def has_copy(self, group: int) -> bool:
        """Whether a group begins with a copy of the superblock and the descriptors."""
        if group == 0:
            return True
        if self.compatible & SPARSE_SUPER2:
            return group in self.backups
        return not self.read_only & SPARSE_SUPER or group == 1 or _is_power(group)


def _is_power(group: int) -> bool:
    for base in (3, 5, 7):
        power = base
        while power < group:
            power *= base
        if power == group:
            return True
    return False


def read_superblock(volume: Source) -> Superblock | None:
    """The superblock, None where there is no ext. Raises DiskProblem where it cannot be read.

    A copy is only asked where the first one is there and broken: a volume that was made anew
    for another file system may well still have the copies of its former one.
    """
    if volume.size < _AT + _SIZE:
        return None
    data = volume.read_at(_AT, _SIZE)
    if u16(data, 0x38) != _MAGIC:
        return None
    try:
        return _parse(data)
    except Damaged as problem:
        for block in (1024, 2048, 4096):
            copy = _copy(volume, block)
            if copy is not None:
                return copy
        raise problem


def _copy(volume: Source, block: int) -> Superblock | None:
    first = 1 if block == 1024 else 0
    group_blocks = 8 * block
    for group in (1, 3, 5, 7, 9):
        at = (first + group * group_blocks) * block
        if at + _SIZE > volume.size:
            return None
        data = volume.read_at(at, _SIZE)
        if u16(data, 0x38) != _MAGIC or u16(data, 0x5A) != group:
            continue
        try:
            found = _parse(data, group)
        except Damaged:
            continue
        if found.block == block and found.group_blocks == group_blocks:
            return found
    return None


def _parse(data: bytes, copy_of: int = 0) -> Superblock:
    revision, read_only = u32(data, 0x4C), u32(data, 0x64)
    compatible, incompatible = u32(data, 0x5C), u32(data, 0x60)
    if revision == 0:
        compatible = incompatible = read_only = 0
    if read_only & METADATA_SUMS and crc32c(data[:0x3FC]) ^ 0xFFFFFFFF != u32(data, 0x3FC):
        raise Damaged("the checksum of ext's superblock is wrong")
    for bit, what in _INCOMPATIBLE.items():
        if incompatible & bit:
            raise UnreadFilesystem(f"ext with {what} is not read")
    if incompatible & ~_UNDERSTOOD:
        raise UnreadFilesystem(
            f"ext with unknown features ({incompatible & ~_UNDERSTOOD:#x}) is not read"
        )
    wide = bool(incompatible & WIDE)
    if u32(data, 0x18) > 6:
        raise Damaged("ext's block size is beyond 64 KiB")
    found = Superblock(
        block=1024 << u32(data, 0x18),
        blocks=u32(data, 0x4) | (u32(data, 0x150) << 32 if wide else 0),
        first_block=u32(data, 0x14),
        group_blocks=u32(data, 0x20),
        group_inodes=u32(data, 0x28),
        inodes=u32(data, 0x0),
        inode=u16(data, 0x58) if revision else 128,
        descriptor=u16(data, 0xFE) if wide else 32,
        first_meta_group=u32(data, 0x104),
        backups=(u32(data, 0x24C), u32(data, 0x250)),
        compatible=compatible,
        incompatible=incompatible,
        read_only=read_only,
        clean=bool(u16(data, 0x3A) & 0x1),
        errors=bool(u16(data, 0x3A) & 0x2),
        label=part(data, 0x78, 16).split(b"\0")[0].decode("utf-8", "replace"),
        uuid=part(data, 0x68, 16),
        hash_seed=part(data, 0xEC, 16),
        unsigned_hash=bool(u8(data, 0x160) & 0x2),
        copy_of=copy_of,
    )
    _check(found)
    return found


def _check(found: Superblock) -> None:
    big = found.read_only & BIG_CLUSTERS
    first = 1 if found.block == 1024 else 0
    sound = (
        (found.first_block == first or (big and found.first_block == 0))
        and found.first_block < found.blocks
        and 0 < found.group_blocks <= (1 << 32 if big else 8 * found.block)
        and 0 < found.group_inodes <= 8 * found.block
        and 0 < found.inodes <= found.groups * found.group_inodes
        and 128 <= found.inode <= found.block
        and found.inode & (found.inode - 1) == 0
        and 32 <= found.descriptor <= 1024
        and found.descriptor & (found.descriptor - 1) == 0
    )
    if not sound:
        raise Damaged("the sizes in ext's superblock contradict each other")
