"""Folders: names and what they stand for, by their hash or in the order they were made."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from guestclock.disks.compression.crc32c import crc32c
from guestclock.disks.fields import part, u16, unpack
from guestclock.disks.filesystems.btrfs.tree import LAST, BTree, Key
from guestclock.disks.problem import Damaged

_BY_HASH, _BY_INDEX = 84, 96
_KEY = Struct("<QBQ")
_HEADER = 30


def name_hash(name: bytes) -> int:
    """The hash of a name: CRC-32C begun with all bits but the lowest, not inverted at its end."""
    return crc32c(name, 1) ^ 0xFFFFFFFF


def look_up(tree: BTree, folder: int, name: bytes) -> Key | None:
    """The key of what a folder has under a name, None if nothing. Raises DiskProblem."""
    item = tree.get((folder, _BY_HASH, name_hash(name)))
    if item is not None:
        # Names of one hash share an item.
        for found, key in _entries(item):
            if found == name:
                return key
    return None


def all_entries(tree: BTree, folder: int) -> Iterator[tuple[bytes, Key]]:
    """All names of a folder, in the order they were made. Raises DiskProblem."""
    for key, item in tree.after((folder, _BY_INDEX, 0)):
        if key[:2] != (folder, _BY_INDEX) or key[2] == LAST:
            return
        yield from _entries(item)


def _entries(item: bytes) -> Iterator[tuple[bytes, Key]]:
    at = 0
    while at < len(item):
        number, kind, offset = unpack(_KEY, item, at)
        data, length = u16(item, at + 25), u16(item, at + 27)
        name = part(item, at + _HEADER, length)
        if not name or b"/" in name or b"\0" in name:
            raise Damaged(f"a folder has the impossible name {name[:120]!r}")
        yield name, (number, kind, offset)
        at += _HEADER + length + data
