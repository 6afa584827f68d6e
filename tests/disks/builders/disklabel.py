"""Disk labels of the BSDs, of which no tool here writes OpenBSD's and NetBSD's."""

from __future__ import annotations

import struct

FFS, SWAP, UNUSED = 7, 1, 0


def make_label(partitions: list[tuple[int, int, int]], kind: str = "freebsd") -> bytes:
    """A label of one sector; each partition is its first sector, its sectors and its type."""
    head = bytearray(148)
    struct.pack_into("<I", head, 0, 0x82564557)
    struct.pack_into("<I", head, 40, 512)
    struct.pack_into("<IHHII", head, 132, 0x82564557, 0, len(partitions), 8192, 8192)
    entry = "<IIHHBBH" if kind == "openbsd" else "<IIIBBH"
    high = (0, 0) if kind == "openbsd" else (0,)
    body = b"".join(
        struct.pack(entry, count, first, *high, type, 0, 0) for first, count, type in partitions
    )
    label = head + body
    total = 0
    for (word,) in struct.iter_unpack("<H", label):
        total ^= word
    struct.pack_into("<H", label, 136, total)
    return bytes(label).ljust(512, b"\0")
