"""VMware's vmdk: one sparse file, a stream, or a text that names the files of its extents."""

from __future__ import annotations

from bisect import bisect_right

from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import References
from guestclock.disks.containers.vmdk_descriptor import Descriptor, Extent, parse
from guestclock.disks.containers.vmdk_sparse import MAGIC, Below, Header, SparseExtent
from guestclock.disks.problem import Damaged, UnreadFormat
from guestclock.disks.source import Source, Window, read_parts

_SECTOR = 512
_LONGEST_TEXT = 1 << 20


def open_disk(source: Source, references: References, budget: Budget) -> Source:
    """The virtual disk. Raises DiskProblem."""
    if source.size >= _SECTOR and source.read_at(0, 4) == MAGIC:
        header = Header.of(source)
        described = _inside(source, header)
        below = _Parent(described.parent, references).read if described.parent else None
        return SparseExtent(source, budget, below)
    if source.size > _LONGEST_TEXT:
        raise Damaged(f"vmdk: a descriptor of {source.size} bytes")
    described = parse(source.read_at(0, source.size))
    parent = _Parent(described.parent, references) if described.parent else None
    return _Extents(described.extents, parent, references, budget)


def _inside(source: Source, header: Header) -> Descriptor:
    """The descriptor inside a sparse file."""
    if not 0 < header.text_size <= _LONGEST_TEXT:
        raise Damaged(f"vmdk: a descriptor of {header.text_size} bytes")
    described = parse(source.read_at(header.text, header.text_size))
    if len(described.extents) != 1:
        raise Damaged("vmdk: a sparse file that is made of several")
    return described


class _Parent:
    """What an image rests on, opened when something of it is read."""

    def __init__(self, name: str, references: References) -> None:
        self._name = name
        self._references = references
        self._disk: Source | None = None

    def read(self, offset: int, count: int) -> bytes:
        """The parent's bytes, zeros beyond its end. Raises RefusedReference."""
        if self._disk is None:
            self._disk = self._references.backing(self._name, "vmdk")
        there = max(0, min(count, self._disk.size - offset))
        data = self._disk.read_at(offset, there) if there else b""
        return data + bytes(count - there)

    def from_(self, start: int) -> Below:
        """The same for an extent that begins at `start` of the disk."""
        return lambda offset, count: self.read(start + offset, count)


class _Extents:
    """Extents one after the other; each file is opened when something of it is read."""

    def __init__(
        self,
        extents: tuple[Extent, ...],
        parent: _Parent | None,
        references: References,
        budget: Budget,
    ) -> None:
        self._extents = extents
        self._parent = parent
        self._references = references
        self._budget = budget
        self._starts = [0]
        for extent in extents:
            self._starts.append(self._starts[-1] + extent.sectors * _SECTOR)
        self._opened: dict[int, Source] = {}

    @property
    def size(self) -> int:
        """In bytes."""
        return self._starts[-1]

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        number = bisect_right(self._starts, offset) - 1
        count = min(count, self._starts[number + 1] - offset)
        extent = self._extents[number]
        if extent.kind == "ZERO":
            return bytes(count)
        source = self._opened.get(number)
        if source is None:
            source = self._opened[number] = self._open(number, extent)
        return source.read_at(offset - self._starts[number], count)

    def _open(self, number: int, extent: Extent) -> Source:
        if extent.kind == "FLAT":
            file = self._references.part(extent.name)
            return Window(file, extent.offset * _SECTOR, extent.sectors * _SECTOR)
        if extent.kind == "SPARSE":
            below = self._parent.from_(self._starts[number]) if self._parent else None
            return SparseExtent(self._references.part(extent.name), self._budget, below)
        raise UnreadFormat(
            f"vmdk with extents of type {extent.kind[:20]}: FLAT and SPARSE are read"
        )
