"""Subvolumes: trees of files, their names in the tree of roots, and which one is the default."""

from __future__ import annotations

from typing import NamedTuple

from guestclock.disks.fields import part, u8, u16, u32, u64
from guestclock.disks.filesystems.btrfs.folder import look_up
from guestclock.disks.filesystems.btrfs.space import Space
from guestclock.disks.filesystems.btrfs.superblock import Superblock, Top
from guestclock.disks.filesystems.btrfs.tree import LAST, BTree
from guestclock.disks.problem import Damaged

TOP_LEVEL = 5
ROOT_ITEM = 132
_ROOT_REFERENCE = 156


class Subvolume(NamedTuple):
    """One tree of files. `root` is the inode of its uppermost folder."""

    tree: BTree
    root: int


class Subvolumes:
    """All of them, read when they are asked for."""

    def __init__(self, space: Space, superblock: Superblock) -> None:
        self._space = space
        self._roots = BTree(space.node, superblock.roots)
        self._folder = superblock.roots_folder
        self._known: dict[int, Subvolume] = {}

    def default(self) -> int:
        """The number of the one that is mounted where none is named. Raises DiskProblem."""
        found = look_up(self._roots, self._folder, b"default")
        if found is None:
            return TOP_LEVEL
        if found[1] != ROOT_ITEM:
            raise Damaged("btrfs's default subvolume is none")
        return found[0]

    def get(self, number: int) -> Subvolume:
        """The subvolume of that number. Raises DiskProblem, Damaged where there is none."""
        if number not in self._known:
            # The offset in its key is the generation in which a snapshot was made.
            found = self._roots.at_most((number, ROOT_ITEM, LAST))
            if found is None or found[0][:2] != (number, ROOT_ITEM):
                raise Damaged(f"btrfs has no subvolume {number}")
            item = found[1]
            if not u32(item, 216):
                raise Damaged(f"btrfs's subvolume {number} was deleted")
            top = Top(u64(item, 176), u8(item, 238), u64(item, 160))
            self._known[number] = Subvolume(BTree(self._space.node, top), u64(item, 168))
        return self._known[number]

    def belongs(self, number: int, parent: int, folder: int, name: bytes) -> bool:
        """Whether a subvolume is really there under a name of a folder. Raises DiskProblem.

        A snapshot has the names of the subvolumes inside what it was taken of, but not them.
        """
        item = self._roots.get((parent, _ROOT_REFERENCE, number))
        if item is None:
            return False
        return u64(item, 0) == folder and part(item, 18, u16(item, 16)) == name
