"""UFS1 and UFS2, the file systems of the BSDs, in the byte order of the PC (sys/ufs of FreeBSD)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import part, u8, u16, u32, u64
from guestclock.disks.filesystems.interface import FileSystem, Kind, Node
from guestclock.disks.filesystems.mapped import Mapped
from guestclock.disks.problem import Damaged, OverLimit
from guestclock.disks.source import Source

# Where a superblock may be, in the order in which the BSDs look.
PLACES = (64 << 10, 8 << 10, 256 << 10)
MAGIC_AT = 1372
_UFS1, _UFS2 = 0x00011954, 0x19540119
_SIZE = 1376
_ROOT = 2
_DIRECT = 12
_LARGEST_FOLDER = 16 << 20
_KINDS = {0o040000: Kind.FOLDER, 0o100000: Kind.FILE, 0o120000: Kind.LINK}


class _Layout(NamedTuple):
    """Sizes in bytes; groups are counted in fragments."""

    second: bool
    block: int
    fragment: int
    inodes: int
    inodes_at: int
    group: int
    groups: int
    shift: int
    mask: int

    @property
    def inode(self) -> int:
        return 256 if self.second else 128

    @property
    def pointer(self) -> int:
        return 8 if self.second else 4


def mount(volume: Source, budget: Budget) -> FileSystem | None:
    """The UFS on a volume, None where there is none. Raises Damaged."""
    for at in PLACES:
        if volume.size < at + _SIZE:
            continue
        data = volume.read_at(at, _SIZE)
        if u32(data, MAGIC_AT) in (_UFS1, _UFS2):
            return _Ufs(volume, _layout(data), budget)
    return None


def _layout(data: bytes) -> _Layout:
    second = u32(data, MAGIC_AT) == _UFS2
    found = _Layout(
        second,
        block=u32(data, 48),
        fragment=u32(data, 52),
        inodes=u32(data, 184),
        inodes_at=u32(data, 16),
        group=u32(data, 188),
        groups=u32(data, 44),
        shift=0 if second else u32(data, 24),
        mask=0xFFFFFFFF if second else u32(data, 28),
    )
    sizes = (found.block, found.fragment)
    if any(size & size - 1 or not 512 <= size <= 65536 for size in sizes):
        raise Damaged(f"UFS: blocks of {found.block} bytes, fragments of {found.fragment}")
    if not (found.block >= found.fragment and found.inodes and found.group and found.groups):
        raise Damaged("UFS: its superblock lacks a size")
    return found


class _Ufs:
    label = ""
    warnings: tuple[str, ...] = ()

    def __init__(self, volume: Source, layout: _Layout, budget: Budget) -> None:
        self._volume = volume
        self._layout = layout
        self._budget = budget
        self.name = "ufs2" if layout.second else "ufs1"

    def root(self) -> Node:
        """The root folder."""
        return self._node(_ROOT)

    def lookup(self, folder: Node, name: str) -> Node | None:
        """What a folder has under a name."""
        wanted = name.encode("utf-8", "surrogateescape")
        for entry, number in self._listed(folder):
            if entry == wanted:
                return self._node(number)
        return None

    def entries(self, folder: Node) -> Iterator[tuple[str, Node]]:
        """All that a folder has."""
        for entry, number in self._listed(folder):
            if entry not in (b".", b".."):
                yield entry.decode("utf-8", "surrogateescape"), self._node(number)

    def target(self, link: Node) -> str:
        """The text of a link: in its inode where it is short."""
        inode = self._inode(link.key)
        at, room = (112, 120) if self._layout.second else (40, 60)
        if link.size < room:
            raw = part(inode, at, link.size)
        elif link.size <= self._layout.block:
            raw = self._contents(link).read_at(0, link.size)
        else:
            raise Damaged(f"UFS: a link of {link.size} bytes")
        return raw.decode("utf-8", "surrogateescape")

    def open(self, file: Node) -> Source:
        """The contents of a file."""
        return self._contents(file)

    def _inode(self, number: int) -> bytes:
        layout = self._layout
        group, within = divmod(number, layout.inodes)
        if group >= layout.groups:
            raise Damaged(f"UFS: there is no inode {number}")
        # UFS1 moved each group's own data a little, so that they are not all on one platter.
        base = layout.group * group + layout.shift * (group & ~layout.mask & 0xFFFFFFFF)
        at = (base + layout.inodes_at) * layout.fragment + within * layout.inode
        return self._volume.read_at(at, layout.inode)

    def _node(self, number: int) -> Node:
        inode = self._inode(number)
        second = self._layout.second
        kind = _KINDS.get(u16(inode, 0) & 0o170000, Kind.OTHER)
        modified = u64(inode, 40) if second else u32(inode, 24)
        return Node(kind, u64(inode, 16 if second else 8), number, modified)

    def _listed(self, folder: Node) -> Iterator[tuple[bytes, int]]:
        if folder.size > _LARGEST_FOLDER:
            raise OverLimit(f"UFS: a folder of {folder.size} bytes")
        contents = self._contents(folder)
        # No entry goes beyond a block of 512 bytes.
        for start in range(0, folder.size, 512):
            self._budget.tick()
            block = contents.read_at(start, min(512, folder.size - start))
            at = 0
            while at < len(block):
                number, size = u32(block, at), u16(block, at + 4)
                if size < 8 or size % 4:
                    raise Damaged(f"UFS: an entry of a folder of {size} bytes")
                if number:
                    yield part(block, at + 8, u8(block, at + 7)), number
                at += size

    def _contents(self, node: Node) -> Source:
        inode = self._inode(node.key)
        return Mapped(self._volume, node.size, _Map(self, inode).find, self._budget)

    def pointer(self, at: int) -> int:
        """The pointer at a place of the volume, in fragments."""
        return self.number(self._volume.read_at(at, self._layout.pointer), 0)

    def number(self, data: bytes, at: int) -> int:
        """A pointer in bytes at hand."""
        return u64(data, at) if self._layout.second else u32(data, at)

    @property
    def layout(self) -> _Layout:
        """Sizes and places."""
        return self._layout


class _Map:
    """Where the blocks of one file are: twelve in its inode, the others by blocks of pointers."""

    def __init__(self, files: _Ufs, inode: bytes) -> None:
        self._files = files
        layout = files.layout
        at, each = (112 if layout.second else 40), layout.pointer
        self._direct = [files.number(inode, at + each * one) for one in range(_DIRECT)]
        at += each * _DIRECT
        self._indirect = [files.number(inode, at + each * one) for one in range(3)]

    def find(self, offset: int) -> tuple[int | None, int]:
        """Where a byte is, None in a hole, and how many follow in its block."""
        layout = self._files.layout
        number, within = divmod(offset, layout.block)
        place = self._block(number)
        left = layout.block - within
        return (None if place == 0 else place * layout.fragment + within), left

    def _block(self, number: int) -> int:
        if number < _DIRECT:
            return self._direct[number]
        number -= _DIRECT
        layout = self._files.layout
        each = layout.block // layout.pointer
        reach = 1
        for level, place in enumerate(self._indirect, 1):
            reach *= each
            if number < reach:
                return self._descend(place, level, number)
            number -= reach
        raise Damaged("UFS: a file is longer than its pointers reach")

    def _descend(self, place: int, level: int, number: int) -> int:
        layout = self._files.layout
        each = layout.block // layout.pointer
        while level and place:
            level -= 1
            index, number = divmod(number, each**level)
            place = self._files.pointer(place * layout.fragment + index * layout.pointer)
        return place
