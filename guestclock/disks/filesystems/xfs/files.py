"""The file system: inodes as nodes, folders looked up, files opened."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.fields import be32, be64, part
from guestclock.disks.filesystems.interface import Kind, Node
from guestclock.disks.filesystems.mapped import Mapped
from guestclock.disks.filesystems.xfs.folder import END, INDEX, block_entries, short_entries
from guestclock.disks.filesystems.xfs.fork import Fork
from guestclock.disks.filesystems.xfs.index import look_up
from guestclock.disks.filesystems.xfs.inode import Form, Inode, read_inode
from guestclock.disks.filesystems.xfs.log import is_clean
from guestclock.disks.filesystems.xfs.superblock import Superblock, read_superblock
from guestclock.disks.problem import Damaged, DiskProblem
from guestclock.disks.source import Source

_LONGEST_LINK = 1024
_LINK_HEADER = 56


def mount(source: Source, budget: Budget) -> XfsFiles | None:
    """The XFS on a volume, None where there is none. Raises DiskProblem."""
    superblock = read_superblock(source)
    if superblock is None:
        return None
    files = XfsFiles(source, superblock, budget)
    if files.root().kind is not Kind.FOLDER:
        raise Damaged("xfs's root is no folder")
    return files


class XfsFiles:
    """An XFS; the key of its nodes is the number of the inode."""

    name = "xfs"

    def __init__(self, volume: Source, superblock: Superblock, budget: Budget) -> None:
        self.label = superblock.label
        self.warnings = tuple(_warnings(volume, superblock))
        self._volume = volume
        self._superblock = superblock
        self._budget = budget

    def root(self) -> Node:
        """The folder that all paths start from. Raises DiskProblem."""
        return self._node(self._superblock.root)

    def lookup(self, folder: Node, name: str) -> Node | None:
        """What a folder has under a name; in any ASCII case where the volume was made so.

        Raises DiskProblem.
        """
        inode = self._folder(folder)
        try:
            wanted = name.encode()
        except UnicodeEncodeError:
            return None
        if inode.form != Form.LOCAL and not self._superblock.folded:
            number = look_up(self._blocks(inode), self._superblock, inode, wanted)
            return None if number is None else self._node(number)
        for entry, number in self._all(inode):
            if entry == wanted or (self._superblock.folded and entry.lower() == wanted.lower()):
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
        if inode.form == Form.LOCAL:
            text = part(inode.fork, 0, inode.size)
        elif self._superblock.version == 5:
            text = self._signed_link(inode)
        else:
            text = self._content(inode).read_at(0, inode.size)
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
        return read_inode(self._volume, self._superblock, node.key)

    def _folder(self, node: Node) -> Inode:
        inode = self._inode(node)
        if inode.kind is not Kind.FOLDER:
            raise Damaged(f"inode {inode.number} is no folder")
        return inode

    def _content(self, inode: Inode) -> Source:
        fork = Fork(self._volume, self._superblock, inode)
        return Mapped(self._volume, inode.size, fork.find, self._budget)

    def _blocks(self, inode: Inode) -> Source:
        fork = Fork(self._volume, self._superblock, inode)
        return Mapped(self._volume, END, fork.find, self._budget)

    def _all(self, inode: Inode) -> Iterator[tuple[bytes, int]]:
        if inode.form == Form.LOCAL:
            yield from short_entries(inode, self._superblock)
            return
        fork = Fork(self._volume, self._superblock, inode)
        content = Mapped(self._volume, END, fork.find, self._budget)
        size = self._superblock.folder_block
        at = 0
        while at < min(inode.size, INDEX):
            self._budget.tick()
            start, length = fork.find(at)
            if start is None:
                # A block that lost its last name is given back.
                at += -(-length // size) * size
                continue
            yield from block_entries(content.read_at(at, size), self._superblock, inode)
            at += size

    def _signed_link(self, inode: Inode) -> bytes:
        """A link outside its inode on version 5: each extent of it begins with a header."""
        fork = Fork(self._volume, self._superblock, inode)
        text = b""
        for _, start, count, _ in fork.extents():
            at = self._superblock.place(start, count)
            header = self._volume.read_at(at, _LINK_HEADER)
            length = be32(header, 8)
            sound = (
                header[:4] == b"XSLM"
                and be32(header, 4) == len(text)
                and part(header, 16, 16) == self._superblock.uuid
                and be64(header, 32) == inode.number
                and length <= min(count * self._superblock.block - _LINK_HEADER, _LONGEST_LINK)
            )
            if not sound:
                raise Damaged(f"the link of inode {inode.number} has a wrong header")
            text += self._volume.read_at(at + _LINK_HEADER, length)
        return part(text, 0, inode.size)


def _warnings(volume: Source, superblock: Superblock) -> Iterator[str]:
    if superblock.repair_needed:
        yield "it is marked as in need of repair"
    if not superblock.log_start:
        yield "its log is on another device: the last changes may be missing"
        return
    try:
        clean = is_clean(volume, superblock) and not superblock.replay_needed
    except DiskProblem:
        clean = False
    if not clean:
        yield "its log was not replayed: the last changes before it stopped may be missing"
