"""Volumes that are known by their names only: encrypted ones, and those of other managers."""

from __future__ import annotations

from guestclock.disks.problem import DiskProblem, Encrypted, UnreadVolume
from guestclock.disks.source import Source, stands_at

_ENCRYPTED = ((b"LUKS\xba\xbe", 0, "LUKS"), (b"-FVE-FS-", 3, "BitLocker"))
_OTHERS = (
    (b"SPACEDB ", 0, "Storage Spaces"),
    (b"\x0d\xd0\x01\xc0", 0x100000, "VMFS"),
    (b"PRIVHEAD", 0xC00, "Windows dynamic disk (LDM)"),
)
_ZFS = 0x00BAB10C
_ZFS_AT = 128 << 10


def problem_of(volume: Source) -> DiskProblem | None:
    """What stands for the contents of such a volume, None for any other."""
    for magic, at, name in _ENCRYPTED:
        if stands_at(volume, at, magic):
            return Encrypted(f"it is encrypted by {name}")
    for magic, at, name in _OTHERS:
        if stands_at(volume, at, magic):
            return UnreadVolume(f"{name} is not read")
    if _is_zfs(volume):
        return UnreadVolume("ZFS is not read")
    return None


def _is_zfs(volume: Source) -> bool:
    """Whether one of the first uberblocks of its first label is there, of either byte order."""
    if volume.size < _ZFS_AT + 4096:
        return False
    ring = volume.read_at(_ZFS_AT, 4096)
    return any(
        int.from_bytes(ring[at : at + 8], order) == _ZFS
        for at in range(0, 4096, 1024)
        for order in ("little", "big")
    )
