"""What another clock would make of a machine, tried by the law; equal machines are tried once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from guestclock.audit import Judge
from guestclock.clock import Base
from guestclock.evidence import Assumed, Unknown, value_of
from guestclock.exposure import next_fault
from guestclock.machine import Facts, outlook

_YEAR = timedelta(days=366)
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether the next cold start would be right, and in words what the year after it brings.

    `lasts` is whether it stays right over every change of a zone within that year.
    """

    holds: bool
    lasts: bool
    why: str


_UNTRIED = Trial(False, False, "")


class Trials:
    """Tries clocks for cold starts at the judge's moment."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        # Facts are kept with what was found, so that no other object can get their id.
        self._by_id: dict[tuple[int, Base], tuple[Facts, Trial]] = {}
        self._by_facts: dict[tuple[Facts, Base], Trial] = {}

    def __call__(self, facts: Facts, base: Base) -> Trial:
        """What `base` would make of a machine with these facts."""
        kept = self._by_id.get((id(facts), base))
        if kept is not None:
            return kept[1]
        if len(self._by_id) >= _REMEMBERED:
            self._by_id.clear()
            self._by_facts.clear()
        tried = self._by_facts.get((facts, base))
        if tried is None:
            tried = self._by_facts[facts, base] = self._tried(facts, base)
        self._by_id[id(facts), base] = (facts, tried)
        return tried

    def _tried(self, facts: Facts, base: Base) -> Trial:
        if isinstance(facts.definition, Unknown):
            return _UNTRIED
        judge = self._judge
        clock = replace(facts.definition.value, base=base)
        cured = replace(facts, definition=Assumed(clock, "the plan"))
        seen = outlook(cured, judge.at, judge.zones)
        error = value_of(seen.after_cold_start)
        if error is None or abs(error) >= judge.tolerance:
            return _UNTRIED
        until = judge.at + _YEAR
        fault = next_fault(cured, seen.guest, judge.at, until, judge.zones, judge.tolerance)
        if fault is None:
            return Trial(True, True, "right over every change of a zone within a year")
        when = fault.change.at.date().isoformat()
        return Trial(
            True,
            False,
            f"wrong again by {fault.error:+d} s at {when} if {fault.life.value}: only a guest "
            "that keeps UTC is right then too",
        )
