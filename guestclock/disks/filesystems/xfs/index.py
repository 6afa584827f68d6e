"""The index of a folder: from the hash of a name to the places where it can stand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from guestclock.disks.fields import be16, be32, be64, part
from guestclock.disks.filesystems.xfs.folder import INDEX, check_block, entry, index_at_end
from guestclock.disks.filesystems.xfs.inode import Inode
from guestclock.disks.filesystems.xfs.superblock import Superblock
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source

_LEAVES = ((0xD2F1, 0xD2FF), (0x3DF1, 0x3DFF))
_NODE = (0xFEBE, 0x3EBE)
_DEEPEST = 5
_MOST_LEAVES = 1024
_LONGEST = 8 + 1 + 255 + 1 + 2 + 7


def name_hash(name: bytes) -> int:
    """The hash of a name, 32 bits."""
    value = 0
    whole = len(name) - len(name) % 4
    for at in range(0, whole, 4):
        one, two, three, four = name[at : at + 4]
        value = one << 21 ^ two << 14 ^ three << 7 ^ four ^ _turned(value, 28)
    rest = name[whole:]
    if not rest:
        return value
    mixed = 0
    for byte in rest:
        mixed = mixed << 7 ^ byte
    return mixed ^ _turned(value, 7 * len(rest))


def _turned(value: int, count: int) -> int:
    return (value << count | value >> 32 - count) & 0xFFFFFFFF


def look_up(content: Source, superblock: Superblock, inode: Inode, name: bytes) -> int | None:
    """The inode of a name in a folder of blocks, None where it has none. Raises DiskProblem."""
    size = superblock.folder_block
    wanted = name_hash(name)
    if check_block(content.read_at(0, 64), superblock, inode):
        data = content.read_at(0, size)
        start, count = index_at_end(data)
        places = _places(data, start, count, wanted)[0]
    else:
        places = list(_indexed(content, superblock, inode, wanted))
    for place in places:
        first = place - place % size
        if place >= INDEX:
            raise Damaged("the index of a folder names a place beyond its names")
        check_block(content.read_at(first, 64), superblock, inode)
        data = content.read_at(place, min(_LONGEST, first + size - place))
        found, number, _ = entry(data, 0, superblock)
        if found == name:
            return number
    return None


def _places(data: bytes, start: int, count: int, wanted: int) -> tuple[list[int], bool]:
    """The places of a hash, and whether more of it may stand in the next leaf."""
    if start + count * 8 > len(data):
        raise Damaged(f"a leaf of a folder's index has {count} entries")
    hashes = [be32(data, start + number * 8) for number in range(count)]
    number = bisect_left(hashes, wanted)
    found = []
    while number < count and hashes[number] == wanted:
        place = be32(data, start + number * 8 + 4)
        # Nought is an entry that was taken away.
        if place:
            found.append(place * 8)
        number += 1
    return found, number == count


def _indexed(content: Source, superblock: Superblock, inode: Inode, wanted: int) -> Iterator[int]:
    new = superblock.version == 5
    start = 64 if new else 16
    data = _index_block(content, superblock, inode, INDEX >> superblock.block_log)
    for _ in range(_DEEPEST):
        if be16(data, 8) != _NODE[new]:
            break
        count = be16(data, 56 if new else 12)
        if not count or start + count * 8 > len(data):
            raise Damaged(f"a node of a folder's index has {count} entries")
        hashes = [be32(data, start + number * 8) for number in range(count)]
        number = bisect_left(hashes, wanted)
        if number == count:
            return
        data = _index_block(content, superblock, inode, be32(data, start + number * 8 + 4))
    for _ in range(_MOST_LEAVES):
        if be16(data, 8) not in _LEAVES[new]:
            raise Damaged("a leaf of a folder's index has a wrong header")
        found, more = _places(data, start, be16(data, 56 if new else 12), wanted)
        yield from found
        following = be32(data, 0)
        if not more or not following:
            return
        data = _index_block(content, superblock, inode, following)
    raise Damaged("the leaves of a folder's index do not end")


def _index_block(content: Source, superblock: Superblock, inode: Inode, block: int) -> bytes:
    at = block << superblock.block_log
    if at < INDEX:
        raise Damaged("the index of a folder leads to its names")
    data = content.read_at(at, superblock.folder_block)
    if superblock.version == 5 and (
        part(data, 32, 16) != superblock.uuid or be64(data, 48) != inode.number
    ):
        raise Damaged(f"the index of the folder of inode {inode.number} is another's")
    return data
