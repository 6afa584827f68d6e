"""NTFS, read only: attributes, runs, folders' trees, compressed and sparse files."""

from guestclock.disks.filesystems.ntfs.files import mount

__all__ = ["mount"]
