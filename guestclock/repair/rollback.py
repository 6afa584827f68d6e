"""Puts back what a plan has changed, where it is still as the plan left it."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.platforms.lever import Lever, Refused
from guestclock.repair.journal import Event, Journal
from guestclock.repair.plan import Step
from guestclock.repair.steps import Outcome, State, Wishes, Work, restarted, turn_of


def rollback(work: Work, journal: Journal, wishes: Wishes) -> Iterator[Outcome]:
    """Puts back each old value where the present one is still ours, the last step first."""
    for step, lever in reversed(work):
        yield _undo(step, lever, journal, wishes)


def _undo(step: Step, lever: Lever, journal: Journal, wishes: Wishes) -> Outcome:
    told = turn_of(step, journal.history)
    if not told:
        return Outcome(step, State.LEFT, "this plan has not changed it")
    try:
        present = lever.read(step.target)
        if present != step.old and (present != step.new or Event.UNDONE in told):
            return _not_ours(step, journal, f"it is {present} now, which is not ours")
        if present == step.new:
            journal.write(Event.UNDO_INTENT, step.id, old=step.new, new=step.old)
            lever.write(step.target, step.new, step.old)
        if Event.UNDONE not in told:
            journal.write(Event.UNDONE, step.id)
        if not lever.about.has_clock:
            return Outcome(step, State.UNDONE)
        seen = restarted(step, lever, journal, wishes, step.old)
    except Refused as problem:
        journal.write(Event.REFUSED, step.id, why=problem.message)
        return Outcome(step, State.REFUSED, problem.message)
    waits = seen.value not in (None, step.old)
    return Outcome(step, State.UNDONE, f"it still runs with {seen.value}" if waits else "")


def _not_ours(step: Step, journal: Journal, why: str) -> Outcome:
    journal.write(Event.LEFT, step.id, why=why)
    return Outcome(step, State.LEFT, why)
