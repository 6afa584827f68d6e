"""NTFS as a file system: records found by their numbers, names by the trees of their folders."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.fields import part, u8, u16, u32, u64
from guestclock.disks.filesystems.interface import FileSystem, Kind, Node
from guestclock.disks.filesystems.ntfs import record as ntfs
from guestclock.disks.filesystems.ntfs.boot import Boot, read_boot
from guestclock.disks.filesystems.ntfs.index import Index
from guestclock.disks.filesystems.ntfs.record import (
    Attribute,
    Record,
    fixed,
    number_of,
    sequence_of,
)
from guestclock.disks.filesystems.ntfs.streams import stream
from guestclock.disks.problem import Damaged, DiskProblem, UnreadFilesystem
from guestclock.disks.source import Memory, Source

_MFT, _VOLUME, _ROOT, _UPCASE = 0, 3, 5, 10
_NAMES = "$I30"
_LINK, _JUNCTION, _WOF, _DEDUP = 0xA000000C, 0xA0000003, 0x80000017, 0x80000013
_DIRTY = 1
_MOST_PIECES = 4096
_KEPT = 64
_EPOCH = 11_644_473_600
"""Seconds from 1601, where Windows begins to count, to 1970."""


def mount(volume: Source, budget: Budget) -> FileSystem | None:
    """The NTFS on a volume, None where there is none. Raises DiskProblem."""
    boot = read_boot(volume)
    return None if boot is None else _Ntfs(volume, boot, budget)


class _Ntfs:
    name = "ntfs"

    def __init__(self, volume: Source, boot: Boot, budget: Budget) -> None:
        self._volume = volume
        self._boot = boot
        self._budget = budget
        self._records: OrderedDict[int, Record] = OrderedDict()
        self._upcase: Source | None = None
        # The MFT is a file of its own: its record says where the others are, its first piece
        # where those records are that say the rest.
        first = self._first_record()
        head = first.first(ntfs.DATA)
        if head is None or not head.outside:
            raise Damaged("NTFS: the MFT has no contents")
        self._mft: Source = _Partial(volume, head, boot.cluster, budget)
        self._records[_MFT] = first
        self._mft = self._stream(first, ntfs.DATA)

    def _first_record(self) -> Record:
        try:
            return self._parsed(_MFT, self._volume.read_at(self._boot.mft, self._boot.record))
        except DiskProblem:
            return self._parsed(_MFT, self._volume.read_at(self._boot.mirror, self._boot.record))

    def _parsed(self, number: int, data: bytes) -> Record:
        return Record(number, fixed(data, b"FILE"))

    @property
    def label(self) -> str:
        """The volume's label."""
        try:
            found = self._record(_VOLUME).first(ntfs.VOLUME_NAME)
            return found.value().decode("utf-16-le", "replace") if found else ""
        except DiskProblem:
            return ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Whether the volume was left in the midst of a write."""
        try:
            found = self._record(_VOLUME).first(ntfs.VOLUME)
            dirty = found is not None and u16(found.value(), 10) & _DIRTY
        except DiskProblem:
            return ()
        return (
            ("NTFS is marked as dirty: Windows will check it at its next start",) if dirty else ()
        )

    def root(self) -> Node:
        """The root folder."""
        return Node(Kind.FOLDER, 0, _ROOT)

    def lookup(self, folder: Node, name: str) -> Node | None:
        """What a folder has under a name, in any case. Raises DiskProblem."""
        entry = self._index(folder).find(name.encode("utf-16-le", "surrogatepass"))
        if entry is None:
            return None
        record = self._record(number_of(entry.reference), sequence_of(entry.reference))
        return self._node(record)

    def entries(self, folder: Node) -> Iterator[tuple[str, Node]]:
        """All names but the short ones of DOS. Raises DiskProblem."""
        for entry in self._index(folder).entries():
            if entry.dos or number_of(entry.reference) == _ROOT:
                continue
            name = entry.name.decode("utf-16-le", "replace")
            number = number_of(entry.reference)
            if entry.reparse:
                yield name, self._node(self._record(number, sequence_of(entry.reference)))
            else:
                kind = Kind.FOLDER if entry.folder else Kind.FILE
                yield name, Node(kind, entry.size, number)

    def _node(self, record: Record) -> Node:
        modified = self._modified(record)
        if record.first(ntfs.REPARSE) is not None and self._tag(record) in (_LINK, _JUNCTION):
            return Node(Kind.LINK, 0, record.number, modified)
        if record.folder:
            return Node(Kind.FOLDER, 0, record.number, modified)
        head = record.first(ntfs.DATA)
        size = 0
        if head is not None:
            size = u64(head.raw, 48) if head.outside else u32(head.raw, 16)
        return Node(Kind.FILE, size, record.number, modified)

    def _modified(self, record: Record) -> int | None:
        found = record.first(ntfs.STANDARD)
        return None if found is None else u64(found.value(), 8) // 10_000_000 - _EPOCH

    def _tag(self, record: Record) -> int:
        found = record.first(ntfs.REPARSE)
        return 0 if found is None or found.outside else u32(found.value(), 0)

    def target(self, link: Node) -> str:
        """The text of a link, with this volume's paths for those of a drive. Raises Damaged."""
        found = self._record(link.key).first(ntfs.REPARSE)
        if found is None:
            raise Damaged("NTFS: a link without a target")
        data = found.value()
        begin = 20 if u32(data, 0) == _LINK else 16
        text = part(data, begin + u16(data, 8), u16(data, 10)).decode("utf-16-le", "replace")
        text = text.removeprefix("\\??\\")
        if text[1:2] == ":":
            # The drive is taken for this volume's: which one it is, only Windows knows.
            text = "\\" + text[2:].lstrip("\\")
        return text.replace("\\", "/")

    def open(self, file: Node) -> Source:
        """The contents of a file. Raises DiskProblem."""
        record = self._record(file.key)
        tag = self._tag(record)
        if tag in (_WOF, _DEDUP):
            name = "compressed by the system (WOF)" if tag == _WOF else "deduplicated"
            raise UnreadFilesystem(f"a file that is {name} is not read")
        return self._stream(record, ntfs.DATA)

    def _record(self, number: int, sequence: int = 0) -> Record:
        found = self._records.get(number)
        if found is None:
            size = self._boot.record
            found = self._parsed(number, self._mft.read_at(number * size, size))
            self._records[number] = found
            if len(self._records) > _KEPT:
                self._records.popitem(last=False)
        else:
            self._records.move_to_end(number)
        if sequence and found.sequence != sequence:
            raise Damaged(f"NTFS: record {number} was given to another file")
        return found

    def _stream(self, record: Record, type: int, name: str = "") -> Source:
        """The contents of an attribute, wherever its pieces are. Raises Damaged."""
        pieces = list(self._pieces(record, type, name))
        if not pieces:
            if type == ntfs.DATA:
                return Memory(b"")
            raise Damaged(f"NTFS: record {record.number} has no attribute {type:#x}")
        if not pieces[0].outside:
            return Memory(pieces[0].value())
        return stream(self._volume, pieces, self._boot.cluster, self._budget)

    def _pieces(self, record: Record, type: int, name: str) -> Iterator[Attribute]:
        listed = record.first(ntfs.LIST)
        if listed is None:
            yield from record.all(type, name)
            return
        seen: set[int] = set()
        for number, sequence in self._listed(listed, type, name):
            if number in seen:
                continue
            seen.add(number)
            holder = record if number == record.number else self._record(number, sequence)
            yield from holder.all(type, name)

    def _listed(self, attribute: Attribute, type: int, name: str) -> Iterator[tuple[int, int]]:
        """The records that the list of a file's attributes names for one of them."""
        if attribute.outside:
            whole = stream(self._volume, [attribute], self._boot.cluster, self._budget)
            if whole.size > self._budget.limits.file:
                raise Damaged(f"NTFS: a list of {whole.size} bytes")
            data = whole.read_at(0, whole.size)
        else:
            data = attribute.value()
        at = count = 0
        while at + 26 <= len(data):
            size = u16(data, at + 4)
            if size < 26 or count > _MOST_PIECES:
                raise Damaged("NTFS: a list of attributes")
            own = part(data, at + u8(data, at + 7), 2 * u8(data, at + 6))
            if u32(data, at) == type and own.decode("utf-16-le", "replace") == name:
                reference = u64(data, at + 16)
                yield number_of(reference), sequence_of(reference)
                count += 1
            at += size

    def _index(self, folder: Node) -> Index:
        record = self._record(folder.key)
        root = next(self._pieces(record, ntfs.ROOT, _NAMES), None)
        if root is None:
            raise Damaged(f"NTFS: record {record.number} is no folder")
        value = root.value()
        outside = any(self._pieces(record, ntfs.ALLOCATION, _NAMES))
        blocks = self._stream(record, ntfs.ALLOCATION, _NAMES) if outside else None
        return Index(value, blocks, self._boot.cluster, self._upper, self._budget)

    def _upper(self, name: bytes) -> tuple[int, ...]:
        return tuple(self._upper_unit(u16(name, at)) for at in range(0, len(name), 2))

    def _upper_unit(self, unit: int) -> int:
        if unit < 0x80:
            return unit - 32 if 0x61 <= unit <= 0x7A else unit
        # Only what is not ASCII needs the volume's own table.
        if self._upcase is None:
            self._upcase = self._stream(self._record(_UPCASE), ntfs.DATA)
        return u16(self._upcase.read_at(2 * unit, 2), 0)


class _Partial:
    """The first piece of the MFT alone, to read the records that say where the rest is."""

    def __init__(self, volume: Source, head: Attribute, cluster: int, budget: Budget) -> None:
        from guestclock.disks.filesystems.ntfs.streams import runs_of

        runs = runs_of(head)
        if not runs:
            raise Damaged("NTFS: the MFT has no clusters")
        self._volume = volume
        self._runs = runs
        self._cluster = cluster

    @property
    def size(self) -> int:
        """In bytes."""
        return (self._runs[-1].first + self._runs[-1].length) * self._cluster

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`, within one run. Raises Damaged."""
        for run in self._runs:
            within = offset - run.first * self._cluster
            if (
                within >= 0
                and within + count <= run.length * self._cluster
                and run.place is not None
            ):
                return self._volume.read_at(run.place * self._cluster + within, count)
        raise Damaged(f"NTFS: no run of the MFT has the bytes at {offset}")
