"""NTFS's boot sector: how long sectors, clusters and records are, and where the MFT begins."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from guestclock.disks.fields import unpack
from guestclock.disks.problem import Damaged, DiskProblem
from guestclock.disks.source import Source

_MAGIC = b"NTFS    "
# Bytes of a sector, sectors of a cluster; all sectors, where the MFT and its mirror are; how long
# a record and an index block are.
_FIELDS = Struct("<11xHB26xQQQb3xb")


class Boot(NamedTuple):
    """Sizes and places in bytes."""

    cluster: int
    record: int
    block: int
    mft: int
    mirror: int


def read_boot(volume: Source) -> Boot | None:
    """What the boot sector says, or its copy at the volume's end; None where it is no NTFS.

    Raises Damaged where both are broken.
    """
    problem: DiskProblem | None = None
    for at in (0, volume.size - 512):
        if at < 0 or at + 512 > volume.size:
            continue
        data = volume.read_at(at, 512)
        if data[3:11] != _MAGIC:
            continue
        try:
            return _boot(data)
        except DiskProblem as one:
            problem = problem or one
    if problem is not None:
        raise problem
    return None


def _boot(data: bytes) -> Boot:
    sector, per_cluster, _, mft, mirror, record, block = unpack(_FIELDS, data)
    if sector not in (512, 1024, 2048, 4096):
        raise Damaged(f"NTFS: sectors of {sector} bytes")
    # From 0x80 on it is the power of two, negative: clusters of more than 64 KiB.
    sectors = 1 << 256 - per_cluster if per_cluster > 0x80 else per_cluster
    cluster = sector * sectors
    if not sectors or sectors & sectors - 1 or not 512 <= cluster <= 2 << 20:
        raise Damaged(f"NTFS: clusters of {sectors} sectors")
    return Boot(
        cluster,
        _size(record, cluster),
        _size(block, cluster),
        mft * cluster,
        mirror * cluster,
    )


def _size(count: int, cluster: int) -> int:
    """Clusters where it is positive, else the power of two of a size in bytes."""
    size = count * cluster if count > 0 else 1 << -count if count > -32 else 0
    if not 512 <= size <= 1 << 16 or size & size - 1:
        raise Damaged(f"NTFS: records of {size} bytes")
    return size
