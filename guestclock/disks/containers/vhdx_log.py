"""The log of a vhdx that was not closed: its newest sequence of entries, replayed in memory
(MS-VHDX, 2.3).
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.compression.crc32c import crc32c
from guestclock.disks.fields import part, u32, u64, unpack
from guestclock.disks.problem import Damaged
from guestclock.disks.source import Source, check_range

_SECTOR = 4096
# Checksum, length, tail, sequence number, count of descriptors; then the log's GUID.
_ENTRY = Struct("<4xIIIQI4x")
_LARGEST = 64 << 20


class _Entry(NamedTuple):
    sequence: int
    tail: int
    data: bytes
    descriptors: int


class Patch(NamedTuple):
    """Bytes that the log puts at a place of the file; `data` is None for zeros."""

    at: int
    size: int
    data: bytes | None


class Patched:
    """A file with what its log would write into it."""

    def __init__(self, file: Source, patches: tuple[Patch, ...]) -> None:
        self._file = file
        self._patches = patches
        self._size = max([file.size, *(patch.at + patch.size for patch in patches if patch.data)])

    @property
    def size(self) -> int:
        """In bytes; the log may reach beyond the file's end."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        check_range(self, offset, count)
        there = max(0, min(count, self._file.size - offset))
        data = bytearray(self._file.read_at(offset, there) if there else b"")
        data.extend(bytes(count - there))
        for patch in self._patches:
            begin, end = max(offset, patch.at), min(offset + count, patch.at + patch.size)
            if begin < end:
                new = patch.data
                data[begin - offset : end - offset] = (
                    bytes(end - begin) if new is None else new[begin - patch.at : end - patch.at]
                )
        return bytes(data)


def replayed(file: Source, at: int, size: int, guid: bytes, budget: Budget) -> Source:
    """The file as it is after its log is replayed. Raises Damaged where no sequence is whole."""
    if size % _SECTOR or not 0 < size <= _LARGEST:
        raise Damaged(f"vhdx: a log of {size} bytes")
    budget.spend(size)
    log = file.read_at(at, size)
    entries = {
        start: entry
        for start in range(0, size, _SECTOR)
        if log.startswith(b"loge", start)
        and (entry := _entry(log, start, guid, budget)) is not None
    }
    for head in sorted(entries, key=lambda start: -entries[start].sequence):
        sequence = _sequence(entries, head, size)
        if sequence is not None:
            patches = [patch for entry in sequence for patch in _patches(entry)]
            return Patched(file, tuple(patches))
    raise Damaged("vhdx: it was not closed, and no entry of its log is whole")


def _entry(log: bytes, start: int, guid: bytes, budget: Budget) -> _Entry | None:
    """The entry at a place of the log, which is a ring; None where it is not whole."""
    checksum, length, tail, sequence, count = unpack(_ENTRY, log, start)
    if length % _SECTOR or not 0 < length <= len(log) or part(log, start + 32, 16) != guid:
        return None
    if 64 + 32 * count > length or tail % _SECTOR or tail >= len(log):
        return None
    data = (log[start:] + log[:start])[:length]
    budget.spend(length)
    if crc32c(data[:4] + bytes(4) + data[8:]) != checksum:
        return None
    return _Entry(sequence, tail, data, count)


def _sequence(entries: dict[int, _Entry], head: int, size: int) -> list[_Entry] | None:
    """The entries from the head's tail to the head, numbered one after the other."""
    found: list[_Entry] = []
    at = entries[head].tail
    while len(found) <= len(entries):
        entry = entries.get(at)
        if entry is None or (found and entry.sequence != found[-1].sequence + 1):
            return None
        found.append(entry)
        if at == head:
            return found
        at = (at + len(entry.data)) % size
    return None


def _patches(entry: _Entry) -> list[Patch]:
    found = []
    # The sectors of data follow the descriptors, each on a sector of its own.
    sector = (64 + 32 * entry.descriptors + _SECTOR - 1) // _SECTOR * _SECTOR
    for number in range(entry.descriptors):
        at = 64 + 32 * number
        kind, place = entry.data[at : at + 4], u64(entry.data, at + 16)
        if u64(entry.data, at + 24) != entry.sequence or place % _SECTOR or place >> 62:
            raise Damaged("vhdx: a descriptor of its log")
        if kind == b"zero":
            found.append(Patch(place, u64(entry.data, at + 8), None))
        elif kind == b"desc":
            data = part(entry.data, sector, _SECTOR)
            low, high = u32(data, _SECTOR - 4), u32(data, 4)
            if not data.startswith(b"data") or high << 32 | low != entry.sequence:
                raise Damaged("vhdx: a sector of its log was not written whole")
            page = entry.data[at + 8 : at + 16] + data[8:-4] + entry.data[at + 4 : at + 8]
            found.append(Patch(place, _SECTOR, page))
            sector += _SECTOR
        else:
            raise Damaged(f"vhdx: a descriptor {kind!r} in its log")
    return found
