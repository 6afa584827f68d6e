"""Linux software RAID: a member of a mirror holds the whole volume (drivers/md/md.c of Linux).

Superblocks of version 1.1 and 1.2 are at the beginning, 1.0 and 0.90 at the end, where they are
looked for only in a partition whose type says RAID: the volume itself begins with its first byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import unpack
from guestclock.disks.problem import Damaged, UnreadVolume
from guestclock.disks.source import Source, Window
from guestclock.disks.volumes.interface import Volume

PARTITION_TYPES = frozenset(("fd", "a19d880f-05fc-4d3b-a006-743f0f84911e"))

_MAGIC = b"\xfc\x4e\x2b\xa9"
# Features, name, level, used sectors of a member; where its data begin and how many sectors they
# have; its number; up to where the array is in step; the checksum, and numbers of roles.
_ONE = Struct("<8xI20x32x8xi4xQ40xQQ16xI44xQII")
_ROLES = 256
_UNSAFE = 0x02 | 0x04
"""MD_FEATURE_RECOVERY_OFFSET and MD_FEATURE_RESHAPE_ACTIVE."""
_IN_STEP = (1 << 64) - 1
_NO_MEMBER = 0xFFFE
_SECTOR = 512
# Version, level; the state.
_OLD = Struct("<4xII16xi100xI")
_CLEAN = 0x01
_KIB64 = 64 << 10


class _Member(NamedTuple):
    name: str
    level: int
    start: int
    size: int
    safe: bool


def split(disk: Source, budget: Budget) -> Iterator[Volume] | None:
    """The volume of which this is a mirror's member, None where it is a member of nothing.

    Raises UnreadVolume where it is one of another array, or where the members may differ.
    """
    return _volume(disk, (0, 4096))


def split_at_end(disk: Source, budget: Budget) -> Iterator[Volume] | None:
    """The same, by a superblock at the end of a partition whose type says RAID."""
    sectors = disk.size // _SECTOR
    found = _volume(disk, (((sectors - 16) & ~7) * _SECTOR,))
    if found is not None:
        return found
    at = disk.size // _KIB64 * _KIB64 - _KIB64
    member = _old_member(disk, at)
    return None if member is None else _mirrored(disk, member)


def _volume(disk: Source, places: tuple[int, ...]) -> Iterator[Volume] | None:
    for at in places:
        member = _member(disk, at)
        if member is not None:
            return _mirrored(disk, member)
    return None


def _mirrored(disk: Source, member: _Member) -> Iterator[Volume]:
    place = f"md {member.name}" if member.name else "md"
    if member.level != 1:
        kind = f"RAID{member.level}" if member.level >= 0 else "linear"
        raise UnreadVolume(f"{place} is {kind}: only a mirror's member (RAID1) is read")
    if not member.safe:
        raise UnreadVolume(f"{place} is a mirror out of step: its members may differ")
    return iter([Volume(place, Window(disk, member.start, member.size), member.name)])


def _member(disk: Source, at: int) -> _Member | None:
    if at < 0 or disk.size < at + 4096 or disk.read_at(at, 4) != _MAGIC:
        return None
    block = disk.read_at(at, _SECTOR)
    fields = unpack(_ONE, block)
    features, level, used, start, size, number, in_step, total, roles = fields
    if roles > 384:
        raise Damaged(f"md: {roles} roles")
    block = disk.read_at(at, _ROLES + 2 * roles)
    if _sum(block[:216] + bytes(4) + block[220:]) != total:
        raise Damaged("md: the checksum of its superblock is wrong")
    role = block[_ROLES + 2 * number : _ROLES + 2 * number + 2] if number < roles else b"\xff\xff"
    safe = (
        not features & _UNSAFE
        and in_step == _IN_STEP
        and int.from_bytes(role, "little") < _NO_MEMBER
    )
    name = block[32:64].split(b"\0", 1)[0].decode("utf-8", "replace")
    return _Member(name, level, start * _SECTOR, min(used, size) * _SECTOR, safe)


def _old_member(disk: Source, at: int) -> _Member | None:
    if at < 0 or disk.read_at(at, 4) != _MAGIC:
        return None
    version, minor, level, state = unpack(_OLD, disk.read_at(at, _SECTOR))
    if (version, minor) != (0, 90):
        raise Damaged(f"md: a superblock of version {version}.{minor} where 0.90 is")
    return _Member("", level, 0, at, bool(state & _CLEAN))


def _sum(block: bytes) -> int:
    """The sum of its words, and what was carried."""
    whole = len(block) // 4 * 4
    words = (block[at : at + 4] for at in range(0, whole, 4))
    total = sum(int.from_bytes(word, "little") for word in words)
    total += int.from_bytes(block[whole:], "little")
    return (total & 0xFFFFFFFF) + (total >> 32) & 0xFFFFFFFF
