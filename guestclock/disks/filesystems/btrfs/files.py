"""The file system: inodes as nodes, folders looked up across subvolumes, files opened."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.fields import u32, u64
from guestclock.disks.filesystems.btrfs.extents import Contents
from guestclock.disks.filesystems.btrfs.folder import all_entries, look_up
from guestclock.disks.filesystems.btrfs.space import Space
from guestclock.disks.filesystems.btrfs.subvolumes import ROOT_ITEM, Subvolumes
from guestclock.disks.filesystems.btrfs.superblock import Superblock, read_superblock
from guestclock.disks.filesystems.btrfs.tree import Key
from guestclock.disks.filesystems.interface import Kind, Node
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source

_INODE = 1
_KINDS = {0x4000: Kind.FOLDER, 0x8000: Kind.FILE, 0xA000: Kind.LINK}
_OTHERS = (0x1000, 0x2000, 0x6000, 0xC000)
_LONGEST_LINK = 4096

_NOTHING = Node(Kind.FOLDER, 0, (0, 0))
"""What is left in a snapshot of a subvolume inside it: an empty folder."""


def mount(source: Source, budget: Budget) -> BtrfsFiles | None:
    """The btrfs on a volume, None where there is none. Raises DiskProblem."""
    superblock = read_superblock(source)
    if superblock is None:
        return None
    files = BtrfsFiles(source, superblock, budget)
    if files.root().kind is not Kind.FOLDER:
        raise Damaged("btrfs's root is no folder")
    return files


class BtrfsFiles:
    """A btrfs, seen from its default subvolume; the key of its nodes is tree and inode."""

    name = "btrfs"

    def __init__(self, volume: Source, superblock: Superblock, budget: Budget) -> None:
        self.label = superblock.label
        self.warnings = tuple(_warnings(superblock))
        self._sector = superblock.sector
        self._budget = budget
        self._space = Space(volume, superblock, budget)
        self._subvolumes = Subvolumes(self._space, superblock)

    def root(self) -> Node:
        """The uppermost folder of the default subvolume. Raises DiskProblem."""
        return self._root_of(self._subvolumes.default())

    def lookup(self, folder: Node, name: str) -> Node | None:
        """What a folder has under a name. Raises DiskProblem."""
        _check(folder, Kind.FOLDER)
        if folder.key == _NOTHING.key:
            return None
        try:
            wanted = name.encode()
        except UnicodeEncodeError:
            return None
        tree, number = folder.key
        found = look_up(self._subvolumes.get(tree).tree, number, wanted)
        return None if found is None else self._follow(folder, wanted, found)

    def entries(self, folder: Node) -> Iterator[tuple[str, Node]]:
        """All that a folder has, in the order it was made. Raises DiskProblem."""
        _check(folder, Kind.FOLDER)
        if folder.key == _NOTHING.key:
            return
        tree, number = folder.key
        for name, key in all_entries(self._subvolumes.get(tree).tree, number):
            yield name.decode("utf-8", "replace"), self._follow(folder, name, key)

    def target(self, link: Node) -> str:
        """The text of a symbolic link. Raises DiskProblem."""
        _check(link, Kind.LINK)
        if not 0 < link.size <= _LONGEST_LINK:
            raise Damaged(f"a symbolic link of btrfs has {link.size} bytes")
        return self._contents(link).read_at(0, link.size).decode("utf-8", "replace")

    def open(self, file: Node) -> Source:
        """The contents of a file. Raises DiskProblem."""
        _check(file, Kind.FILE)
        return self._contents(file)

    def _contents(self, node: Node) -> Contents:
        tree, number = node.key
        subvolume = self._subvolumes.get(tree)
        return Contents(self._space, subvolume.tree, number, node.size, self._sector, self._budget)

    def _follow(self, folder: Node, name: bytes, key: Key) -> Node:
        tree, number = folder.key
        if key[1] == _INODE:
            return self._node(tree, key[0])
        if key[1] != ROOT_ITEM:
            raise Damaged(f"a name in btrfs stands for an item of type {key[1]}")
        if not self._subvolumes.belongs(key[0], tree, number, name):
            return _NOTHING
        return self._root_of(key[0])

    def _root_of(self, tree: int) -> Node:
        return self._node(tree, self._subvolumes.get(tree).root)

    def _node(self, tree: int, number: int) -> Node:
        item = self._subvolumes.get(tree).tree.get((number, _INODE, 0))
        if item is None:
            raise Damaged(f"btrfs's tree {tree} has no inode {number}")
        mode = u32(item, 52) & 0xF000
        kind = _KINDS.get(mode, Kind.OTHER)
        if (kind is Kind.OTHER and mode not in _OTHERS) or not u32(item, 40):
            raise Damaged(f"inode {number} of btrfs is named but not in use")
        size, modified = u64(item, 16), u64(item, 136)
        if size >> 63:
            raise Damaged(f"inode {number} of btrfs has a size beyond any file")
        modified -= (modified >> 63) << 64
        return Node(kind, size, (tree, number), modified)


def _check(node: Node, kind: Kind) -> None:
    if node.kind is not kind:
        raise Damaged(f"inode {node.key[1]} of btrfs is no {kind.value}")


def _warnings(superblock: Superblock) -> Iterator[str]:
    if superblock.log:
        yield "its log was not replayed: the last changes before it stopped may be missing"
    if superblock.copied:
        yield "its superblock is broken; a mirror of it was read"
