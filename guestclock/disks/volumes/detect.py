"""All volumes of a disk that may hold a system, whatever tables lead to them."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.problem import DiskProblem, OverLimit
from guestclock.disks.source import Source
from guestclock.disks.volumes import disklabel, mbr
from guestclock.disks.volumes.encrypted import problem_of
from guestclock.disks.volumes.interface import Volume

_DEEPEST = 4
_BLANK = 4096


def volumes(disk: Source, budget: Budget) -> Iterator[Volume]:
    """Volumes in the order of their tables; one that has a table itself gives its own instead.

    A volume that begins with nothing is left out. Raises DiskProblem where a table cannot be
    read, OverLimit where there are too many volumes.
    """
    for count, volume in enumerate(_inside(Volume("the whole disk", disk), budget, 0)):
        if count >= budget.limits.volumes:
            raise OverLimit(f"more than {budget.limits.volumes} volumes are there")
        yield volume


def _inside(volume: Volume, budget: Budget, depth: int) -> Iterator[Volume]:
    content = volume.content
    if isinstance(content, DiskProblem):
        yield volume
        return
    try:
        parts = _parts(volume, content, budget, depth) if depth < _DEEPEST else None
        if parts is None:
            problem = problem_of(content)
            if problem is not None:
                yield _of(volume, problem)
            elif not _is_blank(content):
                yield volume
            return
    except DiskProblem as problem:
        yield _of(volume, problem)
        return
    for one in parts:
        yield from _inside(_below(volume, one, depth), budget, depth + 1)


def _of(volume: Volume, problem: DiskProblem) -> Volume:
    return Volume(volume.place, problem, volume.name, volume.type)


def _below(outer: Volume, inner: Volume, depth: int) -> Volume:
    """The inner volume; its place says the outer one too, where that is not the disk."""
    if depth == 0:
        return inner
    place = f"{outer.place}: {inner.place}"
    return Volume(place, inner.content, inner.name, inner.type)


def _parts(volume: Volume, disk: Source, budget: Budget, depth: int) -> Iterator[Volume] | None:
    """What the first table that is there leads to, None where there is none."""
    if disk.size < 512:
        return None
    first = disk.read_at(0, 512)
    if mbr.is_protective(first) or (depth == 0 and not _is_filesystem(first)):
        from guestclock.disks.volumes import gpt

        found = gpt.split(disk, budget)
        if found is not None:
            return found
    if _is_filesystem(first):
        return None
    found = mbr.split(disk, budget)
    if found is None and depth == 0:
        labelled = disklabel.partitions(disk, 0, disk.size, 0, "")
        found = iter(labelled) if labelled else None
    return _managed(volume, disk, budget) if found is None else found


def _managed(volume: Volume, disk: Source, budget: Budget) -> Iterator[Volume] | None:
    """What the superblock of a volume manager leads to, None where there is none."""
    from guestclock.disks.volumes import lvm2, md

    found = md.split(disk, budget)
    if found is None and volume.type in md.PARTITION_TYPES:
        found = md.split_at_end(disk, budget)
    return lvm2.split(disk, budget) if found is None else found


def _is_filesystem(first: bytes) -> bool:
    """Whether a sector that may look like a table is the boot sector of NTFS, exFAT or FAT."""
    return (
        first[3:11] in (b"NTFS    ", b"EXFAT   ", b"-FVE-FS-")
        or first[54:57] == b"FAT"
        or first[82:87] == b"FAT32"
    )


def _is_blank(volume: Source) -> bool:
    """Whether its first bytes are zero, and those where superblocks are.

    ext has it at 1024, UFS1 at 8 KiB, UFS2 and btrfs at 64 KiB.
    """
    places = (0, 8 << 10, 64 << 10)
    return not any(any(_read(volume, at)) for at in places)


def _read(volume: Source, at: int) -> bytes:
    return volume.read_at(at, max(0, min(_BLANK, volume.size - at))) if at < volume.size else b""
