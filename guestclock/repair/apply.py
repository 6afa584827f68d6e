"""Carries a plan out, step by step; each write stands in the journal before it is done.

What was done is learnt from the machines: after a crash between a write and its line in the
journal the value is the new one, and an intent of ours says who wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from guestclock.platforms.lever import Lever, Reading, Refused, Restart
from guestclock.repair.journal import Event, History, Journal
from guestclock.repair.plan import Limits, Step
from guestclock.repair.steps import (
    Outcome,
    State,
    Wishes,
    Work,
    is_cut_short,
    restarted,
    state_of,
    turn_of,
)
from guestclock.words import instant


def apply(work: Work, journal: Journal, wishes: Wishes) -> Iterator[Outcome]:
    """Does each step that is to be done, and tells of each. A refused step stops no other.

    Where a restart took longer than the plan allows, nothing else is started anew.
    """
    for step, lever in work:
        if not wishes.limits.allow(datetime.now(UTC)):
            yield Outcome(step, State.REFUSED, f"not now: {window_of(wishes.limits)}")
            continue
        outcome = _apply(step, lever, journal, wishes)
        slow = _too_long(step, journal, wishes.limits)
        if slow is not None and wishes.restart is not Restart.NEVER:
            wishes = replace(wishes, restart=Restart.NEVER)
            why = f"its restart took {slow:g} s, too long for the plan: no more are made"
            outcome = replace(outcome, why=f"{outcome.why}; {why}" if outcome.why else why)
        yield outcome


def window_of(limits: Limits) -> str:
    """The window in words, empty where there is none."""
    if limits.window is None:
        return ""
    begin, end = (instant(one) for one in limits.window)
    return f"the plan's window is from {begin} until {end}"


def _too_long(step: Step, journal: Journal, limits: Limits) -> float | None:
    """How many seconds a restart took that was just made, None where that is short enough."""
    if limits.max_downtime is None:
        return None
    for entry in reversed(journal.entries):
        if entry.step != step.id:
            return None
        if entry.event is Event.RESTARTED:
            took = float(entry.told.get("seconds", 0))
            return took if took > limits.max_downtime else None
    return None


def _apply(step: Step, lever: Lever, journal: Journal, wishes: Wishes) -> Outcome:
    found = state_of(step, lever, journal.history)
    if found.state is State.TODO and lever.about.has_clock and not wishes.unverified:
        found = _if_verifiable(found, lever)
    if found.state is State.TODO:
        journal.write(Event.INTENT, step.id, old=step.old, new=step.new)
        found = _written(step, journal, lambda: lever.write(step.target, step.old, step.new))
    elif found.state is State.DONE and Event.DONE not in (turn := turn_of(step, journal.history)):
        if turn[0] is Event.UNDO_INTENT:
            journal.write(Event.INTENT, step.id, old=step.old, new=step.new)
        journal.write(Event.DONE, step.id)
    elif found.state is State.REFUSED:
        journal.write(Event.REFUSED, step.id, why=found.why)
    return _verified(step, lever, journal, wishes) if found.state is State.DONE else found


def _if_verifiable(found: Outcome, lever: Lever) -> Outcome:
    """Refuses a step whose machine cannot be seen: whether it was cured would never be known."""
    try:
        lever.reading(found.step.target)
    except Refused as problem:
        why = f"{problem.message}; --unverified changes it all the same"
        return Outcome(found.step, State.REFUSED, why)
    return found


def _written(step: Step, journal: Journal, write: Callable[[], None]) -> Outcome:
    try:
        write()
    except Refused as problem:
        journal.write(Event.REFUSED, step.id, why=problem.message)
        return Outcome(step, State.REFUSED, problem.message)
    journal.write(Event.DONE, step.id)
    return Outcome(step, State.DONE)


def _verified(step: Step, lever: Lever, journal: Journal, wishes: Wishes) -> Outcome:
    """The outcome of a step whose value is written: read on the running machine."""
    if Event.VERIFIED in turn_of(step, journal.history):
        return Outcome(step, State.CURED)
    if not lever.about.has_clock:
        # What it has was read again as it was written.
        journal.write(Event.VERIFIED, step.id)
        return Outcome(step, State.CURED)
    try:
        seen = restarted(step, lever, journal, wishes, step.new)
    except Refused as problem:
        return Outcome(step, State.WAITING, f"not verified: {problem.message}")
    if seen.value != step.new:
        return _not_taken(step, seen, journal)
    if seen.error is None:
        return Outcome(step, State.FAILED, f"its RTC could not be read: {seen.reason}")
    if abs(seen.error) >= wishes.tolerance:
        why = (
            f"its RTC is {seen.error:+d} s from what {step.new} promises; "
            f"guestclock explain {step.target.name} says what else there is"
        )
        journal.write(Event.FAILED, step.id, why=why)
        return Outcome(step, State.FAILED, why)
    journal.write(Event.VERIFIED, step.id, error=seen.error)
    return Outcome(step, State.CURED)


def _not_taken(step: Step, seen: Reading, journal: Journal) -> Outcome:
    """A machine that does not run with the new value: it waits, or was started anew in vain."""
    if Event.RESTARTED not in turn_of(step, journal.history) or seen.value is None:
        return _waiting(step, seen)
    why = f"it was started anew and still runs with {seen.value}: start it once more"
    journal.write(Event.FAILED, step.id, why=why)
    return Outcome(step, State.FAILED, why)


def is_settled(step: Step, lever: Lever, history: History, restart: Restart) -> Outcome | None:
    """What there is to say of a step that needs nothing, not even a line in the journal."""
    found, told = state_of(step, lever, history), turn_of(step, history)
    if found.state is State.ALREADY:
        return found
    if found.state is not State.DONE or Event.DONE not in told:
        return None
    if Event.VERIFIED in told:
        return Outcome(step, State.CURED)
    if not lever.about.has_clock:
        return None
    try:
        seen = lever.reading(step.target)
    except Refused:
        return None
    if is_cut_short(step, history):
        return None
    if seen.value is None or (restart is Restart.NEVER and seen.value != step.new):
        return _waiting(step, seen)
    return None


def _waiting(step: Step, seen: Reading) -> Outcome:
    why = "it is off; its next start takes it"
    if seen.value is not None:
        why = f"it still runs with {seen.value}"
    return Outcome(step, State.WAITING, why)
