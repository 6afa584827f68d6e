"""The log: whether the file system was unmounted, or changes wait there to be made."""

from __future__ import annotations

from guestclock.disks.fields import be32, u8
from guestclock.disks.filesystems.xfs.superblock import Superblock
from guestclock.disks.source import Source, Window

_SECTOR = 512
_RECORD = 0xFEEDBABE
_UNMOUNTED = 0x20
_LONGEST = 512
"""A record is padded to the stripe of the log, which is 256 KiB at most."""


def is_clean(volume: Source, superblock: Superblock) -> bool:
    """Whether the newest record says that the file system was unmounted. Raises DiskProblem.

    What cannot be understood is not clean.
    """
    start = superblock.place(superblock.log_start, superblock.log_blocks)
    log = Window(volume, start, superblock.log_blocks * superblock.block)
    sectors = log.size // _SECTOR
    if not sectors:
        return False
    head = _head(log, sectors)
    back = max(superblock.log_stripe // _SECTOR, 8) + 8
    for distance in range(1, min(back, _LONGEST + 8, sectors) + 1):
        sector = (head - distance) % sectors
        header = log.read_at(sector * _SECTOR, _SECTOR)
        if be32(header, 0) != _RECORD:
            continue
        version, length, operations = be32(header, 8), be32(header, 12), be32(header, 40)
        # Records over 32 KiB have more sectors of headers; an unmount is a short one.
        if operations != 1 or version not in (1, 2) or 1 + -(-length // _SECTOR) != distance:
            return False
        operation = log.read_at((sector + 1) % sectors * _SECTOR, _SECTOR)
        return bool(u8(operation, 9) & _UNMOUNTED)
    return False


def _head(log: Source, sectors: int) -> int:
    """The sector that would be written next: where the cycle that all sectors bear changes."""
    first, last = _cycle(log, 0), _cycle(log, sectors - 1)
    if first == last:
        return 0
    low, high = 0, sectors - 1
    while high - low > 1:
        middle = (low + high) // 2
        if _cycle(log, middle) == first:
            low = middle
        else:
            high = middle
    return high


def _cycle(log: Source, sector: int) -> int:
    data = log.read_at(sector * _SECTOR, 8)
    word = be32(data, 0)
    return be32(data, 4) if word == _RECORD else word
