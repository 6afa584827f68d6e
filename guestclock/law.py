"""The law: clock error at boot = rtc_offset - assumed_offset, in seconds.

`rtc_offset` is the RTC minus true UTC, fixed when a QEMU process starts; `assumed_offset` is how
far ahead of UTC the guest takes its RTC to be. The guest's idea of UTC is then wrong by their
difference, positive when it is ahead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from guestclock.clock import Absolute, Basis, Clock, Localtime, Utc, Variable, Zone
from guestclock.evidence import Fact, Inferred, Observed, Unknown, value_of
from guestclock.guest import Guest, system_of, zone_of
from guestclock.rtc import RtcArguments, date_base, wrapped_offset
from guestclock.zones import ZoneDatabase, Zones, local_at, offset_at, process_zone

_WRAPS = "more than 2^31 s from the host's clock: QEMU wraps the date by 2^32 s"
BEYOND_YEARS = Unknown("a time lies outside the years 1 to 9999", "correct the clock")
NO_HOST_ZONE = Unknown("the host's zone is not known", "give it with --host-zone")


@dataclass(frozen=True, slots=True)
class Host:
    """Where QEMU runs.

    `zone` is what /etc/localtime is in QEMU's mount namespace. `daemon_zone` is a TZ in
    libvirtd's own environment, which counts for `basis='localtime'` alone; None is none.
    `clock_error` is the host's clock minus true UTC, in seconds.
    """

    zone: Fact[str] = NO_HOST_ZONE
    daemon_zone: str | None = None
    clock_error: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """A new QEMU process: its `-rtc`, its TZ, and the RTC it begins with.

    `offset` is the RTC minus the host's clock in seconds. `silently` says what nobody is told:
    a zone that counts as UTC, a date that wrapped (then `wrapped` is true).
    """

    arguments: Fact[RtcArguments]
    environment_zone: str | None
    offset: Fact[int]
    silently: str | None = None
    wrapped: bool = False


def start(clock: Clock, host: Host, instant: datetime, zones: Zones) -> Start:
    """What libvirt and QEMU make of a clock when the machine is started at `instant` (UTC).

    Source: libvirt src/qemu/qemu_command.c (qemuBuildClockArgStr, qemuBuildClockCommandLine),
    QEMU system/rtc.c; measured on libvirt 9.0 and QEMU 7.2.
    """
    begun = _start(clock, host, instant, zones)
    if isinstance(begun.arguments, Unknown):
        return begun
    arguments = Inferred(begun.arguments.value, "libvirt's rule for the definition")
    return replace(begun, arguments=arguments)


def _start(clock: Clock, host: Host, instant: datetime, zones: Zones) -> Start:
    now = int(instant.timestamp()) + host.clock_error
    track, slew = clock.track, clock.slews
    match clock.base:
        case Utc():
            return start_process(RtcArguments("utc", track, slew), None, host, instant, zones)
        case Localtime():
            return start_process(RtcArguments("localtime", track, slew), None, host, instant, zones)
        case Zone(name):
            return start_process(RtcArguments("localtime", track, slew), name, host, instant, zones)
        case Absolute(begin):
            begin_text = _date(begin)
            if isinstance(begin_text, Unknown):
                return Start(begin_text, None, begin_text)
            arguments = RtcArguments(begin_text, track, slew)
            return start_process(arguments, None, host, instant, zones)
        case Variable(adjustment, basis):
            local: Fact[int] = Inferred(0, "basis utc")
            if basis is Basis.LOCALTIME:
                local = _daemon_offset(host, instant, zones.host)
            if isinstance(local, Unknown):
                return Start(local, None, local)
            text = _date(now + local.value + adjustment)
            if isinstance(text, Unknown):
                return Start(text, None, text)
            return start_process(RtcArguments(text, track, slew), None, host, instant, zones)


def start_process(
    arguments: RtcArguments,
    environment_zone: str | None,
    host: Host,
    instant: datetime,
    zones: Zones,
) -> Start:
    """What QEMU makes of `-rtc` arguments and a TZ (None: unset) at `instant` (UTC)."""
    host_now = instant + timedelta(seconds=host.clock_error)
    known = Observed(arguments, "-rtc")
    begin = arguments.start
    if begin is not None:
        now = int(host_now.timestamp())
        offset = wrapped_offset(begin, now, arguments.track)
        wrapped = now + offset != begin
        silently = _WRAPS if wrapped else None
        inferred = Inferred(offset, f"-rtc {arguments}")
        return Start(known, environment_zone, inferred, silently, wrapped)
    if arguments.base == "utc":
        return Start(known, environment_zone, Inferred(0, "-rtc base=utc"))
    name = environment_zone if environment_zone is not None else value_of(host.zone)
    if name is None:
        reason = host.zone if isinstance(host.zone, Unknown) else NO_HOST_ZONE
        return Start(known, environment_zone, reason)
    zone = process_zone(name, zones.host)
    where = "TZ" if environment_zone is not None else "the host's zone"
    rules = f"{zones.host.name} {zones.host.release}"
    offset_fact = Inferred(offset_at(zone.zone, host_now), f"{where} {name}, {rules}")
    return Start(known, environment_zone, offset_fact, zone.silently)


def _date(seconds: int) -> str | Unknown:
    try:
        return date_base(seconds)
    except OverflowError:
        return BEYOND_YEARS


def _daemon_offset(host: Host, instant: datetime, rules: ZoneDatabase) -> Fact[int]:
    name = host.daemon_zone if host.daemon_zone is not None else value_of(host.zone)
    if name is None:
        return host.zone if isinstance(host.zone, Unknown) else NO_HOST_ZONE
    zone = process_zone(name, rules)
    now = instant + timedelta(seconds=host.clock_error)
    return Inferred(offset_at(zone.zone, now), f"libvirtd's zone {name}")


@dataclass(frozen=True, slots=True)
class Boot:
    """What a guest makes of an RTC reading; all times naive, the error in seconds."""

    utc: Fact[datetime]
    shown: Fact[datetime]
    true_local: Fact[datetime]
    error: Fact[int]


def boot(guest: Guest, reading: datetime, instant: datetime, zones: Zones) -> Boot:
    """What a guest that boots at the aware `instant` makes of its naive RTC reading."""
    try:
        return _boot(guest, reading, instant, zones)
    except OverflowError:
        return Boot(BEYOND_YEARS, BEYOND_YEARS, BEYOND_YEARS, BEYOND_YEARS)


def _boot(guest: Guest, reading: datetime, instant: datetime, zones: Zones) -> Boot:
    assumed = system_of(guest).assumed_offset(guest, reading, zones.guest)
    if guest.system == "dos":
        none = assumed if isinstance(assumed, Unknown) else Unknown("DOS keeps no zone")
        return Boot(none, Observed(reading, "the RTC"), none, none)
    true_zone = zone_of(guest, zones.truth)
    true_local: Fact[datetime] = (
        true_zone
        if isinstance(true_zone, Unknown)
        else Inferred(local_at(true_zone.value, instant), true_zone.where)
    )
    if isinstance(assumed, Unknown):
        return Boot(assumed, assumed, true_local, assumed)
    utc = reading - timedelta(seconds=assumed.value)
    error = int((utc - instant.astimezone(UTC).replace(tzinfo=None)).total_seconds())
    own_zone = zone_of(guest, zones.guest)
    shown: Fact[datetime] = (
        own_zone
        if isinstance(own_zone, Unknown)
        else Inferred(local_at(own_zone.value, utc.replace(tzinfo=UTC)), own_zone.where)
    )
    return Boot(Inferred(utc, assumed.where), shown, true_local, Inferred(error, assumed.where))
