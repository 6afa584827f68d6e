"""LZNT1, which NTFS compresses files with (MS-XCA, 2.5): chunks of 4096 bytes, each alone."""

from __future__ import annotations

from guestclock.disks.fields import part, u16
from guestclock.disks.problem import Damaged

_CHUNK = 4096


def decompress(data: bytes, size: int) -> bytes:
    """The first `size` bytes that `data` stands for; what lacks at its end is zero.

    Raises Damaged.
    """
    found = bytearray()
    at = 0
    while len(found) < size and at + 2 <= len(data):
        header = u16(data, at)
        if header == 0:
            break
        length = (header & 0xFFF) + 1
        chunk = part(data, at + 2, length)
        # A chunk that came out short is filled up: the next one begins at its own place.
        found.extend(bytes(-len(found) % _CHUNK))
        found.extend(_unpacked(chunk) if header & 0x8000 else chunk)
        at += 2 + length
    return bytes(found[:size]) + bytes(max(0, size - len(found)))


def _unpacked(chunk: bytes) -> bytearray:
    found = bytearray()
    at = 0
    while at < len(chunk):
        flags = chunk[at]
        at += 1
        for bit in range(8):
            if at >= len(chunk):
                break
            if flags >> bit & 1:
                _copy(found, u16(chunk, at))
                at += 2
            else:
                found.append(chunk[at])
                at += 1
        if len(found) > _CHUNK:
            raise Damaged("LZNT1: a chunk of more than 4096 bytes")
    return found


def _copy(found: bytearray, pair: int) -> None:
    """Repeats what is already there: the more there is, the more bits say how far back."""
    if not found:
        raise Damaged("LZNT1: a copy of nothing")
    distance_bits = max(4, (len(found) - 1).bit_length())
    length_bits = 16 - distance_bits
    distance = (pair >> length_bits) + 1
    length = (pair & (1 << length_bits) - 1) + 3
    if distance > len(found):
        raise Damaged("LZNT1: a copy from before the chunk")
    for _ in range(length):
        found.append(found[-distance])
