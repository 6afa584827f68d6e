"""The contents of attributes outside their records: runs of clusters, holes, compressed units."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.compression.lznt1 import decompress
from guestclock.disks.fields import u8, u16, u64
from guestclock.disks.filesystems.ntfs.record import COMPRESSED, ENCRYPTED, Attribute
from guestclock.disks.problem import Damaged, Encrypted
from guestclock.disks.source import Source, check_range

_MOST_RUNS = 1 << 18


class Run(NamedTuple):
    """Clusters from `first` of the stream on, at `place` of the volume; None is a hole."""

    first: int
    length: int
    place: int | None


def runs_of(attribute: Attribute) -> list[Run]:
    """The runs of one piece of an attribute. Raises Damaged."""
    raw, at = attribute.raw, u16(attribute.raw, 32)
    first, place = attribute.first, 0
    found: list[Run] = []
    while sizes := u8(raw, at):
        count_size, place_size = sizes & 15, sizes >> 4
        if count_size > 8 or place_size > 8:
            raise Damaged("NTFS: a run of clusters")
        end = at + 1 + count_size + place_size
        if end > len(raw):
            raise Damaged("NTFS: its runs have no end")
        count = int.from_bytes(raw[at + 1 : at + 1 + count_size], "little")
        step = int.from_bytes(raw[at + 1 + count_size : end], "little", signed=True)
        place += step
        if count == 0 or place < 0:
            raise Damaged("NTFS: a run of no clusters, or before the volume")
        found.append(Run(first, count, place if place_size else None))
        first += count
        at = end
    return found


def stream(volume: Source, pieces: Iterable[Attribute], cluster: int, budget: Budget) -> Source:
    """The contents of an attribute from all its pieces outside. Raises Damaged, Encrypted."""
    ordered = sorted(pieces, key=lambda piece: piece.first)
    if not ordered or ordered[0].first != 0:
        raise Damaged("NTFS: the first piece of a stream is missing")
    head = ordered[0]
    if head.flags & ENCRYPTED:
        raise Encrypted("the file is encrypted by Windows (EFS)")
    runs: list[Run] = []
    for piece in ordered:
        budget.tick()
        new = runs_of(piece)
        if runs and new and new[0].first != runs[-1].first + runs[-1].length:
            raise Damaged("NTFS: a piece of a stream is missing")
        runs.extend(new)
        if len(runs) > _MOST_RUNS:
            raise Damaged(f"NTFS: more than {_MOST_RUNS} runs")
    size, written = u64(head.raw, 48), u64(head.raw, 56)
    clusters = runs[-1].first + runs[-1].length if runs else 0
    if size > clusters * cluster:
        raise Damaged(f"NTFS: a stream of {size} bytes in {clusters} clusters")
    plain = _Plain(volume, runs, cluster, size, written)
    unit = u16(head.raw, 34)
    if head.flags & COMPRESSED and unit:
        if not 0 < unit <= 6 or cluster << unit > 1 << 20:
            raise Damaged(f"NTFS: units of 2^{unit} compressed clusters")
        return _Packed(plain, 1 << unit, budget)
    return plain


class _Plain:
    """A stream as it lies on the volume; what was never written is zero."""

    def __init__(
        self, volume: Source, runs: list[Run], cluster: int, size: int, written: int
    ) -> None:
        self.volume = volume
        self.runs = runs
        self.cluster = cluster
        self.written = min(size, written)
        self._size = size
        self._firsts = [run.first for run in runs]

    @property
    def size(self) -> int:
        """In bytes."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        check_range(self, offset, count)
        there = max(0, min(count, self.written - offset))
        return b"".join(self.parts(offset, there)) + bytes(count - there)

    def parts(self, offset: int, count: int) -> Iterable[bytes]:
        """The bytes run by run."""
        while count:
            run = self.run_at(offset // self.cluster)
            within = offset - run.first * self.cluster
            size = min(count, run.length * self.cluster - within)
            if run.place is None:
                yield bytes(size)
            else:
                yield self.volume.read_at(run.place * self.cluster + within, size)
            offset += size
            count -= size

    def run_at(self, cluster: int) -> Run:
        """The run that a cluster of the stream is in."""
        return self.runs[bisect_right(self._firsts, cluster) - 1]


class _Packed:
    """A compressed stream: units of clusters, of which those that are saved are holes."""

    def __init__(self, plain: _Plain, unit: int, budget: Budget) -> None:
        self._plain = plain
        self._unit = unit * plain.cluster
        self._clusters = unit
        self._budget = budget
        self._kept: tuple[int, bytes] = (-1, b"")

    @property
    def size(self) -> int:
        """In bytes."""
        return self._plain.size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        check_range(self, offset, count)
        there = max(0, min(count, self._plain.written - offset))
        zeros = count - there
        parts: list[bytes] = []
        while there:
            number, within = divmod(offset, self._unit)
            size = min(there, self._unit - within)
            parts.append(self._read_unit(number)[within : within + size])
            offset += size
            there -= size
        return b"".join(parts) + bytes(zeros)

    def _read_unit(self, number: int) -> bytes:
        if self._kept[0] == number:
            return self._kept[1]
        first = number * self._clusters
        # The runs may end inside the last unit.
        last = self._plain.runs[-1]
        clusters = min(self._clusters, last.first + last.length - first)
        stored = 0
        while stored < clusters and self._plain.run_at(first + stored).place is not None:
            stored += 1
        self._budget.spend(self._unit)
        if stored == 0:
            data = bytes(self._unit)
        else:
            cluster = self._plain.cluster
            raw = b"".join(self._plain.parts(first * cluster, stored * cluster))
            data = raw if stored == self._clusters else decompress(raw, self._unit)
        self._kept = number, data
        return data
