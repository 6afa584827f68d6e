"""Btrfs on one device (btrfs.readthedocs.io, On-disk format)."""

from __future__ import annotations

from guestclock.disks.filesystems.btrfs.files import mount

__all__ = ["mount"]
