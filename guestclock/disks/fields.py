"""Numbers at a place in bytes that nobody trusts: beyond the end is `Damaged`, never a crash."""

from __future__ import annotations

import struct
from struct import Struct

from guestclock.disks.problem import Damaged

_U16, _U32, _U64 = Struct("<H"), Struct("<I"), Struct("<Q")
_BE16, _BE32, _BE64 = Struct(">H"), Struct(">I"), Struct(">Q")


def unpack(layout: Struct, data: bytes, at: int = 0) -> tuple[int, ...]:
    """The fields of a structure at `at`, all of them integers. Raises Damaged."""
    if at < 0:
        raise Damaged(f"a structure at {at} lies before the bytes it should be in")
    try:
        return layout.unpack_from(data, at)
    except struct.error:
        raise Damaged(f"a structure at {at} lies beyond the {len(data)} bytes at hand") from None


def u8(data: bytes, at: int) -> int:
    """One byte. Raises Damaged."""
    if not 0 <= at < len(data):
        raise Damaged(f"a byte at {at} lies beyond the {len(data)} bytes at hand")
    return data[at]


def u16(data: bytes, at: int) -> int:
    """Two bytes, the low one first. Raises Damaged."""
    return unpack(_U16, data, at)[0]


def u32(data: bytes, at: int) -> int:
    """Four bytes, the low one first. Raises Damaged."""
    return unpack(_U32, data, at)[0]


def u64(data: bytes, at: int) -> int:
    """Eight bytes, the low one first. Raises Damaged."""
    return unpack(_U64, data, at)[0]


def be16(data: bytes, at: int) -> int:
    """Two bytes, the high one first. Raises Damaged."""
    return unpack(_BE16, data, at)[0]


def be32(data: bytes, at: int) -> int:
    """Four bytes, the high one first. Raises Damaged."""
    return unpack(_BE32, data, at)[0]


def be64(data: bytes, at: int) -> int:
    """Eight bytes, the high one first. Raises Damaged."""
    return unpack(_BE64, data, at)[0]


def part(data: bytes, at: int, count: int) -> bytes:
    """Exactly `count` bytes at `at`. Raises Damaged."""
    if at < 0 or count < 0 or at + count > len(data):
        raise Damaged(f"{count} bytes at {at} lie beyond the {len(data)} at hand")
    return data[at : at + count]


def guid(data: bytes, at: int = 0) -> str:
    """A GUID as people write it, in lower case: its first three fields have the low byte first.

    Raises Damaged.
    """
    raw = part(data, at, 16)
    fields = (raw[3::-1], raw[5:3:-1], raw[7:5:-1], raw[8:10], raw[10:])
    return "-".join(field.hex() for field in fields)
