"""The logical space that all addresses are in: chunks of it, each somewhere on the device."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import u16, u64, unpack
from guestclock.disks.filesystems.btrfs.superblock import Superblock, Top
from guestclock.disks.filesystems.btrfs.tree import BTree, Key, TreeNode, parse_node
from guestclock.disks.problem import Damaged, UnreadFilesystem
from guestclock.disks.source import Source

_KEY = Struct("<QBQ")
_STRIPES, _STRIPE = 48, 32
_OBJECT, _CHUNK = 256, 228
_KEPT = 64

_PROFILES = 0x7F8
# Each stripe holds all of a chunk: DUP, RAID1 and its kin of three and four.
_WHOLE = 0x10 | 0x20 | 0x200 | 0x400
_NAMES = {0x8: "raid0", 0x40: "raid10", 0x80: "raid5", 0x100: "raid6"}


class Chunk(NamedTuple):
    """A piece of the logical space, and what its item says of it."""

    start: int
    size: int
    item: bytes


class Space:
    """The logical space of one file system."""

    def __init__(self, volume: Source, superblock: Superblock, budget: Budget) -> None:
        self._volume = volume
        self._superblock = superblock
        self._budget = budget
        self._system = _system_chunks(superblock.system_chunks)
        self._chunks: list[Chunk] = []
        self._tree = BTree(self._system_node, superblock.chunks)
        self._nodes: dict[Top, TreeNode] = {}

    def node(self, top: Top) -> TreeNode:
        """A node of a tree. Raises DiskProblem."""
        return self._node(top, self._place(top.address))

    def read(self, address: int, count: int) -> bytes:
        """Bytes at a logical address. Raises DiskProblem."""
        parts = []
        while count:
            self._budget.tick()
            place, length = self._place(address)
            length = min(length, count)
            parts.append(self._volume.read_at(place, length))
            address += length
            count -= length
        return b"".join(parts)

    def _system_node(self, top: Top) -> TreeNode:
        # The tree of chunks lies in chunks that the superblock has, or nothing could be found.
        chunk = _holding(self._system, top.address)
        if chunk is None:
            raise Damaged(f"btrfs's tree of chunks has a node at {top.address}, in no chunk")
        return self._node(top, self._on_device(chunk, top.address))

    def _node(self, top: Top, place: tuple[int, int]) -> TreeNode:
        self._budget.tick()
        if top in self._nodes:
            return self._nodes[top]
        at, length = place
        if length < self._superblock.node:
            raise Damaged(f"a node of btrfs at {top.address} lies across the end of its chunk")
        node = parse_node(self._volume.read_at(at, self._superblock.node), top, self._superblock)
        if len(self._nodes) >= _KEPT:
            self._nodes.clear()
        self._nodes[top] = node
        return node

    def _place(self, address: int) -> tuple[int, int]:
        """The byte of the device, and how many behind it are in the same chunk."""
        chunk = _holding(self._system, address) or _holding(self._chunks, address)
        if chunk is None:
            found = self._tree.at_most((_OBJECT, _CHUNK, address))
            if found is None or found[0][:2] != (_OBJECT, _CHUNK):
                raise Damaged(f"btrfs has no chunk for the address {address}")
            chunk = _chunk(*found)
            if address - chunk.start >= chunk.size:
                raise Damaged(f"btrfs has no chunk for the address {address}")
            self._chunks = [chunk, *self._chunks[: _KEPT - 1]]
        return self._on_device(chunk, address)

    def _on_device(self, chunk: Chunk, address: int) -> tuple[int, int]:
        kind, count = u64(chunk.item, 24), u16(chunk.item, 44)
        profile = kind & _PROFILES
        if count > 1 and profile not in (bit for bit in _bits(_WHOLE)):
            name = _NAMES.get(profile, f"a profile {profile:#x}")
            raise UnreadFilesystem(f"btrfs whose data are striped ({name}) is not read")
        for number in range(count):
            at = _STRIPES + number * _STRIPE
            if u64(chunk.item, at) == self._superblock.device:
                past = address - chunk.start
                return u64(chunk.item, at + 8) + past, chunk.size - past
        raise UnreadFilesystem(
            f"btrfs over {self._superblock.devices} devices is not read: "
            "a part that is needed lies on another one"
        )


def _bits(mask: int) -> list[int]:
    return [1 << number for number in range(mask.bit_length()) if mask >> number & 1]


def _holding(chunks: list[Chunk], address: int) -> Chunk | None:
    for chunk in chunks:
        if 0 <= address - chunk.start < chunk.size:
            return chunk
    return None


def _chunk(key: Key, item: bytes) -> Chunk:
    size, count = u64(item, 0), u16(item, 44)
    if not size or not count or _STRIPES + count * _STRIPE > len(item):
        raise Damaged(f"btrfs's chunk at {key[2]} has {count} stripes of {size} bytes")
    return Chunk(key[2], size, item)


def _system_chunks(data: bytes) -> list[Chunk]:
    found = []
    at = 0
    while at < len(data):
        first, kind, start = unpack(_KEY, data, at)
        if (first, kind) != (_OBJECT, _CHUNK):
            raise Damaged("btrfs's superblock has a system chunk with a wrong key")
        at += _KEY.size
        size = _STRIPES + u16(data, at + 44) * _STRIPE
        found.append(_chunk((first, kind, start), data[at : at + size]))
        at += size
    return found
