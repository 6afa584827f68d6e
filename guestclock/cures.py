"""The clock that would be right for a guest, and the cheapest way to get it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from guestclock.clock import Base, Utc, Variable, Zone, describe
from guestclock.evidence import Assumed, Unknown, value_of
from guestclock.guest import Guest, system_of
from guestclock.machine import Facts, outlook
from guestclock.zones import Zones


@dataclass(frozen=True, slots=True)
class Cure:
    """What to do, and what it costs."""

    what: str
    cost: str

    def __str__(self) -> str:
        return f"{self.what} ({self.cost})"


def right_base(guest: Guest) -> Base | None:
    """The clock at which a guest's cold starts are right, or None where too little is known.

    Windows in a zone with summer time is still an hour off at its first start after a change
    that it was off over: only RealTimeIsUniversal with `utc` is right at every start.
    """
    system = system_of(guest)
    if guest.system == "openbsd":
        seconds = 60 * guest.utc_offset_minutes
        return Variable(seconds) if seconds else Utc()
    if system.keeps_local is None:
        return None
    if not system.keeps_local:
        return Utc()
    zone = value_of(guest.zone)
    if zone is not None:
        return Zone(zone)
    bias = value_of(guest.bias_minutes)
    return Variable(-60 * bias) if bias is not None else None


COLD_START = "one stop and start; a reboot inside the guest changes nothing"

_KEEP_UTC = {
    "windows": "set RealTimeIsUniversal in the guest",
    "linux-local": "let the guest keep UTC (timedatectl set-local-rtc 0)",
    "freebsd-local": "let the guest keep UTC (remove /etc/wall_cmos_clock)",
}


def in_qemus_words(base: Base) -> str:
    """How to give QEMU that clock on its own command line."""
    match base:
        case Zone(name):
            return f"give QEMU -rtc base=localtime and TZ={name} in its environment"
        case Variable(adjustment):
            start = f"$(date -u -d '{adjustment} seconds' +%Y-%m-%dT%H:%M:%S)"
            return f"give QEMU -rtc base={start}"
        case _:
            return "give QEMU -rtc base=utc"


def cures_base(facts: Facts, at: datetime, zones: Zones, tolerance: int) -> Base | None:
    """The right clock of a guest, None where it is not known or would not be right either.

    Around a change of summer time it is not: the fault is then the guest's, not the clock's.
    """
    base = right_base(facts.guest)
    if base is None or isinstance(facts.definition, Unknown):
        return None
    clock = replace(facts.definition.value, base=base)
    tried = replace(facts, definition=Assumed(clock, "the cure"))
    error = value_of(outlook(tried, at, zones).after_cold_start)
    return base if error is None or abs(error) < tolerance else None


def cure_for(
    facts: Facts, at: datetime, zones: Zones, tolerance: int = 5, by_hand: bool = False
) -> Cure | None:
    """The cheapest cure of a machine whose cold start at `at` is wrong, None where none is known.

    A clock is proposed only if the law finds the machine right with it. `by_hand` is a machine
    that QEMU's own command line defines, with no libvirt to write it.
    """
    define = in_qemus_words if by_hand else _define
    system = system_of(facts.guest)
    if isinstance(facts.definition, Unknown):
        return None
    if system.keeps_local is None:
        reason = facts.guest.kind
        settle = reason.settle if isinstance(reason, Unknown) else ""
        return Cure(settle or "name the guest's system with --guest", "nothing")
    base = cures_base(facts, at, zones, tolerance)
    if base is not None:
        return Cure(define(base), COLD_START)
    if right_base(facts.guest) is None:
        return Cure(f"{define(Zone('ZONE'))}, where ZONE is the guest's", COLD_START)
    inside = _KEEP_UTC.get(facts.guest.system)
    if inside is None:
        return None
    return Cure(
        f"{inside}, and {define(Utc())}",
        "a change inside the guest and a cold start; until then setting its time, as NTP does, "
        "holds till the next one",
    )


def _define(base: Base) -> str:
    return f"define <clock {describe(base)}/>"
