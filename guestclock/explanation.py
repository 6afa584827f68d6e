"""Why one machine's clock is right or wrong: the verdict, the fault, hop by hop, the cure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from guestclock.clock import Base, Zone
from guestclock.cures import Cure, cure_for, cures_base
from guestclock.evidence import Fact, Unknown, value_of
from guestclock.exposure import Exposure, Life, clock_zone, next_fault
from guestclock.faults import Fault, classify
from guestclock.findings.finding import Branch
from guestclock.hops import Hop, hops_of
from guestclock.machine import Facts, Identity, Machine, Outlook, outlook
from guestclock.words import behind_or_ahead, duration, instant
from guestclock.zones import Zones

HORIZON = timedelta(days=800)
"""How far ahead an explanation looks for a change of a zone: over two summers."""


@dataclass(frozen=True, slots=True)
class Within:
    """What a machine's platform can do: the best clock it can write, and the cheapest cure."""

    base: Base
    cure: Cure


@dataclass(frozen=True, slots=True)
class Ahead:
    """An operation that a platform offers, and the clock error in seconds after it.

    `name` is the platform's word ("soft reboot", "live migration to compute2"). `regenerates` is
    whether it writes the definition anew, None where that hangs on something; `hangs_on` says on
    what the outcome hangs, empty where on nothing.
    """

    name: str
    error: Fact[int]
    regenerates: bool | None
    hangs_on: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a machine's platform adds to its explanation.

    `hops` come before the definition, such as an image and an instance. `within` is what the
    platform that writes the definition can do, None where anyone may define a clock. `ahead` are
    its operations, `history` what its records show of how the machine came to be so, a sentence
    each, and `tree` what descends from what around it.
    """

    hops: tuple[Hop, ...] = ()
    within: Within | None = None
    ahead: tuple[Ahead, ...] = ()
    history: tuple[str, ...] = ()
    tree: tuple[Branch, ...] = ()


NOTHING_TOLD = Told()


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is said of one machine; `exposure` is when it goes wrong, if it is right now."""

    machine: Identity
    verdict: str
    fault: Fault | None
    hops: tuple[Hop, ...]
    seen: Outlook
    exposure: Exposure | None
    cure: Cure | None
    told: Told = NOTHING_TOLD


def explain(
    machine: Machine, at: datetime, zones: Zones, told: Told = NOTHING_TOLD, tolerance: int = 5
) -> Explanation:
    """Explain a machine whose next cold start would be at `at`; `told` is by its platform.

    Errors below `tolerance` seconds are none.
    """
    facts = machine.facts
    seen = outlook(facts, at, zones)
    fault = classify(facts, seen, at, zones, tolerance)
    exposure = None
    if fault is None:
        exposure = next_fault(facts, seen.guest, at, at + HORIZON, zones, tolerance)
    by_hand = machine.identity.platform == "qemu"
    within = told.within
    wanted = within.base if within else cures_base(facts, at, zones, tolerance)
    cure = within.cure if within else cure_for(facts, at, zones, tolerance, by_hand)
    return Explanation(
        machine=machine.identity,
        verdict=verdict(machine, seen, fault, exposure, tolerance),
        fault=fault,
        hops=told.hops + hops_of(facts, seen, at, zones, tolerance, fault, wanted),
        seen=seen,
        exposure=exposure,
        cure=cure if fault else None,
        told=told,
    )


def verdict(
    machine: Machine, seen: Outlook, fault: Fault | None, exposure: Exposure | None, tolerance: int
) -> str:
    """The one sentence: what the clock is now and will be, and why."""
    cold, now, name = seen.after_cold_start, seen.now, machine.identity.name
    if isinstance(cold, Unknown) and fault is Fault.ZONE_STEP:
        return (
            f"{name} will be wrong by its zone's offset after its next cold start, unless its "
            f"zone is UTC: {cold}"
        )
    if isinstance(cold, Unknown):
        text = f"whether {name} will be right after its next cold start is unknown: {cold}"
        return f"{text}; {_frozen(fault)}" if fault in _FROZEN else text
    if fault is None:
        return _right(machine, seen, exposure, tolerance)
    will = f"{name} will be {behind_or_ahead(cold.value, tolerance)} after its next cold start"
    if fault in _FROZEN:
        will += f": {_frozen(fault)}"
    current = value_of(now)
    if current is None:
        return will
    if abs(current) < tolerance:
        return f"{will}; it is right now only because its user set it"
    if abs(current - cold.value) < tolerance:
        return f"{will}, as it is now"
    return f"{will}; it is {behind_or_ahead(current, tolerance)} now"


_FROZEN = (Fault.FROZEN, Fault.WRAPPED)


def _frozen(fault: Fault | None) -> str:
    if fault is Fault.WRAPPED:
        return "its start lies more than 68 years from the host's clock, where QEMU wraps it"
    return "every cold start begins at the same instant again"


def _right(machine: Machine, seen: Outlook, exposure: Exposure | None, tolerance: int) -> str:
    name = machine.identity.name
    current = value_of(seen.now)
    if current is not None and abs(current) >= tolerance:
        off = behind_or_ahead(current, tolerance)
        text = f"{name} is {off} now and will be right after its next cold start"
    elif current is not None:
        text = f"{name} is right, and will be after its next cold start"
    else:
        text = f"{name} will be right after its next cold start"
    if exposure is None:
        return f"{text}, {_how_long(machine.facts, seen)}"
    off = behind_or_ahead(exposure.error, tolerance)
    step = exposure.change
    change = f"the change of {exposure.zone} at {instant(step.at)}"
    match exposure.life:
        case Life.OFF:
            return f"{text}, until {change}: off over it, it starts {off}"
        case Life.AFTER:
            return f"{text}, until {change}: from then on it starts {off}"
        case Life.HOURS_BEFORE:
            hours = duration(step.before)
            return f"{text}, but for the {hours} before {change}, in which it starts {off}"
        case Life.HOURS_AFTER:
            hours = duration(step.after)
            return f"{text}, but for the {hours} after {change}, in which it starts {off}"


def _how_long(facts: Facts, seen: Outlook) -> str:
    """Why nothing known will change it, and what would."""
    followed = clock_zone(facts)
    definition = value_of(facts.definition)
    if followed is not None and definition and not isinstance(definition.base, Zone):
        return f"and after any other for as long as its host is in {value_of(followed)}"
    if value_of(seen.offset) == 0:
        return "and after any other: its RTC starts at UTC, and it takes it for UTC"
    return "and after any other: its RTC and its guest follow the same offset"
