"""Zones: what a name means to whom, offsets, transitions, and local times that are not one.

Nothing here reads a database: databases are handed in. They differ (their releases do), and
which one counts depends on who asks: QEMU and libvirtd see the host's, true local time follows
the newest at hand, a guest follows its own.
"""

from __future__ import annotations

import difflib
import io
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo


class ZoneDatabase(Protocol):
    """One IANA database: where it comes from, its release, its zones."""

    @property
    def name(self) -> str:
        """Where the database was found, in words."""
        ...

    @property
    def release(self) -> str:
        """The IANA release, such as "2026f"."""
        ...

    def get(self, key: str) -> ZoneInfo | None:
        """The zone of that exact name, or None where the database has none."""
        ...

    def names(self) -> frozenset[str]:
        """All names the database has."""
        ...


@dataclass(frozen=True, slots=True)
class WindowsZone:
    """One row of the Windows map; territory "001" is the default of a Windows zone."""

    windows: str
    territory: str
    iana: str
    source: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapped zone name and the source of the mapping."""

    name: str
    source: str


class UnknownZone(ValueError):
    """A zone name that no database or map has; the message proposes near names."""


class WindowsMap:
    """Windows and IANA zone names, both ways, each answer with its source."""

    def __init__(self, rows: Iterable[WindowsZone]) -> None:
        self._iana: dict[tuple[str, str], WindowsZone] = {}
        self._windows: dict[str, WindowsZone] = {}
        self._ids: dict[str, str] = {}
        for row in rows:
            self._iana.setdefault((row.windows.casefold(), row.territory), row)
            self._ids.setdefault(row.windows.casefold(), row.windows)
            # A default row wins over a territory's: Europe/Berlin is W. Europe's own.
            if row.territory == "001" or row.iana not in self._windows:
                self._windows[row.iana] = row

    def to_iana(self, windows: str, territory: str = "001") -> Mapped:
        """The IANA zone of a Windows one (ids are compared as Windows does, case ignored).

        Raises UnknownZone with near names.
        """
        row = self._iana.get((windows.casefold(), territory))
        row = row or self._iana.get((windows.casefold(), "001"))
        if row is None:
            raise _unknown(windows, self._ids.values(), "Windows zone")
        return Mapped(row.iana, row.source)

    def to_windows(self, iana: str) -> Mapped:
        """The Windows zone of an IANA one. Raises UnknownZone with near names."""
        row = self._windows.get(iana)
        if row is None:
            raise _unknown(iana, self._windows, "zone with a Windows name")
        return Mapped(row.windows, row.source)

    def ids(self) -> tuple[str, ...]:
        """All Windows zone ids."""
        return tuple(self._ids.values())


def _unknown(name: str, known: Iterable[str], what: str) -> UnknownZone:
    names = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), names, n=3, cutoff=0.6)
    hint = f": did you mean {' or '.join(names[one] for one in near)}?" if near else ""
    return UnknownZone(f"no {what} is called {name!r}{hint}")


@dataclass(frozen=True, slots=True)
class Zones:
    """The databases, each under the one who follows it, and the Windows map."""

    host: ZoneDatabase
    truth: ZoneDatabase
    guest: ZoneDatabase
    windows: WindowsMap

    def iana(self, name: str) -> str:
        """The IANA name of an IANA or Windows zone name. Raises UnknownZone with near names."""
        if self.truth.get(name) or self.guest.get(name):
            return name
        try:
            return self.windows.to_iana(name).name
        except UnknownZone:
            candidates = (*self.truth.names(), *self.windows.ids())
            raise _unknown(name, candidates, "zone") from None


@dataclass(frozen=True, slots=True)
class Unambiguous:
    """A local time that occurs once."""

    utc: datetime


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A local time that occurs twice, as clocks are put back."""

    earlier: datetime
    later: datetime


@dataclass(frozen=True, slots=True)
class Skipped:
    """A local time that never occurs, as clocks are put forward over it at `at` (UTC)."""

    at: datetime


