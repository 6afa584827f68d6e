"""Carries a plan out, step by step; each write stands in the journal before it is done.

What was done is learnt from the machines: after a crash between a write and its line in the
journal the value is the new one, and an intent of ours says who wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from guestclock.errors import UsageProblem
from guestclock.platforms.lever import Lever, Reading, Refused, Restart
from guestclock.repair.journal import Event, History, Journal
from guestclock.repair.plan import Plan, Step
from guestclock.repair.steps import (
    Levers,
    Outcome,
    State,
    Wishes,
    is_cut_short,
    lever_of,
    restarted,
    state_of,
    turn_of,
)


def apply(
    steps: tuple[Step, ...], levers: Levers, journal: Journal, wishes: Wishes
) -> Iterator[Outcome]:
    """Does each step that is to be done, and tells of each. A refused step stops no other."""
    for step in steps:
        yield _apply(step, lever_of(step, levers), journal, wishes)


def _apply(step: Step, lever: Lever, journal: Journal, wishes: Wishes) -> Outcome:
    found = state_of(step, lever, journal.history)
    if found.state is State.TODO and not wishes.unverified:
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
    try:
        seen = restarted(step, lever, journal, wishes, step.new)
    except Refused as problem:
        return Outcome(step, State.WAITING, f"not verified: {problem.message}")
    if seen.value != step.new:
        return _waiting(step, seen)
    if seen.error is None:
        return Outcome(step, State.FAILED, f"its RTC could not be read: {seen.reason}")
    if abs(seen.error) >= wishes.tolerance:
        why = f"its RTC is {seen.error:+d} s from what {step.new} promises"
        journal.write(Event.FAILED, step.id, why=why)
        return Outcome(step, State.FAILED, why)
    journal.write(Event.VERIFIED, step.id, error=seen.error)
    return Outcome(step, State.CURED)


def is_settled(step: Step, lever: Lever, history: History, restart: Restart) -> Outcome | None:
    """What there is to say of a step that needs nothing, not even a line in the journal."""
    found, told = state_of(step, lever, history), turn_of(step, history)
    if found.state is State.ALREADY:
        return found
    if found.state is not State.DONE or Event.DONE not in told:
        return None
    if Event.VERIFIED in told:
        return Outcome(step, State.CURED)
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


def begin(plan: Plan, journal: Journal) -> None:
    """Ties a journal to its plan. Raises UsageProblem where the plan was changed since."""
    if not journal.entries:
        journal.write(Event.BEGUN, plan=plan.digest)
    elif journal.entries[0].told.get("plan") != plan.digest:
        raise UsageProblem(
            f"plan {plan.id} is not the one that was begun: its steps were changed",
            "roll the old one back, or make a new plan",
        )
