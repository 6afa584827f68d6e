"""The guest: which system it is, and how that system takes its RTC at boot.

Each system is one small class: given an RTC reading it says how far ahead of UTC it takes the
RTC to be (`assumed_offset`, seconds, positive = ahead). The sources of the rules are named in
each class. Adding a system is adding a class and its line in `SYSTEMS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from guestclock.evidence import Fact, Inferred, Observed, Unknown, derive, value_of
from guestclock.zones import ZoneDatabase, offset_at

NO_ZONE = Unknown("the guest's zone is not known", "give it with --guests or --zone")
NO_BIAS = Unknown("the bias that Windows saved is not known", "give the guest's zone or its bias")


@dataclass(frozen=True, slots=True)
class Guest:
    """What is known of the system inside a machine.

    `zone` is its IANA zone. `bias_minutes` is Windows' saved ActiveTimeBias: UTC minus local
    time, so west is positive. `utc_offset_minutes` is OpenBSD's kern.utc_offset, east positive.
    """

    system: str = "unknown"
    zone: Fact[str] = NO_ZONE
    bias_minutes: Fact[int] = NO_BIAS
    utc_offset_minutes: int = 0
    kind: Fact[str] = field(default=Unknown("nothing says which system the guest is"))


class System(Protocol):
    """How one system takes its RTC."""

    label: str
    keeps_local: bool | None
    """True: takes the RTC for local time; False: for UTC; None: not known."""

    def assumed_offset(self, guest: Guest, reading: datetime, rules: ZoneDatabase) -> Fact[int]:
        """Seconds that the system takes the RTC to be ahead of UTC, for a naive RTC reading."""
        ...


class _TakesUtc:
    """Reads the RTC as UTC."""

    keeps_local: bool | None = False

    def __init__(self, label: str, source: str) -> None:
        self.label = label
        self._fact = Inferred(0, source)

    def assumed_offset(self, guest: Guest, reading: datetime, rules: ZoneDatabase) -> Fact[int]:
        """Zero, by the rule this system was made with."""
        return self._fact


class Windows:
    """UTC = RTC + ActiveTimeBias as last saved, whatever the date.

    Source: ReactOS ntoskrnl/ex/init.c; Microsoft KB 899855. The summer time of the resulting
    date is applied afterwards, to what is shown.
    """

    label = "Windows"
    keeps_local: bool | None = True

    def assumed_offset(self, guest: Guest, reading: datetime, rules: ZoneDatabase) -> Fact[int]:
        """Minus 60 times the saved bias; unknown where that is."""
        return derive(guest.bias_minutes, lambda bias: -60 * bias, "minus the saved ActiveTimeBias")


class LinuxLocal:
    """The zone's offset at the RTC's reading taken as UTC.

    systemd evaluates the offset while its clock still holds the local reading, so that in the
    hours around a change it takes the wrong side (systemd src/core/main.c, clock-util.c).
    """

    label = "Linux with LOCAL in /etc/adjtime"
    keeps_local: bool | None = True

    def assumed_offset(self, guest: Guest, reading: datetime, rules: ZoneDatabase) -> Fact[int]:
        """The zone's offset at the reading as UTC; unknown without a zone."""
        zone = zone_of(guest, rules)
        if isinstance(zone, Unknown):
            return zone
        offset = offset_at(zone.value, reading.replace(tzinfo=UTC))
        return Inferred(offset, "the zone's offset at the RTC's reading taken as UTC")


class FreeBsdLocal:
    """The zone's offset found in two steps, the second at the time the first one gives.

    Source: FreeBSD sbin/adjkerntz/adjkerntz.c ("one step for final time").
    """

    label = "FreeBSD with /etc/wall_cmos_clock"
    keeps_local: bool | None = True

    def assumed_offset(self, guest: Guest, reading: datetime, rules: ZoneDatabase) -> Fact[int]:
        """The zone's offset after adjkerntz's two steps; unknown without a zone."""
        zone = zone_of(guest, rules)
        if isinstance(zone, Unknown):
            return zone
        as_utc = reading.replace(tzinfo=UTC)
        first = offset_at(zone.value, as_utc)
        second = offset_at(zone.value, as_utc - timedelta(seconds=first))
        return Inferred(second, "the zone's offset at the local time, in adjkerntz's two steps")


class OpenBsd:
    """A fixed number of minutes, no summer time (sysctl kern.utc_offset, east positive)."""

    label = "OpenBSD"
    keeps_local: bool | None = False

    def assumed_offset(self, guest: Guest, reading: datetime, rules: ZoneDatabase) -> Fact[int]:
        """60 times kern.utc_offset."""
        return Inferred(60 * guest.utc_offset_minutes, "kern.utc_offset")


class Dos:
    """The RTC is the wall clock; there is no zone and no UTC."""

    label = "DOS"
    keeps_local: bool | None = True

    def assumed_offset(self, guest: Guest, reading: datetime, rules: ZoneDatabase) -> Fact[int]:
        """Always unknown."""
        return Unknown("DOS keeps no zone: it has no idea of UTC")


class UnknownSystem:
    """Nothing says which system it is."""

    label = "unknown"
    keeps_local: bool | None = None

    def assumed_offset(self, guest: Guest, reading: datetime, rules: ZoneDatabase) -> Fact[int]:
        """Always unknown."""
        return Unknown("the guest's system is not known", "name it with --guests or --guest")


SYSTEMS: dict[str, System] = {
    "windows": Windows(),
    "windows-universal": _TakesUtc(
        "Windows with RealTimeIsUniversal", "RealTimeIsUniversal is set"
    ),
    "linux": _TakesUtc("Linux", "Linux takes the RTC for UTC"),
    "linux-local": LinuxLocal(),
    "freebsd": _TakesUtc("FreeBSD", "FreeBSD takes the RTC for UTC without /etc/wall_cmos_clock"),
    "freebsd-local": FreeBsdLocal(),
    "netbsd": _TakesUtc("NetBSD", "NetBSD takes the RTC for UTC without rtclocaltime"),
    "openbsd": OpenBsd(),
    "dos": Dos(),
    "unknown": UnknownSystem(),
}
"""Every kind of guest by its name in inventories and cases."""


def system_of(guest: Guest) -> System:
    """The rules of a guest's system."""
    return SYSTEMS[guest.system]


def zone_of(guest: Guest, rules: ZoneDatabase) -> Observed[ZoneInfo] | Inferred[ZoneInfo] | Unknown:
    """The guest's zone in the given rules, or why there is none."""
    if isinstance(guest.zone, Unknown):
        return guest.zone
    name = guest.zone.value
    zone = rules.get(name)
    if zone is None:
        return Unknown(f"{rules.name} ({rules.release}) has no zone {name!r}")
    return Inferred(zone, f"{rules.name} {rules.release}")


def bias_at(guest: Guest, instant: datetime, rules: ZoneDatabase) -> Fact[int]:
    """The bias in minutes that Windows saves when it runs at `instant`: UTC minus local time."""
    zone = zone_of(guest, rules)
    if isinstance(zone, Unknown):
        return zone
    where = f"the offset of {value_of(guest.zone)} at {instant:%Y-%m-%dT%H:%M:%SZ}"
    return Inferred(-offset_at(zone.value, instant) // 60, where)
