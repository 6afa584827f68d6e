"""CRC-32C (Castagnoli), as btrfs, xfs and vhdx sum their blocks with; zlib has only the other."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78


def _table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (_POLYNOMIAL if number & 1 else 0)
        table.append(number)
    return tuple(table)


_TABLE = _table()


def crc32c(data: bytes, seed: int = 0) -> int:
    """The sum of `data`, carried on from `seed`, the sum of what came before (RFC 3720, B.4).

    Both are in the usual form, inverted at start and end, as zlib.crc32 has them.
    """
    crc = seed ^ 0xFFFFFFFF
    table = _TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
