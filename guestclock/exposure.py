"""Until when a machine's cold starts stay right: the law at every change of a zone ahead.

A clock is right for good only if both sides of the law are equal at every possible next boot. A
changed zone moves one side or the other, so only the instants of the changes need to be looked
at, in two lives of the machine: off over the change, and running over it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from guestclock.clock import Basis, Localtime, Variable, Zone
from guestclock.evidence import Unknown, value_of
from guestclock.guest import Guest, bias_at, zone_of
from guestclock.machine import Facts, boot_error, next_start
from guestclock.zones import Zones, next_transition, process_zone


class Life(Enum):
    """How the machine spent the change of a zone."""

    OFF = "off over the change"
    RUNNING = "started after the change"


@dataclass(frozen=True, slots=True)
class Exposure:
    """The first cold start that will be wrong: from `at` on, by `error` seconds."""

    at: datetime
    life: Life
    error: int
    zone: str


def next_fault(
    facts: Facts, at: datetime, until: datetime, zones: Zones, tolerance: int = 5
) -> Exposure | None:
    """The first change of a zone in (at, until] after which a cold start is wrong, or None.

    For Windows a machine that is off keeps the bias of before the change, one that ran over it
    has saved the new one. An unknown error is no fault here: it is reported as unknown.
    """
    for change, name in _changes(facts, at, until, zones):
        for life in Life:
            guest = _guest_after(facts.guest, change, life, zones)
            _, offset = next_start(facts, change, zones)
            error = value_of(boot_error(guest, offset, change, zones))
            if error is not None and abs(error) >= tolerance:
                return Exposure(change, life, error, name)
    return None


def _changes(
    facts: Facts, at: datetime, until: datetime, zones: Zones
) -> list[tuple[datetime, str]]:
    found: dict[datetime, str] = {}
    for name, zone in _zones_at_work(facts, zones):
        after = at
        while change := next_transition(zone, after, until):
            found.setdefault(change.at, name)
            after = change.at
    return sorted(found.items())


def _zones_at_work(facts: Facts, zones: Zones) -> list[tuple[str, ZoneInfo]]:
    """Every zone that one side of the law follows, each in the rules of who follows it."""
    work: list[tuple[str, ZoneInfo]] = []
    definition = value_of(facts.definition)
    if definition is not None:
        host = value_of(facts.host.zone)
        name = None
        match definition.base:
            case Localtime():
                name = host
            case Zone(zone_name):
                name = zone_name
            case Variable(_, Basis.LOCALTIME):
                name = facts.host.daemon_zone or host
        if name is not None:
            work.append((name, process_zone(name, zones.host).zone))
    guest_zone = value_of(facts.guest.zone)
    if guest_zone is not None:
        for rules in (zones.truth, zones.guest):
            zone = zone_of(facts.guest, rules)
            if not isinstance(zone, Unknown):
                work.append((guest_zone, zone.value))
    return work


def _guest_after(guest: Guest, change: datetime, life: Life, zones: Zones) -> Guest:
    if guest.system != "windows":
        return guest
    ran_at = change - timedelta(seconds=1) if life is Life.OFF else change
    return replace(guest, bias_minutes=bias_at(guest, ran_at, zones.guest))
