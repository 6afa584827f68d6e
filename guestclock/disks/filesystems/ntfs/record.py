"""Records of the MFT and what they are made of: attributes, in the record or outside."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from guestclock.disks.fields import part, u16, u32, u64, unpack
from guestclock.disks.problem import Damaged

_STRIDE = 512
# Type, length, whether outside, length and place of its name, flags.
_ATTRIBUTE = Struct("<IIBBHH")
_END = 0xFFFFFFFF
_NUMBER = (1 << 48) - 1
_IN_USE, _FOLDER = 1, 2

STANDARD, LIST, FILE_NAME, VOLUME_NAME = 0x10, 0x20, 0x30, 0x60
VOLUME, DATA, ROOT, ALLOCATION, REPARSE = 0x70, 0x80, 0x90, 0xA0, 0xC0
COMPRESSED, ENCRYPTED = 0x0001, 0x4000


def fixed(data: bytes, magic: bytes) -> bytes:
    """A record with the ends of its sectors put back.

    Each sector ends in the same number if all were written together. Raises Damaged where not.
    """
    if not data.startswith(magic):
        raise Damaged(f"NTFS: {data[:4]!r} where a record {magic.decode()} should be")
    at, count = u16(data, 4), u16(data, 6)
    if count != len(data) // _STRIDE + 1 or at % 2:
        raise Damaged(f"NTFS: a record of {count - 1} sectors")
    sums = part(data, at, 2 * count)
    found = bytearray(data)
    for number in range(1, count):
        end = number * _STRIDE
        if data[end - 2 : end] != sums[:2]:
            raise Damaged("NTFS: a record was not written whole")
        found[end - 2 : end] = sums[2 * number : 2 * number + 2]
    return bytes(found)


class Attribute(NamedTuple):
    """An attribute; `raw` begins with its header."""

    type: int
    outside: bool
    name: str
    flags: int
    raw: bytes

    def value(self) -> bytes:
        """The value of one inside its record. Raises Damaged for one outside."""
        if self.outside:
            raise Damaged(f"NTFS: the attribute {self.type:#x} is outside its record")
        return part(self.raw, u16(self.raw, 20), u32(self.raw, 16))

    @property
    def first(self) -> int:
        """The first of its clusters that this piece has, 0 for one inside."""
        return u64(self.raw, 16) if self.outside else 0


class Record:
    """A record of the MFT."""

    def __init__(self, number: int, data: bytes) -> None:
        self.number = number
        self.sequence = u16(data, 16)
        flags = u16(data, 22)
        self.folder = bool(flags & _FOLDER)
        if not flags & _IN_USE:
            raise Damaged(f"NTFS: record {number} is not in use")
        self.attributes = tuple(_attributes(data))

    def all(self, type: int, name: str = "") -> Iterator[Attribute]:
        """Its attributes of a type and name."""
        return (one for one in self.attributes if one.type == type and one.name == name)

    def first(self, type: int, name: str = "") -> Attribute | None:
        """The first of them, None if there are none."""
        return next(self.all(type, name), None)


def _attributes(data: bytes) -> Iterator[Attribute]:
    at = u16(data, 20)
    while True:
        type = u32(data, at)
        if type == _END:
            return
        _, length, outside, name_length, name_at, flags = unpack(_ATTRIBUTE, data, at)
        if length < 24 or length % 8:
            raise Damaged(f"NTFS: an attribute of {length} bytes")
        raw = part(data, at, length)
        name = part(raw, name_at, 2 * name_length).decode("utf-16-le", "replace")
        yield Attribute(type, bool(outside), name, flags, raw)
        at += length


def number_of(reference: int) -> int:
    """The record that a reference means."""
    return reference & _NUMBER


def sequence_of(reference: int) -> int:
    """How often that record was given away when the reference was made; 0 fits all."""
    return reference >> 48
