"""The header of a qcow2 image (QEMU's docs/interop/qcow2.txt)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from guestclock.disks.fields import be32, part, unpack
from guestclock.disks.problem import Damaged, Encrypted, UnreadFormat
from guestclock.disks.source import Source

MAGIC = b"QFI\xfb"
_V2 = Struct(">IIQIIQIIQQIIQ")
_V3 = Struct(">QQQII")
_V2_SIZE, _V3_SIZE = _V2.size, _V2.size + _V3.size
_LONGEST_NAME = 1023
_LONGEST_FORMAT = 16
_BACKING_FORMAT, _DATA_FILE_NAME = 0xE2792ACA, 0x44415441
_LARGEST_EXTENSIONS = 1 << 16

# Incompatible features: who does not know one may not read the image.
_DIRTY, _CORRUPT, _DATA_FILE, _COMPRESSION, _EXTENDED = 1, 2, 4, 8, 16
_KNOWN = _DIRTY | _CORRUPT | _DATA_FILE | _COMPRESSION | _EXTENDED
ZLIB, ZSTD = 0, 1


class Header(NamedTuple):
    """What reading needs. Sizes are in bytes, `l1` is where the first table is."""

    size: int
    cluster_bits: int
    l1: int
    l1_entries: int
    extended: bool
    compression: int
    data_file: str
    backing: str
    backing_format: str | None

    @property
    def cluster(self) -> int:
        """The size of a cluster in bytes."""
        return 1 << self.cluster_bits

    @property
    def entry(self) -> int:
        """The size of an entry of an L2 table in bytes."""
        return 16 if self.extended else 8

    @property
    def l2_entries(self) -> int:
        """How many entries an L2 table has: it fills one cluster."""
        return self.cluster // self.entry


def read_header(source: Source) -> Header:
    """The header. Raises Damaged, Encrypted, UnreadFormat."""
    data = source.read_at(0, min(source.size, _V3_SIZE + 8))
    fields = unpack(_V2, data)
    version, name_at, name_size, bits, size, crypt, entries, l1 = fields[1:9]
    if version not in (2, 3):
        raise UnreadFormat(f"qcow2 of version {version}; 2 and 3 are read")
    features, length, compression = 0, _V2_SIZE, ZLIB
    if version == 3:
        features, _, _, _, length = unpack(_V3, data, _V2_SIZE)
        if length < _V3_SIZE or length % 8 or length > 4096:
            raise Damaged(f"qcow2: a header of {length} bytes")
        if length > _V3_SIZE:
            compression = part(data, _V3_SIZE, 1)[0]
    if features & ~_KNOWN:
        raise UnreadFormat(f"qcow2 with the unknown features {features & ~_KNOWN:#x}")
    if compression not in (ZLIB, ZSTD):
        raise UnreadFormat(f"qcow2 with compression {compression}; zlib and zstd are read")
    if crypt:
        raise Encrypted("qcow2 is encrypted" + (" by LUKS" if crypt == 2 else ""))
    extended = bool(features & _EXTENDED)
    if not (14 if extended else 9) <= bits <= 21:
        raise Damaged(f"qcow2: clusters of 2^{bits} bytes")
    backing, form, data_file = "", None, ""
    if name_at:
        backing = _text(source, name_at, name_size)
        form = _extension(source, length, _BACKING_FORMAT, _LONGEST_FORMAT) or None
    if features & _DATA_FILE:
        data_file = _extension(source, length, _DATA_FILE_NAME, _LONGEST_NAME)
        if not data_file:
            raise Damaged("qcow2: its data are in another file, which it does not name")
    header = Header(size, bits, l1, entries, extended, compression, data_file, backing, form)
    covers = header.cluster * header.l2_entries
    if entries < (size + covers - 1) // covers:
        raise Damaged(f"qcow2: {entries} entries of its L1 table do not cover {size} bytes")
    return header


def _text(source: Source, at: int, size: int) -> str:
    if size > _LONGEST_NAME:
        raise Damaged(f"qcow2: a backing file name of {size} bytes")
    return source.read_at(at, size).decode("utf-8", "surrogateescape")


def _extension(source: Source, at: int, wanted: int, longest: int) -> str:
    """The text of one of the header's extensions, empty where it is not there."""
    end = at + _LARGEST_EXTENSIONS
    while at < end:
        head = source.read_at(at, 8)
        kind, size = be32(head, 0), be32(head, 4)
        if kind == 0:
            return ""
        if kind == wanted:
            if size > longest:
                raise Damaged(f"qcow2: a header extension of {size} bytes")
            return source.read_at(at + 8, size).decode("utf-8", "surrogateescape")
        at += 8 + (size + 7) // 8 * 8
    raise Damaged("qcow2: its header extensions have no end")
