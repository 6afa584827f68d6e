"""The hops of one machine: what each place says about the clock, and what it should say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from guestclock.clock import Base, Basis, Clock, Localtime, Variable, describe
from guestclock.evidence import Fact, Unknown, value_of
from guestclock.faults import Fault
from guestclock.findings.finding import Evidence, cite
from guestclock.guest import Guest, system_of
from guestclock.machine import Facts, Outlook, Process
from guestclock.words import duration
from guestclock.zones import Zones

_QUARTER = 15 * 60


@dataclass(frozen=True, slots=True)
class Hop:
    """One place that a fact passes; `should` is empty where nothing better is known or needed."""

    name: str
    says: str
    should: str
    evidence: tuple[Evidence, ...]

    @property
    def wrong(self) -> bool:
        """Whether it should say something else."""
        return bool(self.should) and self.should != self.says


def hops_of(
    facts: Facts,
    seen: Outlook,
    at: datetime,
    zones: Zones,
    tolerance: int,
    fault: Fault | None,
    wanted: Base | None,
) -> tuple[Hop, ...]:
    """The definition, the live definition, the host, the QEMU process, the RTC, the guest.

    Where a manager writes the definition anew, the one it will write comes before the one that
    stands. `wanted` is the clock that would cure a fault, None where none would or none is known.
    """
    wrong = fault not in (None, Fault.UNKNOWN)
    if facts.stored is None:
        hops = [_definition("definition", facts.definition, facts, fault, wanted)]
    else:
        hops = [
            _definition("next definition", facts.definition, facts, fault, wanted),
            _stored(facts.stored, facts.definition),
        ]
    if facts.live is not None and facts.process is not None:
        hops.append(_live(facts.live, facts.stored or facts.definition))
    hops += _host(facts, wrong)
    hops.append(_process(facts.process, seen))
    hops.append(_rtc(facts, seen, at, zones, tolerance))
    hops.append(_guest(seen.guest))
    return tuple(hops)


def _definition(
    name: str, definition: Fact[Clock], facts: Facts, fault: Fault | None, wanted: Base | None
) -> Hop:
    says = _clock(definition)
    if isinstance(definition, Unknown) or fault is Fault.UNKNOWN:
        should = ""
    elif fault is None:
        should = says
    elif wanted is not None:
        should = describe(wanted)
    elif _wants_local(facts.guest) and isinstance(facts.guest.zone, Unknown):
        should = "the local time of the guest's zone"
    else:
        # No clock would cure it: what is wrong is the guest's side.
        should = says
    return Hop(name, says, should, (cite(says, definition),))


def _stored(stored: Fact[Clock], definition: Fact[Clock]) -> Hop:
    """What stands on the host should be what the manager would write now."""
    says, will = _clock(stored), value_of(definition)
    should = "" if will is None or isinstance(stored, Unknown) else describe(will.base)
    return Hop("definition", says, should, (cite(says, stored),))


def _live(live: Fact[Clock], definition: Fact[Clock]) -> Hop:
    says = _clock(live)
    defined = value_of(definition)
    should = says if defined is None else describe(defined.base)
    return Hop("live definition", says, should, (cite(says, live),))


def _clock(fact: Fact[Clock]) -> str:
    clock = value_of(fact)
    return "unknown" if clock is None else describe(clock.base)


def _host(facts: Facts, wrong: bool) -> list[Hop]:
    """The zones of the host, where the clock depends on them."""
    definition = value_of(facts.definition)
    base: Base | None = definition.base if definition else None
    wanted = value_of(facts.guest.zone) if _wants_local(facts.guest) else None
    match base:
        case Localtime():
            known = value_of(facts.host.zone)
            says = known or "unknown"
            should = (wanted if wrong and wanted else known) or ""
            return [Hop("host zone", says, should, (cite(says, facts.host.zone),))]
        case Variable(_, Basis.LOCALTIME):
            daemon = facts.host.daemon_zone
            known = daemon or value_of(facts.host.zone)
            says = known or "unknown"
            source = Evidence(
                says, "observed" if daemon else "inferred", "libvirtd's TZ, or its host's zone"
            )
            return [Hop("libvirtd's zone", says, known or "", (source,))]
        case _:
            return []


def _wants_local(guest: Guest) -> bool:
    return bool(system_of(guest).keeps_local)


def _process(process: Process | None, seen: Outlook) -> Hop:
    if process is not None and not isinstance(process.arguments, Unknown):
        says = f"-rtc {process.arguments.value}"
        zone = value_of(process.environment_zone)
        says += f" with TZ={zone}" if zone is not None else ""
        evidence = [cite(says, process.arguments)]
        if zone is not None or isinstance(process.environment_zone, Unknown):
            evidence.append(cite(f"TZ={zone}", process.environment_zone))
        return Hop("QEMU", says, says, tuple(evidence))
    if seen.start is None or isinstance(seen.start.arguments, Unknown):
        reason = seen.offset if isinstance(seen.offset, Unknown) else Unknown("not running")
        return Hop("QEMU", "unknown", "", (cite("-rtc", reason),))
    says = f"will be started with -rtc {seen.start.arguments.value}"
    if seen.start.environment_zone is not None:
        says += f" and TZ={seen.start.environment_zone}"
    evidence = [cite(says, seen.start.arguments)]
    should = says
    if seen.start.silently:
        evidence.append(Evidence("silently", "inferred", f"QEMU: {seen.start.silently}"))
        should = "a start that the host can follow"
    return Hop("QEMU", says, should, tuple(evidence))


def _rtc(facts: Facts, seen: Outlook, at: datetime, zones: Zones, tolerance: int) -> Hop:
    parts, evidence = [], []
    if facts.process is not None:
        parts.append(f"{_offset(seen.live_offset, tolerance)} now")
        evidence.append(cite(f"{_offset(seen.live_offset, tolerance)} now", seen.live_offset))
    parts.append(f"{_offset(seen.offset, tolerance)} after a cold start")
    evidence.append(cite(parts[-1], seen.offset))
    assumed = _assumed(seen, at, zones)
    should = "" if isinstance(assumed, Unknown) else _offset(assumed, tolerance)
    says = ", ".join(parts)
    offset, wanted = value_of(seen.offset), value_of(assumed)
    if offset is None:
        should = ""
    elif wanted is not None and abs(offset - wanted) < tolerance:
        should = says
    return Hop("RTC", says, should, tuple(evidence))


def _assumed(seen: Outlook, at: datetime, zones: Zones) -> Fact[int]:
    offset = value_of(seen.offset) or 0
    reading = at.replace(tzinfo=None) + timedelta(seconds=offset)
    return system_of(seen.guest).assumed_offset(seen.guest, reading, zones.guest)


def _offset(fact: Fact[int], tolerance: int) -> str:
    seconds = value_of(fact)
    if seconds is None:
        return "unknown"
    # A reading is a second or two off at times; the offset meant is a whole quarter of an hour.
    quarters = round(seconds / _QUARTER) * _QUARTER
    seconds = quarters if abs(seconds - quarters) < tolerance else seconds
    if not seconds:
        return "UTC"
    return f"UTC {'+' if seconds > 0 else '-'} {duration(seconds)}"


def _guest(guest: Guest) -> Hop:
    system = system_of(guest)
    match system.keeps_local:
        case None:
            says = "unknown system"
        case False:
            says = f"{system.label}: takes the RTC for UTC"
        case True:
            says = f"{system.label}: takes the RTC for local time"
    evidence = [cite(system.label, guest.kind)]
    zone = value_of(guest.zone)
    if zone is not None:
        says += f", zone {zone}"
    if zone is not None or system.keeps_local:
        evidence.append(cite(f"zone {zone or 'unknown'}", guest.zone))
    if guest.system == "windows":
        bias = value_of(guest.bias_minutes)
        evidence.append(cite(f"bias {'unknown' if bias is None else bias}", guest.bias_minutes))
        says += "" if bias is None else f", saved bias {bias} min"
    return Hop("guest", says, "" if system.keeps_local is None else says, tuple(evidence))
