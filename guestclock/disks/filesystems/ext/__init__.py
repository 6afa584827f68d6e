"""ext2, ext3 and ext4 (kernel.org, Documentation/filesystems/ext4)."""

from __future__ import annotations

from guestclock.disks.filesystems.ext.files import mount

__all__ = ["mount"]
