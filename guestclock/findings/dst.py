"""CLK4xx: summer time moves one side of the law and not the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from guestclock.clock import Absolute, describe
from guestclock.cures import right_base
from guestclock.evidence import Unknown, value_of
from guestclock.findings.cure import join, right_clock, universal
from guestclock.findings.finding import Case, Evidence, Finding, Rule, Severity
from guestclock.findings.sides import (
    all_evidence,
    clock_of,
    clock_zone,
    gap,
    keeps_local,
    outcome,
    wanted_offset,
)
from guestclock.guest import Guest, bias_at, zone_of
from guestclock.machine import boot_error, next_start
from guestclock.words import behind_or_ahead, duration, from_utc, instant
from guestclock.zones import Transition, Zones, next_transition, process_zone

_HORIZON = timedelta(days=400)
_SETTLED = timedelta(days=1)
"""A day after a change all systems have stopped misreading it, and so has a zone next door."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of a zone that one side of the law follows."""

    zone: str
    step: Transition


def dst_exposure(case: Case) -> Iterator[Finding]:
    """CLK401: right now, and wrong at a cold start after the next change of a zone."""
    clock = clock_of(case)
    if case.facts.hardware.ignores_rtc or clock is None:
        return
    if case.cause == "CLK401":
        yield _already(case)
    elif case.cause is not None or isinstance(clock.base, Absolute):
        return
    elif gap(case.facts, case.outlook, case) is None:
        yield from _if_it_was_right(case)
    else:
        changes = _changes(case)
        # What lasts comes first; what passes in hours counts where nothing lasts.
        found = next(_lasting(case, changes), None) or next(_passing(case, changes), None)
        if found is not None:
            yield found


def _already(case: Case) -> Finding:
    clock, wanted = clock_of(case), value_of(wanted_offset(case, case.zones))
    offset = value_of(case.outlook.offset)
    assert clock is not None
    assert wanted is not None
    assert offset is not None
    return Finding(
        "CLK401",
        Severity.ERROR,
        "domain",
        f"an RTC that starts {from_utc(wanted)}, as the guest still takes it",
        f"{describe(clock.base)} starts it {from_utc(offset)}: {outcome(case)}",
        all_evidence(case),
        join("set the time in the guest once after the start, which NTP does", _for_good(case)),
    )


def _if_it_was_right(case: Case) -> Iterator[Finding]:
    """Neither zone nor bias is known: the step alone is."""
    guest, zone = case.facts.guest, clock_zone(case.facts)
    name = value_of(zone) if zone is not None else None
    if name is None or guest.system not in ("windows", "unknown"):
        return
    change = _next_change(process_zone(name, case.zones.host).zone, case.at, case.at + _HORIZON)
    if change is None:
        return
    step = change.after - change.before
    who = "a guest that saves its offset, as Windows does," if guest.system == "unknown" else "it"
    yield _finding(
        case,
        Severity.NOTE if guest.system == "unknown" else Severity.WARNING,
        _Change(name, change),
        f"if {who} is off over the change of {name} at {instant(change.at)}, its first boot "
        f"after it is {behind_or_ahead(step)} of where it was",
    )


def _lasting(case: Case, changes: list[_Change]) -> Iterator[Finding]:
    for change in changes:
        at = change.step.at
        where = f"the change of {change.zone} at {instant(at)}"
        later = at + _SETTLED
        if case.facts.guest.system == "windows":
            before = _saved(case.outlook.guest, at - timedelta(seconds=1), case)
            off = _error(case, before or case.outlook.guest, later)
            if off is not None:
                ends = f"its first boot after it is {behind_or_ahead(off)}"
                text = f"if it is off over {where}, {ends}"
                yield _finding(case, Severity.WARNING, change, text)
        ran = _error(case, _saved(case.outlook.guest, later, case), later)
        if ran is not None:
            text = f"from {where} on, a cold start is {behind_or_ahead(ran)}"
            yield _finding(case, Severity.WARNING, change, text)


