"""Trees: items in the order of their keys, found by descent."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import pairwise
from struct import Struct
from typing import NamedTuple, TypeAlias

from guestclock.disks.fields import part, u8, u32, u64
from guestclock.disks.filesystems.btrfs.superblock import Superblock, Top
from guestclock.disks.problem import Damaged

Key: TypeAlias = tuple[int, int, int]
"""The object's number, the type of the item, and an offset whose meaning the type decides."""

LAST = (1 << 64) - 1
"""The largest offset."""

_HEADER = 101
_ITEM = Struct("<QBQII")
_POINTER = Struct("<QBQQQ")
_DEEPEST = 7


class TreeNode(NamedTuple):
    """A node: its keys, and for each where the data or the node below it are.

    Of a leaf, `below` are the places of the data in it and their lengths; of others, the logical
    addresses of nodes and their generations.
    """

    level: int
    keys: list[Key]
    below: list[tuple[int, int]]
    data: bytes


ReadNode: TypeAlias = Callable[[Top], TreeNode]


def parse_node(data: bytes, top: Top, superblock: Superblock) -> TreeNode:
    """A node, once it is the one that was asked for. Raises Damaged.

    Its checksum is not looked at, which would cost more than all else; its address, file
    system, level and generation are.
    """
    sound = (
        data[0x20:0x30] == superblock.uuid
        and u64(data, 0x30) == top.address
        and u64(data, 0x50) == top.generation
        and u8(data, 0x64) == top.level
        and top.level <= _DEEPEST
    )
    if not sound:
        raise Damaged(f"another node of btrfs lies at {top.address}")
    layout = _POINTER if top.level else _ITEM
    count = u32(data, 0x60)
    if _HEADER + count * layout.size > len(data):
        raise Damaged(f"a node of btrfs has {count} items")
    rows = list(layout.iter_unpack(data[_HEADER : _HEADER + count * layout.size]))
    keys: list[Key] = [(row[0], row[1], row[2]) for row in rows]
    if any(one >= other for one, other in pairwise(keys)):
        raise Damaged("the items of a node of btrfs are out of order")
    return TreeNode(top.level, keys, [(row[3], row[4]) for row in rows], data)


class BTree:
    """One tree, whose nodes come from `read`."""

    def __init__(self, read: ReadNode, top: Top) -> None:
        self._read = read
        self._top = top

    def get(self, key: Key) -> bytes | None:
        """The data of the item with that key, None where there is none. Raises DiskProblem."""
        found = self.at_most(key)
        return found[1] if found and found[0] == key else None

    def at_most(self, key: Key) -> tuple[Key, bytes] | None:
        """The last item whose key is not beyond that one, None if none. Raises DiskProblem."""
        node = self._read(self._top)
        while True:
            index = bisect_right(node.keys, key) - 1
            if index < 0:
                # The key above a node is its first: there is nothing further left.
                return None
            if not node.level:
                return node.keys[index], _item(node, index)
            node = self._below(node, index)

    def after(self, key: Key) -> Iterator[tuple[Key, bytes]]:
        """All items from that key on, in order. Raises DiskProblem."""
        last: Key | None = None
        for found, data in self._walk(self._read(self._top), key):
            if last is not None and found <= last:
                raise Damaged("the items of a tree of btrfs are out of order")
            last = found
            yield found, data

    def _walk(self, node: TreeNode, key: Key) -> Iterator[tuple[Key, bytes]]:
        if not node.level:
            for index in range(bisect_left(node.keys, key), len(node.keys)):
                yield node.keys[index], _item(node, index)
            return
        for index in range(max(bisect_right(node.keys, key) - 1, 0), len(node.keys)):
            below = self._below(node, index)
            if not below.keys:
                raise Damaged("a tree of btrfs has an empty node")
            yield from self._walk(below, key)

    def _below(self, node: TreeNode, index: int) -> TreeNode:
        address, generation = node.below[index]
        return self._read(Top(address, node.level - 1, generation))


def _item(node: TreeNode, index: int) -> bytes:
    at, size = node.below[index]
    return part(node.data, _HEADER + at, size)
