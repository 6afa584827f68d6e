"""Microsoft's vhd, fixed and dynamic (Virtual Hard Disk Image Format Specification, 2006).

A footer of 512 bytes ends the file; a dynamic one begins with a copy of it.
"""

from __future__ import annotations

from struct import Struct

from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import References
from guestclock.disks.fields import be32, unpack
from guestclock.disks.problem import Damaged, RefusedReference, UnreadFormat
from guestclock.disks.source import Source, Window, read_parts

_COOKIE = b"conectix"
_SPARSE = b"cxsparse"
# Where the table is, version, its entries, size of a block, checksum.
_HEADER = Struct(">8xQQIIII")
_FIXED, _DYNAMIC, _DIFFERENCE = 2, 3, 4
_UNUSED = 0xFFFFFFFF
_SECTOR = 512
# Old versions of Virtual PC left the last byte of the footer out.
_LENGTHS = (512, 511)


def footer_at_end(source: Source) -> bytes | None:
    """The footer at the end of a file, None where there is none that its checksum confirms."""
    for length in _LENGTHS:
        if source.size >= length:
            data = source.read_at(source.size - length, length)
            if data.startswith(_COOKIE) and _holds(data, 64):
                return data
    return None


def _holds(data: bytes, at: int) -> bool:
    """Whether the checksum at `at` is right: the other bytes' sum, inverted."""
    total = sum(data) - sum(data[at : at + 4])
    return be32(data, at) == ~total & 0xFFFFFFFF


def open_disk(source: Source, references: References, budget: Budget) -> Source:
    """The virtual disk. Raises DiskProblem."""
    footer = footer_at_end(source) or _copy(source)
    kind, size = be32(footer, 60), int.from_bytes(footer[48:56], "big")
    if kind == _FIXED:
        if size > source.size:
            raise Damaged(f"vhd: {size} bytes are said to be in a file of {source.size}")
        return Window(source, 0, size)
    if kind == _DIFFERENCE:
        # What it holds itself is little without the parent, which is named by the host's paths.
        raise RefusedReference(
            "a differencing vhd is not read without its parent: merge them first"
        )
    if kind != _DYNAMIC:
        raise UnreadFormat(f"vhd of type {kind}; fixed and dynamic ones are read")
    at = int.from_bytes(footer[16:24], "big")
    header = source.read_at(at, 1024)
    if not header.startswith(_SPARSE) or not _holds(header, 36):
        raise Damaged("vhd: its dynamic header is damaged")
    _, table, _, entries, block, _ = unpack(_HEADER, header)
    if block < _SECTOR or block & block - 1 or block > 1 << 28:
        raise Damaged(f"vhd: blocks of {block} bytes")
    if entries < (size + block - 1) // block:
        raise Damaged(f"vhd: {entries} blocks do not hold {size} bytes")
    return _Disk(source, size, table, block)


def _copy(source: Source) -> bytes:
    """The copy at the start of a dynamic one, whose footer is damaged."""
    data = source.read_at(0, min(source.size, _SECTOR))
    if len(data) < _SECTOR or not data.startswith(_COOKIE) or not _holds(data, 64):
        raise Damaged("vhd: neither its footer nor a copy of it is whole")
    return data


class _Disk:
    """A dynamic disk: a table says at which sector each block begins."""

    def __init__(self, file: Source, size: int, table: int, block: int) -> None:
        self._file = file
        self._size = size
        self._table = table
        self._block = block
        # A bitmap of its sectors goes before each block; what it leaves out is zero there.
        sectors = block // _SECTOR
        self._bitmap = ((sectors + 7) // 8 + _SECTOR - 1) // _SECTOR * _SECTOR

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        number, within = divmod(offset, self._block)
        size = min(count, self._block - within)
        sector = be32(self._file.read_at(self._table + 4 * number, 4), 0)
        if sector == _UNUSED:
            return bytes(size)
        return self._file.read_at(sector * _SECTOR + self._bitmap + within, size)
