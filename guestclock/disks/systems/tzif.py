"""TZif, the format of compiled zone files, versions 1 to 4 (RFC 9636).

A header of 44 bytes, the data with 32-bit times, and from version 2 on the same again with 64-bit
times and a footer: the rule that holds after the last listed change, as a TZ string.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

from guestclock.disks.found import ZoneRules
from guestclock.disks.problem import Damaged, UnreadFormat
from guestclock.disks.systems.posix_tz import PosixRule, posix_rule, year_of

MAGIC = b"TZif"
LARGEST = 1 << 18
"""Bytes; the largest zone of any release has a few thousand."""
_HEADER = struct.Struct(">4sc15x6I")
_TYPE = struct.Struct(">iBB")
# RFC 9636, section 3.2: more than 25 hours west or 26 hours east of UTC is not interchangeable.
_WEST, _EAST = -25 * 3600, 26 * 3600


class ZoneFile(NamedTuple):
    """A zone: `first` holds before `times[0]`, `offsets[i]` from `times[i]` on, then the rule.

    Times are seconds since 1970, offsets seconds east of UTC.
    """

    first: int
    times: tuple[int, ...]
    offsets: tuple[int, ...]
    rule: PosixRule | None

    def offset_at(self, seconds: int) -> int:
        """The offset that holds at an instant."""
        place = bisect_right(self.times, seconds)
        if place == len(self.times) and self.rule is not None:
            return self.rule.offset_at(seconds)
        return self.offsets[place - 1] if place else self.first

    def between(self, start: int, until: int) -> ZoneRules:
        """What holds from `start` until `until`, at most some years later."""
        offsets = [(start, self.offset_at(start))]
        for at in self._changes(start, until):
            offset = self.offset_at(at)
            if offset != offsets[-1][1]:
                offsets.append((at, offset))
        return ZoneRules(tuple(offsets), until)

    def _changes(self, start: int, until: int) -> list[int]:
        found = [at for at in self.times if start < at < until]
        last = self.times[-1] if self.times else start
        if self.rule is not None:
            for year in range(year_of(max(start, last)) - 1, year_of(until) + 2):
                found += [at for at, _ in self.rule.changes(year) if max(start, last) < at < until]
        return sorted(found)


def zone_file(data: bytes) -> ZoneFile:
    """The zone in a file. Raises Damaged, or UnreadFormat where leap seconds are counted."""
    version, counts = _header(data, 0)
    if version == b"\0":
        return _data(data, _HEADER.size, counts, 4)[0]
    second = _HEADER.size + _length(counts, 4)
    version, counts = _header(data, second)
    zone, end = _data(data, second + _HEADER.size, counts, 8)
    return ZoneFile(zone.first, zone.times, zone.offsets, _footer(data[end:]))


def _header(data: bytes, at: int) -> tuple[bytes, tuple[int, ...]]:
    if len(data) < at + _HEADER.size:
        raise Damaged("a zone file ends within its header")
    magic, version, *counts = _HEADER.unpack_from(data, at)
    if magic != MAGIC or version not in b"\x002345":
        raise Damaged("a zone file does not begin with TZif and its version")
    return version, tuple(counts)


def _length(counts: tuple[int, ...], width: int) -> int:
    in_utc, standard, leaps, times, types, letters = counts
    return times * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard + in_utc


def _data(data: bytes, at: int, counts: tuple[int, ...], width: int) -> tuple[ZoneFile, int]:
    end = at + _length(counts, width)
    if end > len(data):
        raise Damaged("a zone file ends within its data")
    _, _, leaps, count, types, _ = counts
    if leaps:
        raise UnreadFormat("a zone file that counts leap seconds (right/) is not read")
    if not types:
        raise Damaged("a zone file has no type of local time")
    times = struct.unpack_from(f">{count}{'q' if width == 8 else 'i'}", data, at)
    at += count * width
    kinds = data[at : at + count]
    at += count
    offsets = [_TYPE.unpack_from(data, at + 6 * one)[0] for one in range(types)]
    if any(left >= right for left, right in pairwise(times)):
        raise Damaged("a zone file's changes are not in order")
    if kinds and max(kinds) >= types:
        raise Damaged("a zone file names a type of local time that it does not have")
    if not all(_WEST < one < _EAST for one in offsets):
        raise Damaged("a zone file has an offset of more than a day")
    return ZoneFile(offsets[0], times, tuple(offsets[one] for one in kinds), None), end


def _footer(data: bytes) -> PosixRule | None:
    text, newline, _ = data[1:].partition(b"\n")
    if data[:1] != b"\n" or not newline:
        raise Damaged("a zone file has no footer")
    return posix_rule(text.decode("ascii", "replace")) if text else None
