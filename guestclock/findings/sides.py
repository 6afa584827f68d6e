"""The two sides of the law for one case: where its RTC will start, and what its guest takes it for.

What more than one family of rules asks about a case stands here.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from guestclock.clock import Base, Basis, Clock, Localtime, Utc, Variable, Zone, describe
from guestclock.evidence import Fact, Unknown, derive, value_of
from guestclock.findings.finding import Case, Evidence, cite
from guestclock.guest import Guest, system_of, zone_of
from guestclock.machine import Facts, Outlook
from guestclock.words import behind_or_ahead
from guestclock.zones import Zones, offset_at

FARTHEST = 26 * 3600
"""No zone was ever that many seconds from UTC, so that an RTC farther off is wrong for all."""

_QUARTER = 15 * 60
_WEST, _EAST = -12 * 3600, 14 * 3600


def clock_of(case: Case) -> Clock | None:
    """What the next cold start uses, None where that is unknown."""
    return value_of(case.facts.definition)


def keeps_local(guest: Guest) -> bool | None:
    """Whether a guest takes its RTC for something else than UTC; None where nobody knows."""
    if guest.system == "openbsd":
        return guest.utc_offset_minutes != 0
    return system_of(guest).keeps_local


def is_by_hand(case: Case) -> bool:
    """Whether the definition is QEMU's command line itself, with no libvirt that wrote it."""
    definition = case.facts.definition
    if isinstance(definition, Unknown):
        return False
    return definition.where.startswith(("-rtc", "no -rtc"))


def follows_zone(base: Base) -> bool:
    """Whether a clock starts at the local time of some zone."""
    match base:
        case Localtime() | Zone() | Variable(_, Basis.LOCALTIME):
            return True
        case _:
            return False


def is_zone_like(seconds: int) -> bool:
    """Whether an offset could be that of a zone: quarters of an hour, -12 h to +14 h, not 0."""
    return bool(seconds) and not seconds % _QUARTER and _WEST <= seconds <= _EAST


def starts_at_utc(base: Base, tolerance: int) -> bool:
    """Whether a definition says UTC, by name or by an adjustment that is none."""
    match base:
        case Utc():
            return True
        case Variable(adjustment, Basis.UTC):
            return abs(adjustment) < tolerance
        case _:
            return False


def gap(facts: Facts, seen: Outlook, case: Case) -> int | None:
    """The error in seconds after the next cold start, None where it is unknown.

    DOS has no idea of UTC; its gap is that of the time it shows, where its zone is known.
    """
    known = value_of(seen.after_cold_start)
    if known is not None or facts.guest.system != "dos":
        return known
    zone, offset = zone_of(facts.guest, case.zones.truth), value_of(seen.offset)
    if isinstance(zone, Unknown) or offset is None:
        return None
    return offset - offset_at(zone.value, case.at)


def wanted_offset(case: Case, zones: Zones) -> Fact[int]:
    """How far ahead of UTC the guest will take its RTC to be at the next cold start, seconds."""
    guest = case.outlook.guest
    zone = zone_of(guest, zones.truth)
    if guest.system == "dos":
        return derive(zone, lambda known: offset_at(known, case.at), "the zone's local time")
    reading = case.at.astimezone(UTC).replace(tzinfo=None)
    reading += timedelta(seconds=value_of(case.outlook.offset) or 0)
    return system_of(guest).assumed_offset(guest, reading, zones.guest)


def who(guest: Guest) -> str:
    """The guest in words: "Windows in Asia/Shanghai"."""
    zone = value_of(guest.zone)
    label = "a guest" if guest.system == "unknown" else system_of(guest).label
    return label if zone is None else f"{label} in {zone}"


def definition_evidence(case: Case) -> Evidence:
    """The definition of the clock as evidence."""
    clock = clock_of(case)
    says = "the definition" if clock is None else f"<clock {describe(clock.base)}>"
    return cite(says, case.facts.definition)


def host_evidence(case: Case) -> tuple[Evidence, ...]:
    """The host's zone, and libvirtd's, where the clock follows one of them."""
    clock = clock_of(case)
    if clock is None or not follows_zone(clock.base) or isinstance(clock.base, Zone):
        return ()
    name = value_of(case.facts.host.zone)
    says = "host zone" if name is None else f"host zone {name}"
    evidence = [cite(says, case.facts.host.zone)]
    daemon = case.facts.host.daemon_zone
    if daemon is not None and isinstance(clock.base, Variable):
        where = "TZ in libvirtd's environment"
        evidence.append(Evidence(f"libvirtd's zone {daemon}", "observed", where))
    return tuple(evidence)


def guest_evidence(case: Case) -> tuple[Evidence, ...]:
    """The guest's system, and its zone and bias where the verdict rests on them."""
    guest = case.outlook.guest
    system = system_of(guest)
    evidence = [cite(f"guest: {system.label}", guest.kind)]
    if system.keeps_local:
        zone = value_of(guest.zone)
        evidence.append(cite("guest zone" if zone is None else f"guest zone {zone}", guest.zone))
    if guest.system == "windows" and not isinstance(guest.bias_minutes, Unknown):
        bias = guest.bias_minutes.value
        evidence.append(cite(f"saved bias {bias} min", guest.bias_minutes))
    return tuple(evidence)


def all_evidence(case: Case) -> tuple[Evidence, ...]:
    """What a verdict on the next cold start rests on: definition, host, guest."""
    return (definition_evidence(case), *host_evidence(case), *guest_evidence(case))


def outcome(case: Case) -> str:
    """The error after the next cold start in words, or that it is not known."""
    seconds = gap(case.facts, case.outlook, case)
    if seconds is None:
        return "the error depends on the guest's zone"
    return f"the guest will be {behind_or_ahead(seconds, case.tolerance)} after a cold start"
