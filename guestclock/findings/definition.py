"""CLK3xx: what runs differs from what is written down, and the next cold start takes the latter."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.clock import Absolute, Base, Clock, Variable, describe
from guestclock.evidence import Unknown, value_of
from guestclock.findings.cause import adjustment_lost
from guestclock.findings.cure import define, join, right_clock, universal
from guestclock.findings.finding import Case, Finding, Rule, Severity, cite
from guestclock.findings.sides import (
    clock_of,
    definition_evidence,
    gap,
    guest_evidence,
    is_zone_like,
    outcome,
    who,
)
from guestclock.guest import system_of
from guestclock.words import behind_or_ahead, duration, from_utc


def adjustment_is_lost(case: Case) -> Iterator[Finding]:
    """CLK301: libvirt keeps a guest's corrections only until its QEMU process ends."""
    clock = clock_of(case)
    if clock is None or not isinstance(clock.base, Variable):
        return
    if case.facts.hardware.ignores_rtc:
        return
    lost = adjustment_lost(case)
    if lost is not None:
        yield _lost(case, clock.base, lost)
    elif case.facts.process is None and system_of(case.facts.guest).keeps_local:
        yield Finding(
            "CLK301",
            Severity.NOTE,
            "domain",
            "an adjustment that follows what the guest writes to its RTC",
            f"{describe(clock.base)} starts anew from the definition, whatever "
            f"{who(case.facts.guest)} has corrected, summer time for one",
            (definition_evidence(case), *guest_evidence(case)),
            join(right_clock(case), universal(case)),
        )


def _lost(case: Case, base: Variable, lost: int) -> Finding:
    live = case.facts.live
    assert live is not None
    assert not isinstance(live, Unknown)
    severity, ends = Severity.WARNING, "lost at the next cold start"
    if case.cause == "CLK301":
        severity, ends = Severity.ERROR, f"lost at the next cold start: {outcome(case)}"
    elif _will_be_right(case):
        severity, ends = Severity.NOTE, "undone at the next cold start, which will be right"
    mine = live.value.base
    return Finding(
        "CLK301",
        severity,
        "live definition",
        f"the running adjustment in the definition: {describe(mine)}",
        f"the definition has {describe(base)}, so that {duration(lost)} are {ends}",
        (
            cite(f"live <clock {describe(mine)}>", live),
            definition_evidence(case),
            *guest_evidence(case),
        ),
        right_clock(case) if _will_be_right(case) else define(case, mine),
    )


def _will_be_right(case: Case) -> bool:
    error = gap(case.facts, case.outlook, case)
    return error is not None and abs(error) < case.tolerance


def live_differs(case: Case) -> Iterator[Finding]:
    """CLK302: the definition was changed while the machine ran; it takes a cold start."""
    clock, live = value_of(case.facts.stored or case.facts.definition), case.facts.live
    if clock is None or live is None or isinstance(live, Unknown):
        return
    differences = list(_differences(live.value, clock))
    if not differences:
        return
    moves = not _same_base(live.value.base, clock.base)
    right = _will_be_right(case) or not moves
    yield Finding(
        "CLK302",
        Severity.NOTE if right else Severity.WARNING,
        "live definition",
        "a running machine that was started from its definition",
        f"{'; '.join(differences)}: this takes effect at the next cold start",
        (
            cite(f"live <clock {describe(live.value.base)}>", live),
            definition_evidence(case),
        ),
        "stop and start the machine at a time of your choice; a reboot inside it changes nothing",
    )


def _differences(live: Clock, clock: Clock) -> Iterator[str]:
    if not _same_base(live.base, clock.base):
        yield f"{describe(live.base)} runs, {describe(clock.base)} is defined"
    if live.timers != clock.timers:
        mine, theirs = set(live.timers), set(clock.timers)
        names = sorted({timer.name for timer in mine ^ theirs})
        yield f"other timers are defined ({', '.join(names)})" if names else "timers are reordered"


def _same_base(live: Base, base: Base) -> bool:
    """Adjustments are CLK301's matter: the guest moves the live one by itself."""
    return live == base or (isinstance(live, Variable) and isinstance(base, Variable))


def guest_corrected(case: Case) -> Iterator[Finding]:
    """CLK303: the running RTC was moved since the start, and a cold start will move it back."""
    clock, process = clock_of(case), case.facts.process
    if clock is None or process is None or case.facts.hardware.ignores_rtc:
        return
    # An absolute clock is never where its next cold start puts it.
    if isinstance(clock.base, Absolute) or adjustment_lost(case) is not None:
        return
    now, then = process.rtc_offset, value_of(case.outlook.offset)
    if isinstance(now, Unknown) or then is None or abs(now.value - then) < case.tolerance:
        return
    right = _will_be_right(case)
    yield Finding(
        "CLK303",
        Severity.WARNING,
        "process",
        f"a running RTC where the next cold start puts it, {from_utc(then)}",
        f"it runs {from_utc(now.value)}{_now(case)}, and the next cold start moves it by "
        f"{duration(then - now.value)}",
        (cite(f"RTC {from_utc(now.value)}", now), definition_evidence(case), *guest_evidence(case)),
        "stop and start the machine" if right else right_clock(case),
    )


def _now(case: Case) -> str:
    """What the running RTC means for the guest, or which guest would have set it so."""
    error = value_of(case.outlook.now)
    if error is not None:
        state = behind_or_ahead(error, case.tolerance)
        return f" (the guest is {state} now)"
    moved = (value_of(case.outlook.live_offset) or 0) - (value_of(case.outlook.offset) or 0)
    if case.facts.guest.system == "unknown" and is_zone_like(moved):
        return " (as a guest sets it that keeps local time)"
    return ""


RULES = (
    Rule(
        "CLK301",
        "adjustment-lost",
        "What a guest corrected in a variable clock is gone at the next cold start.",
        adjustment_is_lost,
    ),
    Rule(
        "CLK302",
        "live-differs",
        "The machine runs with another clock than its definition has.",
        live_differs,
    ),
    Rule(
        "CLK303",
        "guest-corrected",
        "The running RTC is not where the next cold start will put it.",
        guest_corrected,
    ),
)
