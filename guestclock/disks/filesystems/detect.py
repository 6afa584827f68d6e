"""Which file system is on a volume, by the few bytes that tell it."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import FileSystem, Mount
from guestclock.disks.problem import UnreadFilesystem
from guestclock.disks.source import Source, stands_at

# Where the bytes are, what they are, and the module that reads it.
_READ = (
    (3, b"NTFS    ", "ntfs"),
    (0, b"XFSB", "xfs"),
    (1080, b"\x53\xef", "ext"),
    (0x10040, b"_BHRfS_M", "btrfs"),
    (0x1055C, b"\x19\x01\x54\x19", "ufs"),
    (0x255C, b"\x19\x01\x54\x19", "ufs"),
    (0x1055C, b"\x54\x19\x01\x00", "ufs"),
    (0x255C, b"\x54\x19\x01\x00", "ufs"),
    (3, b"EXFAT   ", "exfat"),
    (82, b"FAT32", "fat"),
    (54, b"FAT1", "fat"),
)
_NAMED = (
    (0, b"hsqs", "squashfs"),
    (0, b"ReFS", "ReFS"),
    (3, b"ReFS", "ReFS"),
    (32, b"NXSB", "APFS"),
    (1024, b"H+", "HFS+"),
    (1024, b"HX", "HFS+"),
    (1024, b"\x10\x20\xf5\xf2", "f2fs"),
    (1024, b"\xe2\xe1\xf5\xe0", "erofs"),
    (4096, b"\xc6\x85\x73\xf6", "bcachefs"),
    (0x10034, b"ReIsEr", "reiserfs"),
    (0x8000, b"JFS1", "JFS"),
    (0x8001, b"CD001", "ISO 9660"),
    (0x406, b"\x34\x34", "nilfs2"),
    (0x10000, b"\x01\x16\x19\x70", "gfs2"),
    (0x2000, b"OCFSV2", "ocfs2"),
    (4086, b"SWAPSPACE2", "swap"),
)


def mount(volume: Source, budget: Budget) -> FileSystem:
    """The file system on a volume. Raises UnreadFilesystem with its name, Damaged."""
    for at, magic, module in _READ:
        if stands_at(volume, at, magic):
            reader = cast(Mount, import_module(f"guestclock.disks.filesystems.{module}").mount)
            found = reader(volume, budget)
            if found is not None:
                return found
    for at, magic, name in _NAMED:
        if stands_at(volume, at, magic):
            raise UnreadFilesystem(f"{name} is not read")
    raise UnreadFilesystem("no file system that is known here is on it")
