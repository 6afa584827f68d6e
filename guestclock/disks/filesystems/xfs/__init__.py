"""XFS, versions 4 and 5 (kernel.org, XFS Algorithms & Data Structures, 3rd edition)."""

from __future__ import annotations

from guestclock.disks.filesystems.xfs.files import mount

__all__ = ["mount"]
