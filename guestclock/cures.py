"""The clock that would be right for a guest, and the cheapest way to get it."""

from __future__ import annotations

from dataclasses import dataclass

from guestclock.clock import Base, Utc, Variable, Zone, describe
from guestclock.evidence import Unknown, value_of
from guestclock.guest import Guest, system_of
from guestclock.machine import Facts


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


def cure_for(facts: Facts) -> Cure | None:
    """The cheapest cure of a machine whose cold start is wrong, or None where none is known."""
    base = right_base(facts.guest)
    if base is not None:
        return Cure(f"define <clock {describe(base)}/>", COLD_START)
    system = system_of(facts.guest)
    if system.keeps_local:
        return Cure(
            "define <clock offset='timezone' timezone='ZONE'/> with the guest's zone", COLD_START
        )
    if system.keeps_local is None:
        reason = facts.guest.kind
        settle = reason.settle if isinstance(reason, Unknown) else ""
        return Cure(settle or "name the guest's system with --guests", "nothing")
    return None