def _passing(case: Case, changes: list[_Change]) -> Iterator[Finding]:
    """systemd takes the wrong side in the hours between the change and the RTC reaching it."""
    for change in changes:
        at = change.step.at
        for moment in (at - timedelta(seconds=1), at):
            error = _error(case, case.outlook.guest, moment)
            if error is None or case.facts.guest.system == "windows":
                continue
            hours = duration(change.step.before if moment < at else change.step.after)
            side = "before" if moment < at else "after"
            yield _finding(
                case,
                Severity.NOTE,
                change,
                f"in the {hours} {side} the change of {change.zone} at {instant(at)}, "
                f"a boot is {behind_or_ahead(error)}",
            )


def _error(case: Case, guest: Guest | None, at: datetime) -> int | None:
    """The error in seconds of a cold start at `at`, None where it is none or not known."""
    if guest is None:
        return None
    _, offset = next_start(case.facts, at, case.zones)
    error = value_of(boot_error(guest, offset, at, case.zones))
    return error if error is not None and abs(error) >= case.tolerance else None


def _saved(guest: Guest, ran: datetime, case: Case) -> Guest | None:
    """The guest after it last ran at `ran`; None where what it saved then is not known."""
    if guest.system != "windows":
        return guest
    bias = bias_at(guest, ran, case.zones.guest)
    return None if isinstance(bias, Unknown) else replace(guest, bias_minutes=bias)


def _changes(case: Case) -> list[_Change]:
    """The changes ahead of the zones that the two sides follow, the nearest first."""
    until = case.at + _HORIZON
    work: list[tuple[str, ZoneInfo]] = []
    followed = clock_zone(case.facts)
    name = value_of(followed) if followed is not None else None
    if name is not None:
        work.append((name, process_zone(name, case.zones.host).zone))
    own = zone_of(case.facts.guest, case.zones.guest)
    if not isinstance(own, Unknown) and keeps_local(case.facts.guest):
        work.append((value_of(case.facts.guest.zone) or "", own.value))
    found: dict[datetime, _Change] = {}
    for name, zone in work:
        after = case.at
        while change := _next_change(zone, after, until):
            found.setdefault(change.at, _Change(name, change))
            after = change.at
    return [found[at] for at in sorted(found)]


@lru_cache(maxsize=4096)
def _next_change(zone: ZoneInfo, after: datetime, until: datetime) -> Transition | None:
    return next_transition(zone, after, until)


def _finding(case: Case, severity: Severity, change: _Change, observed: str) -> Finding:
    clock = clock_of(case)
    assert clock is not None
    step = change.step
    says = f"{change.zone} goes from {from_utc(step.before)} to {from_utc(step.after)}"
    rules: Zones = case.zones
    source = f"{rules.host.name} {rules.host.release}, {rules.guest.name} {rules.guest.release}"
    return Finding(
        "CLK401",
        severity,
        "domain",
        "the same offset on both sides at every cold start",
        f"{describe(clock.base)}: {observed}",
        (*all_evidence(case), Evidence(says, "inferred", source)),
        _for_good(case),
    )


def _for_good(case: Case) -> str:
    clock, guest = clock_of(case), case.facts.guest
    base = right_base(guest)
    better = base is not None and clock is not None and clock.base != base
    first = right_clock(case) if better else ""
    match guest.system:
        case "windows":
            return join(first, universal(case).removeprefix("" if first else "or "))
        case "linux-local":
            second = "let the guest keep UTC (timedatectl set-local-rtc 0) with offset='utc'"
            return join(first, second)
        case "freebsd-local":
            second = "let the guest keep UTC (remove /etc/wall_cmos_clock) with offset='utc'"
            return join(first, second)
        case _:
            return first or right_clock(case)


RULES = (
    Rule(
        "CLK401",
        "dst-exposure",
        "A change of summer time moves the clock or the guest, but not both.",
        dst_exposure,
    ),
)
