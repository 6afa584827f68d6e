"""Transaction logs as Windows 8.1 and later write them: a chain of sealed entries of pages.

Rule: the regf specification, "New format", notes 5 to 9. An entry is applied if it is whole and
its number follows; at the first that is not, Windows stops, and so does this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import part, unpack
from guestclock.disks.problem import Damaged
from guestclock.disks.registry.base_block import BASE, SECTOR, BaseBlock
from guestclock.disks.registry.marvin32 import marvin32, marvin32_of
from guestclock.disks.registry.overlay import Overlay
from guestclock.disks.source import Source

_HEAD = Struct("<4xI4xIIIQQ")
_REFERENCE = Struct("<II")
_CHUNK = 1 << 16


class Log(NamedTuple):
    """A transaction log with its own base block, which is sound."""

    source: Source
    base: BaseBlock


@dataclass(slots=True)
class Applied:
    """What came of it: how many entries were laid over the hive, and what kept others out."""

    entries: int = 0
    warnings: list[str] = field(default_factory=list)


class _Entry(NamedTuple):
    source: Source
    at: int
    size: int
    sequence: int
    bins: int
    pages: int
    body_hash: int


def apply_logs(logs: Sequence[Log], base: BaseBlock, overlay: Overlay, budget: Budget) -> Applied:
    """Lays the entries over the bins that follow on what the hive has, in order of their numbers.

    `base` is the hive's own base block. Where its checksum is wrong nothing tells which entry is
    next: the longest chain that ends with the newest entry is taken, as each entry holds whole
    pages and may be applied again. Raises OverLimit and what the sources raise, never Damaged
    for an entry.
    """
    applied = Applied()
    chains = sorted(
        (one for log in logs if (one := _first_sequence(log)) is not None), key=lambda one: one[0]
    )
    expected = base.second if base.sound else None
    for start, log in chains:
        if expected is None or (not base.sound and start > expected):
            overlay.forget()
            applied.entries, expected = 0, start
        try:
            for entry in _entries(log, budget):
                if entry.sequence < expected:
                    continue
                if entry.sequence > expected:
                    applied.warnings.append(
                        f"a transaction log goes on with {entry.sequence}, where {expected} is due"
                    )
                    break
                _apply(entry, overlay, budget)
                applied.entries += 1
                expected = entry.sequence + 1 & 0xFFFFFFFF
        except Damaged as problem:
            applied.warnings.append(f"a transaction log was applied in part: {problem.detail}")
    return applied


def _first_sequence(log: Log) -> tuple[int, Log] | None:
    """Where a log begins, with the log; None where it has no entry."""
    try:
        return _entry(log.source, SECTOR).sequence, log
    except Damaged:
        return None


def _entries(log: Log, budget: Budget) -> Iterator[_Entry]:
    """The entries in rising order; behind the last one, older ones may be left over."""
    at, last = SECTOR, -1
    while at + SECTOR <= log.source.size and log.source.read_at(at, 4) == b"HvLE":
        budget.tick()
        entry = _entry(log.source, at)
        if entry.sequence <= last:
            return
        yield entry
        at, last = at + entry.size, entry.sequence


def _entry(source: Source, at: int) -> _Entry:
    """The head of an entry. Raises Damaged."""
    head = source.read_at(at, 40)
    size, sequence, bins, pages, body_hash, head_hash = unpack(_HEAD, head)
    if head[:4] != b"HvLE" or marvin32(head[:32]) != head_hash:
        raise Damaged(f"the head of the entry at {at} does not have the hash that it states")
    if size < SECTOR or size % SECTOR or at + size > source.size:
        raise Damaged(f"the entry at {at} cannot have {size} bytes")
    if not bins or bins % BASE:
        raise Damaged(f"the entry at {at} says that the hive has {bins} bytes")
    if 40 + 8 * pages > size:
        raise Damaged(f"the entry at {at} cannot hold {pages} pages")
    return _Entry(source, at, size, sequence, bins, pages, body_hash)


def _apply(entry: _Entry, overlay: Overlay, budget: Budget) -> None:
    """Lays all pages of an entry over the bins, or none. Raises Damaged."""
    if marvin32_of(_chunks(entry, budget)) != entry.body_hash:
        raise Damaged(f"entry {entry.sequence} does not have the hash that it states")
    references = entry.source.read_at(entry.at + 40, 8 * entry.pages)
    at = entry.at + 40 + 8 * entry.pages
    places: list[tuple[int, int, int]] = []
    for number in range(entry.pages):
        offset, count = unpack(_REFERENCE, part(references, 8 * number, 8))
        if not count or offset % SECTOR or count % SECTOR or offset + count > entry.bins:
            raise Damaged(f"entry {entry.sequence} has a page of {count} bytes for {offset}")
        places.append((offset, count, at))
        at += count
        if at > entry.at + entry.size:
            raise Damaged(f"entry {entry.sequence} is smaller than its pages")
    overlay.resize(entry.bins)
    for offset, count, at in places:
        overlay.cover(offset, count, entry.source, at)


def _chunks(entry: _Entry, budget: Budget) -> Iterator[bytes]:
    at, end = entry.at + 40, entry.at + entry.size
    while at < end:
        budget.tick()
        count = min(_CHUNK, end - at)
        yield entry.source.read_at(at, count)
        at += count
