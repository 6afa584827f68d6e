"""CLK4xx: summer time moves one side of the law and not the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from guestclock.clock import Absolute, describe
from guestclock.cures import right_base
from guestclock.evidence import value_of
from guestclock.exposure import Exposure, Life, clock_zone, next_fault
from guestclock.findings.cure import join, right_clock, universal
from guestclock.findings.finding import Case, Evidence, Finding, Rule, Severity
from guestclock.findings.sides import (
    all_evidence,
    clock_of,
    gap,
    outcome,
    wanted_offset,
)
from guestclock.words import behind_or_ahead, duration, from_utc, instant
from guestclock.zones import Transition, Zones, next_transition, process_zone

_HORIZON = timedelta(days=400)


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
        until = case.at + _HORIZON
        guest = case.outlook.guest
        found = next_fault(case.facts, guest, case.at, until, case.zones, case.tolerance)
        if found is not None:
            severity = Severity.NOTE if found.life.passes else Severity.WARNING
            yield _finding(case, severity, found.zone, found.change, _what_happens(found))


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
    change = next_transition(process_zone(name, case.zones.host).zone, case.at, case.at + _HORIZON)
    if change is None:
        return
    step = change.after - change.before
    who = "a guest that saves its offset, as Windows does," if guest.system == "unknown" else "it"
    yield _finding(
        case,
        Severity.NOTE if guest.system == "unknown" else Severity.WARNING,
        name,
        change,
        f"if {who} is off over the change of {name} at {instant(change.at)}, its first boot "
        f"after it is {behind_or_ahead(step)} of where it was",
    )


def _what_happens(found: Exposure) -> str:
    step = found.change
    where = f"the change of {found.zone} at {instant(step.at)}"
    off = behind_or_ahead(found.error)
    match found.life:
        case Life.OFF:
            return f"if it is off over {where}, its first boot after it is {off}"
        case Life.AFTER:
            return f"from {where} on, a cold start is {off}"
        case Life.HOURS_BEFORE:
            return f"in the {duration(step.before)} before {where}, a boot is {off}"
        case Life.HOURS_AFTER:
            return f"in the {duration(step.after)} after {where}, a boot is {off}"


def _finding(case: Case, severity: Severity, zone: str, step: Transition, observed: str) -> Finding:
    clock = clock_of(case)
    assert clock is not None
    says = f"{zone} goes from {from_utc(step.before)} to {from_utc(step.after)}"
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
