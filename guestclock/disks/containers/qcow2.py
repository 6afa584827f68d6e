"""qcow2, versions 2 and 3, with subclusters and compressed clusters (docs/interop/qcow2.txt).

The virtual disk is found through two levels of tables, of which only the entries on the way are
read. Internal snapshots have tables of their own, which are never looked at.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict

from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import References
from guestclock.disks.containers.qcow2_header import ZSTD, Header, read_header
from guestclock.disks.fields import be64
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source, read_parts

_OFFSET = 0x00FFFFFFFFFFFE00
_COMPRESSED = 1 << 62
_ZERO = 1
_SUBCLUSTERS = 32
_CLUSTERS_KEPT = 16


def open_disk(source: Source, references: References, budget: Budget) -> Source:
    """The virtual disk. Raises DiskProblem."""
    header = read_header(source)
    # Like a backing file it is some file's whole contents: asked for by the same option.
    data = references.backing(header.data_file, "raw") if header.data_file else source
    return _Disk(source, data, header, references, budget)


class _Disk:
    """The virtual disk; a backing file is opened when something of it is read."""

    def __init__(
        self,
        tables: Source,
        data: Source,
        header: Header,
        references: References,
        budget: Budget,
    ) -> None:
        self._tables = tables
        self._data = data
        self._header = header
        self._references = references
        self._budget = budget
        self._backing: Source | None = None
        self._unpacked: OrderedDict[int, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        """In bytes."""
        return self._header.size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        """A part of one cluster, or of one subcluster where they are."""
        header = self._header
        step = header.cluster // (_SUBCLUSTERS if header.extended else 1)
        count = min(count, step - offset % step)
        entry, bitmap = self._entry(offset)
        within = offset & header.cluster - 1
        if entry & _COMPRESSED:
            return self._cluster(entry)[within : within + count]
        place = entry & _OFFSET
        if header.extended:
            number = within * _SUBCLUSTERS // header.cluster
            allocated, zero = bitmap >> number & 1, bitmap >> _SUBCLUSTERS + number & 1
            if allocated and zero:
                raise Damaged("qcow2: a subcluster is said to be allocated and zero at once")
        else:
            zero = entry & _ZERO
            allocated = place != 0 and not zero
        if zero:
            return bytes(count)
        if not allocated:
            return self._below(offset, count)
        if place == 0 and not header.data_file:
            raise Damaged("qcow2: a cluster at 0, where the header is")
        if place & header.cluster - 1:
            raise Damaged(f"qcow2: a cluster at {place}, between two")
        return self._read_data(place + within, count)

    def _read_data(self, at: int, count: int) -> bytes:
        # The last cluster of a file may be cut short; what lacks is zero.
        there = max(0, min(count, self._data.size - at))
        if there == 0:
            raise Damaged(f"qcow2: a cluster at {at}, beyond the end of the file")
        return self._data.read_at(at, there) + bytes(count - there)

    def _entry(self, offset: int) -> tuple[int, int]:
        """The L2 entry and its bitmap of subclusters, both 0 where there is no table."""
        header = self._header
        number = offset >> header.cluster_bits
        first, second = divmod(number, header.l2_entries)
        if first >= header.l1_entries:
            raise Damaged("qcow2: an offset beyond the L1 table")
        table = be64(self._tables.read_at(header.l1 + 8 * first, 8), 0) & _OFFSET
        if table == 0:
            return 0, 0
        if table & header.cluster - 1:
            raise Damaged(f"qcow2: an L2 table at {table}, between two clusters")
        raw = self._tables.read_at(table + header.entry * second, header.entry)
        return be64(raw, 0), be64(raw, 8) if header.extended else 0

    def _below(self, offset: int, count: int) -> bytes:
        """What the backing file has there: zeros beyond its end, and where there is none."""
        if not self._header.backing:
            return bytes(count)
        if self._backing is None:
            self._backing = self._references.backing(
                self._header.backing, self._header.backing_format
            )
        there = max(0, min(count, self._backing.size - offset))
        data = self._backing.read_at(offset, there) if there else b""
        return data + bytes(count - there)

    def _cluster(self, entry: int) -> bytes:
        kept = self._unpacked.get(entry)
        if kept is not None:
            self._unpacked.move_to_end(entry)
            return kept
        bits = 62 - (self._header.cluster_bits - 8)
        at = entry & (1 << bits) - 1
        sectors = (entry & _COMPRESSED - 1) >> bits
        size = min((sectors + 1) * 512 - at % 512, self._tables.size - at)
        if size <= 0:
            raise Damaged(f"qcow2: a compressed cluster at {at}, beyond the end of the file")
        cluster = self._header.cluster
        self._budget.spend(cluster)
        data = self._unpack(self._data.read_at(at, size), cluster)
        if len(data) != cluster:
            raise Damaged(f"qcow2: a compressed cluster of {len(data)} bytes")
        self._unpacked[entry] = data
        if len(self._unpacked) > _CLUSTERS_KEPT:
            self._unpacked.popitem(last=False)
        return data

    def _unpack(self, data: bytes, size: int) -> bytes:
        if self._header.compression == ZSTD:
            from guestclock.disks.compression.zstd import decompress

            return decompress(data, size)
        try:
            return zlib.decompressobj(-12).decompress(data, size)
        except zlib.error as problem:
            raise Damaged(f"qcow2: a compressed cluster: {problem}") from None
