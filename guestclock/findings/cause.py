"""Which one rule explains that a machine's next cold start will be wrong.

One fault is reported once. The candidates are tried from the most special to the most general,
several of them by asking the law what would be if that one thing were otherwise; CLK104 takes
what nothing else explains, so that no wrong start goes without an error.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from guestclock.clock import Absolute, Base, Basis, Variable
from guestclock.evidence import Unknown, value_of
from guestclock.findings.finding import Case
from guestclock.findings.sides import (
    FARTHEST,
    clock_of,
    follows_zone,
    gap,
    is_zone_like,
    keeps_local,
    starts_at_utc,
)
from guestclock.guest import NO_BIAS, zone_of
from guestclock.machine import Facts, outlook
from guestclock.zones import Zones, offset_at

_SUMMER = 2 * 3600
_WRAP = 2**31


def case_of(facts: Facts, at: datetime, zones: Zones, tolerance: int = 5) -> Case:
    """The case of a machine whose next cold start would be at the aware instant `at`."""
    case = Case(facts, outlook(facts, at, zones), at, zones, tolerance)
    return replace(case, cause=_cause(case))


def _cause(case: Case) -> str | None:
    clock = clock_of(case)
    if clock is None:
        return None
    error = gap(case.facts, case.outlook, case)
    if error is None:
        return _cause_of_unknown(case, clock.base)
    if abs(error) < case.tolerance:
        return None
    return _cause_of_error(case, clock.base, error)


def _cause_of_error(case: Case, base: Base, error: int) -> str:
    facts = case.facts
    if abs(error - facts.host.clock_error) < case.tolerance:
        return "CLK104"
    if facts.hardware.ignores_rtc:
        return "CLK506"
    if is_beyond(case, base):
        return "CLK502"
    if isinstance(base, Absolute):
        return "CLK501"
    if zone_is_missing(case):
        return "CLK201"
    if _was_right_by_adjustment(case, base):
        return "CLK301"
    if _would_be_right(case, replace(facts, host=replace(facts.host, daemon_zone=None))):
        return "CLK202"
    truth = replace(case.zones, host=case.zones.truth, guest=case.zones.truth)
    if _would_be_right(case, facts, truth):
        return "CLK203"
    if abs(error) <= _SUMMER and _is_summer_step(case):
        return "CLK401"
    return _cause_of_kind(case, base)


def _cause_of_kind(case: Case, base: Base) -> str:
    guest = case.facts.guest
    if keeps_local(guest):
        return "CLK101" if starts_at_utc(base, case.tolerance) else "CLK104"
    begun = case.outlook.start
    offset = value_of(begun.offset) if begun else None
    local = follows_zone(base) or (isinstance(base, Variable) and is_zone_like(base.adjustment))
    if local and offset:
        return "CLK103" if guest.system == "windows-universal" else "CLK102"
    return "CLK104"


def _cause_of_unknown(case: Case, base: Base) -> str | None:
    """What is wrong for every guest, or for a local one in every zone but UTC."""
    if is_beyond(case, base) and _is_too_far(case):
        return "CLK502"
    offset = value_of(case.outlook.offset)
    if offset is None:
        return None
    local = keeps_local(case.facts.guest)
    if case.facts.hardware.ignores_rtc:
        return "CLK506" if local else None
    if _is_too_far(case):
        return "CLK501" if isinstance(base, Absolute) else "CLK104"
    if zone_is_missing(case):
        return "CLK201"
    return "CLK101" if local and starts_at_utc(base, case.tolerance) else None


def _is_too_far(case: Case) -> bool:
    offset = value_of(case.outlook.offset)
    return offset is None or abs(offset) > FARTHEST


def is_beyond(case: Case, base: Base) -> bool:
    """Whether a date lies where QEMU wraps it or where libvirt cannot write it at all."""
    begun = case.outlook.start
    if begun is None:
        return False
    if isinstance(begun.offset, Unknown):
        match base:
            case Absolute(start):
                return abs(start - int(case.at.timestamp())) > _WRAP
            case Variable(adjustment):
                return abs(adjustment) > _WRAP
            case _:
                return False
    return isinstance(base, (Absolute, Variable)) and begun.silently is not None


def zone_is_missing(case: Case) -> bool:
    """Whether the process asks for a zone that its database lacks, and so gets UTC."""
    clock, begun = clock_of(case), case.outlook.start
    if clock is None or begun is None or isinstance(clock.base, (Absolute, Variable)):
        return False
    return begun.silently is not None


def adjustment_lost(case: Case) -> int | None:
    """Seconds of a running variable clock that its next cold start will not have, None if none.

    libvirt keeps the guest's corrections in the live definition alone, and turns
    `basis='localtime'` into UTC as it starts a machine.
    """
    clock, live = clock_of(case), case.facts.live
    if clock is None or live is None or isinstance(live, Unknown) or case.outlook.start is None:
        return None
    mine, theirs = live.value.base, clock.base
    if not isinstance(mine, Variable) or not isinstance(theirs, Variable):
        return None
    if mine == theirs:
        return None
    if mine.basis is theirs.basis:
        lost = mine.adjustment - theirs.adjustment
    else:
        begins = value_of(case.outlook.start.offset)
        if begins is None or mine.basis is Basis.LOCALTIME:
            return None
        lost = mine.adjustment - begins
    return lost if abs(lost) >= case.tolerance else None


def _was_right_by_adjustment(case: Case, base: Base) -> bool:
    now = value_of(case.outlook.now)
    right = now is not None and abs(now) < case.tolerance
    return right and adjustment_lost(case) is not None


def _would_be_right(case: Case, facts: Facts, zones: Zones | None = None) -> bool:
    """Whether the law finds no error for other facts or other zone rules but the host's own.

    A host's clock that is wrong stays wrong: it must not make up for what is asked about.
    """
    if facts == case.facts and zones in (None, case.zones):
        return False
    rules = zones or case.zones
    error = gap(facts, outlook(facts, case.at, rules), case)
    return error is not None and abs(error - facts.host.clock_error) < case.tolerance


def _is_summer_step(case: Case) -> bool:
    """Whether the guest would be right if it knew the offset of its zone at the start."""
    guest = case.facts.guest
    if guest.system == "windows":
        fresh = replace(guest, bias_minutes=NO_BIAS)
        return _would_be_right(case, replace(case.facts, guest=fresh))
    if guest.system not in ("linux-local", "freebsd-local"):
        return False
    zone, offset = zone_of(guest, case.zones.guest), value_of(case.outlook.offset)
    if isinstance(zone, Unknown) or offset is None:
        return False
    return abs(offset - offset_at(zone.value, case.at)) < case.tolerance
