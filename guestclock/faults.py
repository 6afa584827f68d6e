"""The classes of fault: what kind of step it is that a guest's clock takes at a start."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from guestclock.clock import Absolute, Base, Variable
from guestclock.evidence import Unknown, value_of
from guestclock.guest import system_of, zone_of
from guestclock.machine import Facts, Outlook
from guestclock.zones import Zones, next_transition

_QUARTER = 15 * 60
_YEAR = timedelta(days=370)


class Fault(Enum):
    """The class of a wrong cold start."""

    ZONE_STEP = "whole-zone step"
    DST_STEP = "DST step"
    DOUBLE_FIX = "double fix"
    FROZEN = "frozen"
    WRAPPED = "wrapped"
    OTHER_STEP = "other step"
    UNKNOWN = "unknown"


def classify(
    facts: Facts, seen: Outlook, at: datetime, zones: Zones, tolerance: int = 5
) -> Fault | None:
    """The class of the next cold start's fault, None where it is right.

    A machine that cannot be judged is `UNKNOWN`, unless its clock alone is a fault: an absolute
    start is frozen for every guest.
    """
    definition = value_of(facts.definition)
    if definition is None:
        return Fault.UNKNOWN
    error = value_of(seen.after_cold_start)
    if error is not None and abs(error) < tolerance and not isinstance(definition.base, Absolute):
        return None
    if (seen.start and seen.start.wrapped) or _is_far(definition.base):
        return Fault.WRAPPED
    if isinstance(definition.base, Absolute):
        return Fault.FROZEN
    if error is None:
        return Fault.ZONE_STEP if off_by_its_zone(facts, seen) else Fault.UNKNOWN
    offset = value_of(seen.offset)
    if facts.guest.system == "windows-universal" and offset:
        return Fault.DOUBLE_FIX
    if offset and abs(error) in _summer_steps(facts, at, zones):
        return Fault.DST_STEP
    return Fault.ZONE_STEP if error % _QUARTER == 0 else Fault.OTHER_STEP


def _is_far(base: Base) -> bool:
    """An adjustment that QEMU's 32 bits cannot hold, or not even the calendar."""
    return isinstance(base, Variable) and abs(base.adjustment) > 2**31 + 86400


def off_by_its_zone(facts: Facts, seen: Outlook) -> bool:
    """Whether a local guest of an unknown zone starts at UTC: wrong in every zone but UTC."""
    guest, offset = facts.guest, value_of(seen.offset)
    if guest.system == "dos" or not system_of(guest).keeps_local or offset != 0:
        return False
    return isinstance(guest.zone, Unknown) and isinstance(guest.bias_minutes, Unknown)


def _summer_steps(facts: Facts, at: datetime, zones: Zones) -> set[int]:
    """By how many seconds the guest's zone changes within a year of `at`, without signs."""
    zone = zone_of(facts.guest, zones.truth)
    if isinstance(zone, Unknown):
        return set()
    steps, after = set(), at - _YEAR
    while change := next_transition(zone.value, after, at + _YEAR):
        steps.add(abs(change.after - change.before))
        after = change.at
    return steps
