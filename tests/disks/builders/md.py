"""Members of Linux' software RAID, laid out here: making one needs a kernel with md."""

from __future__ import annotations

import struct
from pathlib import Path

_DATA = 2048
_SECTOR = 512
_MAGIC = 0xA92B4EFC
_PLACES = {"1.1": 0, "1.2": 8}


def make_member(
    path: Path,
    content: bytes,
    version: str = "1.2",
    *,
    level: int = 1,
    features: int = 0,
    role: int = 0,
    in_step: bool = True,
) -> Path:
    """A member that holds `content`, with a superblock of version 1.2, 1.1 or 1.0."""
    sectors = len(content) // _SECTOR
    if version == "1.0":
        start, size = 0, sectors + _DATA
        at = ((size - 16) & ~7) * _SECTOR
    else:
        start, size = _DATA, _DATA + sectors
        at = _PLACES[version] * _SECTOR
    image = bytearray(size * _SECTOR)
    image[start * _SECTOR : start * _SECTOR + len(content)] = content
    block = bytearray(256 + 2 * 2)
    struct.pack_into("<IIII16s32s", block, 0, _MAGIC, 1, features, 0, b"u" * 16, b"host:root")
    struct.pack_into("<QiIQIIi", block, 64, 1_700_000_000, level, 0, sectors, 0, 2, 0)
    struct.pack_into("<QQQQII16s", block, 128, start, sectors, at // _SECTOR, 0, 0, 0, b"d" * 16)
    step = (1 << 64) - 1 if in_step else 0
    struct.pack_into("<QQQII", block, 192, 1_700_000_000, 17, step, 0, 2)
    struct.pack_into("<HH", block, 256, role, 1)
    words = struct.unpack(f"<{len(block) // 4}I", block)
    total = sum(words)
    struct.pack_into("<I", block, 216, (total & 0xFFFFFFFF) + (total >> 32) & 0xFFFFFFFF)
    image[at : at + len(block)] = block
    path.write_bytes(image)
    return path
