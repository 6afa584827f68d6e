"""Until when a machine's cold starts stay right: the law around every change of a zone ahead.

A clock is right for good only if both sides of the law are equal at every possible next boot. A
change of a zone moves one side or the other, so the law is asked around each of them, for the
lives that a machine may have had: off over the change, or running until after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from guestclock.clock import Absolute, Basis, Localtime, Variable, Zone
from guestclock.evidence import Fact, Observed, Unknown, derive, value_of
from guestclock.guest import Guest, bias_at, system_of, zone_of
from guestclock.machine import Facts, boot_error, next_start
from guestclock.zones import Transition, Zones, next_transition, process_zone

_SETTLED = timedelta(days=1)
"""A day after a change no system misreads it any more, and a zone next door has changed too."""


class Life(Enum):
    """How a machine meets a change of a zone, and is wrong for it."""

    OFF = "off over the change"
    AFTER = "started after the change"
    HOURS_BEFORE = "started in the hours before the change"
    HOURS_AFTER = "started in the hours after the change"

    @property
    def passes(self) -> bool:
        """Whether the fault passes within hours."""
        return self in (Life.HOURS_BEFORE, Life.HOURS_AFTER)


@dataclass(frozen=True, slots=True)
class Exposure:
    """A change of a zone at which cold starts go wrong, by `error` seconds."""

    zone: str
    change: Transition
    life: Life
    error: int


def next_fault(
    facts: Facts, guest: Guest, at: datetime, until: datetime, zones: Zones, tolerance: int = 5
) -> Exposure | None:
    """The first change in (at, until] after which cold starts are wrong, or None.

    What lasts counts first; what passes within hours counts where nothing lasts. `guest` has the
    bias that is saved at `at`. An unknown error is no fault here: it is reported as unknown. A
    frozen clock has no change to meet.
    """
    definition = value_of(facts.definition)
    if definition is None or isinstance(definition.base, Absolute) or facts.hardware.ignores_rtc:
        return None
    view = _View(facts, guest, zones, tolerance)
    changes = _changes(facts, at, until, zones)
    return next(view.lasting(changes), None) or next(view.passing(changes), None)


@dataclass(frozen=True, slots=True)
class _Change:
    zone: str
    step: Transition


@dataclass(frozen=True, slots=True)
class _View:
    """One machine, asked at one moment after the other."""

    facts: Facts
    guest: Guest
    zones: Zones
    tolerance: int

    def lasting(self, changes: list[_Change]) -> Iterator[Exposure]:
        for change in changes:
            later = change.step.at + _SETTLED
            if self.guest.system == "windows":
                # Windows that is off keeps the bias of before the change.
                before = self._saved(change.step.at - timedelta(seconds=1))
                error = self._error(before or self.guest, later)
                if error is not None:
                    yield Exposure(change.zone, change.step, Life.OFF, error)
            error = self._error(self._saved(later), later)
            if error is not None:
                yield Exposure(change.zone, change.step, Life.AFTER, error)

    def passing(self, changes: list[_Change]) -> Iterator[Exposure]:
        """systemd takes the wrong side in the hours between the change and the RTC reaching it."""
        if self.guest.system == "windows":
            return
        for change in changes:
            moments = (
                (change.step.at - timedelta(seconds=1), Life.HOURS_BEFORE),
                (change.step.at, Life.HOURS_AFTER),
            )
            for moment, life in moments:
                error = self._error(self.guest, moment)
                if error is not None:
                    yield Exposure(change.zone, change.step, life, error)

    def _saved(self, ran: datetime) -> Guest | None:
        """The guest after it last ran at `ran`; None where what it saved then is not known."""
        if self.guest.system != "windows":
            return self.guest
        bias = bias_at(self.guest, ran, self.zones.guest)
        return None if isinstance(bias, Unknown) else replace(self.guest, bias_minutes=bias)

    def _error(self, guest: Guest | None, at: datetime) -> int | None:
        if guest is None:
            return None
        _, offset = next_start(self.facts, at, self.zones)
        error = value_of(boot_error(guest, offset, at, self.zones))
        return error if error is not None and abs(error) >= self.tolerance else None


def clock_zone(facts: Facts) -> Fact[str] | None:
    """The zone that the clock follows, unknown where the host's is; None where it follows none."""
    definition = facts.definition
    if isinstance(definition, Unknown):
        return None
    match definition.value.base:
        case Zone(name):
            return derive(definition, lambda _: name, definition.where)
        case Localtime():
            return facts.host.zone
        case Variable(_, Basis.LOCALTIME):
            daemon = facts.host.daemon_zone
            if daemon is None:
                return facts.host.zone
            return Observed(daemon, "TZ in libvirtd's environment")
        case _:
            return None


def _changes(facts: Facts, at: datetime, until: datetime, zones: Zones) -> list[_Change]:
    """The changes ahead of the zones that the two sides follow, the nearest first."""
    found: dict[datetime, _Change] = {}
    for name, zone in _followed(facts, zones):
        after = at
        while change := next_transition(zone, after, until):
            found.setdefault(change.at, _Change(name, change))
            after = change.at
    return [found[moment] for moment in sorted(found)]


def _followed(facts: Facts, zones: Zones) -> Iterator[tuple[str, ZoneInfo]]:
    """Each in the rules of the one who follows it: the host's, the guest's own."""
    followed = clock_zone(facts)
    name = value_of(followed) if followed is not None else None
    if name is not None:
        yield name, process_zone(name, zones.host).zone
    own = zone_of(facts.guest, zones.guest)
    if not isinstance(own, Unknown) and system_of(facts.guest).keeps_local:
        yield value_of(facts.guest.zone) or "", own.value
