"""The hashes of names that order an indexed folder: legacy, half MD4 and TEA."""

from __future__ import annotations

from collections.abc import Callable

_MASK = 0xFFFFFFFF
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
LEGACY, HALF_MD4, TEA = 0, 1, 2


def name_hash(name: bytes, version: int, unsigned: bool, seed: bytes) -> int:
    """The hash of a name, its lowest bit 0, as the index has it.

    `version` is LEGACY, HALF_MD4 or TEA, `unsigned` how the machine that wrote the folder took
    its characters, `seed` the superblock's.
    """
    if version == LEGACY:
        major = _legacy(name, unsigned)
    else:
        state = [int.from_bytes(seed[at : at + 4], "little") for at in range(0, 16, 4)]
        if not any(state):
            state = list(_START)
        words, mix, which = (8, _half_md4, 1) if version == HALF_MD4 else (4, _tea, 0)
        at = 0
        while at < len(name):
            mix(state, _words(name[at:], words, unsigned))
            at += words * 4
        major = state[which]
    major &= ~1
    # The largest value means the end of a folder while it is listed.
    return major if major != 0xFFFFFFFE else 0xFFFFFFFC


def _signed(byte: int, unsigned: bool) -> int:
    return byte if unsigned or byte < 128 else byte - 256


def _legacy(name: bytes, unsigned: bool) -> int:
    one, two = 0x12A3FE2D, 0x37ABE8F9
    for byte in name:
        new = two + (one ^ (_signed(byte, unsigned) * 7152373 & _MASK)) & _MASK
        if new & 0x80000000:
            new -= 0x7FFFFFFF
        one, two = new & _MASK, one
    return one << 1 & _MASK


def _words(rest: bytes, count: int, unsigned: bool) -> list[int]:
    padding = len(rest) | len(rest) << 8
    padding |= padding << 16
    found: list[int] = []
    value = padding & _MASK
    rest = rest[: count * 4]
    for index, byte in enumerate(rest):
        value = _signed(byte, unsigned) + (value << 8) & _MASK
        if index % 4 == 3:
            found.append(value)
            value = padding & _MASK
    if len(found) < count:
        found.append(value)
    while len(found) < count:
        found.append(padding & _MASK)
    return found


def _tea(state: list[int], words: list[int]) -> None:
    one, two = state[0], state[1]
    a, b, c, d = words
    total = 0
    for _ in range(16):
        total = total + 0x9E3779B9 & _MASK
        one = one + ((two << 4) + a ^ two + total ^ (two >> 5) + b) & _MASK
        two = two + ((one << 4) + c ^ one + total ^ (one >> 5) + d) & _MASK
    state[0] = state[0] + one & _MASK
    state[1] = state[1] + two & _MASK


def _choose(x: int, y: int, z: int) -> int:
    return z ^ x & (y ^ z)


def _most(x: int, y: int, z: int) -> int:
    return (x & y) + ((x ^ y) & z)


def _odd(x: int, y: int, z: int) -> int:
    return x ^ y ^ z


_Mix = Callable[[int, int, int], int]
_ROUNDS: tuple[tuple[_Mix, int, tuple[int, ...], tuple[int, ...]], ...] = (
    (_choose, 0, (3, 7, 11, 19), (0, 1, 2, 3, 4, 5, 6, 7)),
    (_most, 0x5A827999, (3, 5, 9, 13), (1, 3, 5, 7, 0, 2, 4, 6)),
    (_odd, 0x6ED9EBA1, (3, 9, 11, 15), (3, 7, 2, 6, 1, 5, 0, 4)),
)


def _half_md4(state: list[int], words: list[int]) -> None:
    new = list(state)
    for mix, constant, turns, order in _ROUNDS:
        for step, index in enumerate(order):
            # a, d, c and b are made anew in turn.
            at = -step % 4
            b, c, d = new[(at + 1) % 4], new[(at + 2) % 4], new[(at + 3) % 4]
            value = new[at] + mix(b, c, d) + words[index] + constant & _MASK
            turn = turns[step % 4]
            new[at] = (value << turn | value >> 32 - turn) & _MASK
    for index in range(4):
        state[index] = state[index] + new[index] & _MASK