LocalTime: TypeAlias = Unambiguous | Ambiguous | Skipped


def offset_at(zone: ZoneInfo, instant: datetime) -> int:
    """Seconds east of UTC at an aware instant."""
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def local_at(zone: ZoneInfo, instant: datetime) -> datetime:
    """The naive local time at an aware instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def resolve_local(zone: ZoneInfo, local: datetime) -> LocalTime:
    """Which instants a naive local time is in a zone: one, two or none."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    real = [utc for utc in (first, second) if local_at(zone, utc) == local]
    if not real:
        # Python reads a skipped time with the offset before (fold 0) and after the gap.
        change = next_transition(zone, second - timedelta(seconds=1), first + timedelta(days=1))
        return Skipped(change.at if change else second)
    if len(real) == 2 and first != second:
        return Ambiguous(min(real), max(real))
    return Unambiguous(real[0])


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a zone's offset: the first instant of the new one; seconds east of UTC."""

    at: datetime
    before: int
    after: int


@lru_cache(maxsize=4096)
def next_transition(zone: ZoneInfo, after: datetime, until: datetime) -> Transition | None:
    """The first change of offset later than `after` and not later than `until`, or None.

    Looks day by day and then halves the day: no zone has ever changed and changed back in one.
    """
    left, before = after, offset_at(zone, after)
    while left < until:
        right = min(left + timedelta(days=1), until)
        if offset_at(zone, right) != before:
            while right - left > timedelta(seconds=1):
                middle = left + (right - left) // 2
                middle = middle.replace(microsecond=0)
                if middle <= left:
                    break
                if offset_at(zone, middle) == before:
                    left = middle
                else:
                    right = middle
            return Transition(right.replace(microsecond=0), before, offset_at(zone, right))
        left = right
    return None


@dataclass(frozen=True, slots=True)
class ProcessZone:
    """The zone a process ends up with; `silently` says why it is UTC though another was asked."""

    zone: ZoneInfo
    silently: str | None = None


def process_zone(name: str, database: ZoneDatabase) -> ProcessZone:
    """What glibc makes of TZ=`name`: a zone's file, else a POSIX rule, else UTC without a word.

    Source: glibc tzset(3), measured with QEMU: Bogus/Zone and an empty TZ are UTC, CST-8 is +8 h.
    """
    text = name.removeprefix(":").removeprefix("/usr/share/zoneinfo/")
    if not text:
        return ProcessZone(_utc())
    zone = database.get(text)
    if zone is not None:
        return ProcessZone(zone)
    rule = posix_zone(text)
    if rule is not None:
        return ProcessZone(rule)
    return ProcessZone(
        _utc(), f"{name!r} is neither in {database.name} ({database.release}) nor a POSIX rule"
    )


_POSIX = re.compile(
    r"(?P<std>[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?\d{1,2}(:\d{1,2}(:\d{1,2})?)?"
    r"((?P<dst>[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)([+-]?\d{1,2}(:\d{1,2}(:\d{1,2})?)?)?(?P<rule>,.+)?)?"
)


@lru_cache(maxsize=256)
def posix_zone(text: str) -> ZoneInfo | None:
    """The zone of a POSIX TZ rule such as CST-8 or CET-1CEST,M3.5.0,M10.5.0/3, or None.

    A rule with a summer name and no dates has the United States' dates, as in glibc.
    """
    found = _POSIX.fullmatch(text)
    if not found:
        return None
    if found["dst"] and not found["rule"]:
        text += ",M3.2.0,M11.1.0"
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    body = struct.pack(">lbb4s", 0, 0, 0, b"UTC\0")
    try:
        return ZoneInfo.from_file(io.BytesIO((header + body) * 2 + f"\n{text}\n".encode()), text)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _utc() -> ZoneInfo:
    zone = posix_zone("UTC0")
    assert zone is not None
    return zone
