"""The file system: inodes as nodes, folders looked up, files opened."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.ext.blockmap import BlockMap
from guestclock.disks.filesystems.ext.extents import Extents
from guestclock.disks.filesystems.ext.folder import block_entries
from guestclock.disks.filesystems.ext.htree import leaves
from guestclock.disks.filesystems.ext.inline import inline_data, inline_rest
from guestclock.disks.filesystems.ext.inode import (
    ENCRYPTED,
    EXTENTS,
    FOLDED,
    INDEXED,
    INLINE,
    ROOT,
    Inode,
    read_inode,
)
from guestclock.disks.filesystems.ext.superblock import (
    HAS_JOURNAL,
    RECOVER,
    Superblock,
    read_superblock,
)
from guestclock.disks.filesystems.interface import Kind, Node
from guestclock.disks.filesystems.mapped import Mapped
from guestclock.disks.problem import Damaged, Encrypted
from guestclock.disks.source import Memory, Source

_FAST_LINK = 60
_LONGEST_LINK = 4096
_INDEX_FROM = 2
"""Blocks of a folder from which its index saves a read."""


def mount(source: Source, budget: Budget) -> ExtFiles | None:
    """The ext2, ext3 or ext4 on a volume, None where there is none. Raises DiskProblem."""
    superblock = read_superblock(source)
    if superblock is None:
        return None
    files = ExtFiles(source, superblock, budget)
    if files.root().kind is not Kind.FOLDER:
        raise Damaged("ext's root is no folder")
    return files


class ExtFiles:
    """An ext file system; the key of its nodes is the number of the inode."""

    def __init__(self, volume: Source, superblock: Superblock, budget: Budget) -> None:
        self.name = superblock.name
        self.label = superblock.label
        self.warnings = tuple(_warnings(superblock))
        self._volume = volume
        self._superblock = superblock
        self._budget = budget

    def root(self) -> Node:
        """The folder that all paths start from. Raises DiskProblem."""
        return self._node(ROOT)

    def lookup(self, folder: Node, name: str) -> Node | None:
        """What a folder has under a name; in any case where the folder is so.

        Raises DiskProblem.
        """
        inode = self._folder(folder)
        try:
            wanted = name.encode()
        except UnicodeEncodeError:
            return None
        if inode.flags & FOLDED:
            return self._lookup_folded(inode, name)
        for entry, number in self._candidates(inode, wanted):
            if entry == wanted:
                return self._node(number)
        return None

    def entries(self, folder: Node) -> Iterator[tuple[str, Node]]:
        """All that a folder has, in the order of its blocks. Raises DiskProblem."""
        for name, number in self._all(self._folder(folder)):
            yield name.decode("utf-8", "replace"), self._node(number)

    def target(self, link: Node) -> str:
        """The text of a symbolic link. Raises DiskProblem."""
        inode = self._inode(link)
        if inode.kind is not Kind.LINK or not 0 < inode.size <= _LONGEST_LINK:
            raise Damaged(f"inode {inode.number} is no symbolic link of a possible length")
        if inode.flags & (INLINE | EXTENTS) or inode.size >= _FAST_LINK:
            text = self._content(inode).read_at(0, inode.size)
        else:
            text = inode.map[: inode.size]
        return text.decode("utf-8", "replace")

    def open(self, file: Node) -> Source:
        """The contents of a file. Raises DiskProblem."""
        inode = self._inode(file)
        if inode.kind is not Kind.FILE:
            raise Damaged(f"inode {inode.number} is no file")
        return self._content(inode)

    def _node(self, number: int) -> Node:
        inode = read_inode(self._volume, self._superblock, number)
        return Node(inode.kind, inode.size, number, inode.modified)

    def _inode(self, node: Node) -> Inode:
        inode = read_inode(self._volume, self._superblock, node.key)
        if inode.flags & ENCRYPTED:
            raise Encrypted(f"inode {inode.number} of {self.name} is encrypted (fscrypt)")
        return inode

    def _folder(self, node: Node) -> Inode:
        inode = self._inode(node)
        if inode.kind is not Kind.FOLDER:
            raise Damaged(f"inode {inode.number} is no folder")
        if inode.size > self._superblock.blocks * self._superblock.block:
            raise Damaged(f"the folder of inode {inode.number} is larger than the volume")
        return inode

    def _content(self, inode: Inode) -> Source:
        if inode.flags & INLINE:
            return Memory(inline_data(inode))
        layout = Extents if inode.flags & EXTENTS else BlockMap
        find_block = layout(self._volume, self._superblock, inode.map).find
        size = self._superblock.block

        def find(offset: int) -> tuple[int | None, int]:
            block, past = divmod(offset, size)
            start, count = find_block(block)
            return None if start is None else start * size + past, count * size - past

        return Mapped(self._volume, inode.size, find, self._budget)

    def _candidates(self, inode: Inode, name: bytes) -> Iterator[tuple[bytes, int]]:
        size = self._superblock.block
        if not inode.flags & INDEXED or inode.flags & INLINE or inode.size <= _INDEX_FROM * size:
            yield from self._all(inode)
            return
        content = self._content(inode)
        found = leaves(lambda number: content.read_at(number * size, size), self._superblock, name)
        if found is None:
            yield from self._all(inode)
            return
        for block in found:
            yield from block_entries(block, self._superblock)

    def _all(self, inode: Inode) -> Iterator[tuple[bytes, int]]:
        if inode.flags & INLINE:
            # The first four bytes are the folder above.
            yield from block_entries(inode.map[4:], self._superblock)
            yield from block_entries(inline_rest(inode), self._superblock)
            return
        size = self._superblock.block
        content = self._content(inode)
        for at in range(0, inode.size - inode.size % size, size):
            yield from block_entries(content.read_at(at, size), self._superblock)

    def _lookup_folded(self, inode: Inode, name: str) -> Node | None:
        from unicodedata import normalize

        def fold(text: str) -> str:
            return normalize("NFD", normalize("NFD", text).casefold())

        wanted = fold(name)
        for entry, number in self._all(inode):
            if fold(entry.decode("utf-8", "replace")) == wanted:
                return self._node(number)
        return None


def _warnings(superblock: Superblock) -> Iterator[str]:
    if superblock.incompatible & RECOVER:
        yield "its journal was not replayed: the last changes before it stopped may be missing"
    elif not superblock.compatible & HAS_JOURNAL and not superblock.clean:
        yield "it was not unmounted cleanly: the last changes may be missing"
    if superblock.errors:
        yield "it is marked as having errors"
    if superblock.copy_of:
        yield "its superblock is broken; a copy of it was read"
