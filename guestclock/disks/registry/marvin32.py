"""Marvin32, the keyed hash that the registry's transaction logs are sealed with.

Rule: Niels Ferguson's US patent 8,555,067; the seed: the regf specification, "Log entries".
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import iter_unpack

LOG_SEED = 0x82EF4D887A4E55C5
"""The seed of every transaction log; its low half begins as the low half of the state."""

_MASK = 0xFFFFFFFF


def marvin32(data: bytes, seed: int = LOG_SEED) -> int:
    """The hash as a 64-bit number, which a log stores with the low byte first."""
    return marvin32_of((data,), seed)


def marvin32_of(parts: Iterable[bytes], seed: int = LOG_SEED) -> int:
    """The same of bytes that come in parts, which need not be whole words."""
    low, high = seed & _MASK, seed >> 32
    rest = b""
    for part in parts:
        rest += part
        whole = len(rest) & ~3
        low, high = _mixed(low, high, rest[:whole])
        rest = rest[whole:]
    # The end is marked by one byte 0x80, filled up to a word; a round without input follows.
    low, high = _mixed(low, high, (rest + b"\x80").ljust(4, b"\0") + bytes(4))
    return high << 32 | low


def _mixed(low: int, high: int, words: bytes) -> tuple[int, int]:
    for (word,) in iter_unpack("<I", words):
        low = (low + word) & _MASK
        high ^= low
        low = ((low << 20 | low >> 12) + high) & _MASK
        high = (high << 9 | high >> 23) & _MASK ^ low
        low = ((low << 27 | low >> 5) + high) & _MASK
        high = (high << 19 | high >> 13) & _MASK
    return low, high
