"""Carries a plan out, step by step, and back; each write stands in the journal before it is done.

What was done is learnt from the machines: after a crash between a write and its line in the
journal the value is the new one, and an intent of ours says who wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from guestclock.errors import UsageProblem
from guestclock.platforms.lever import BadValue, Lever, Reading, Refused, Restart
from guestclock.repair.journal import Event, History, Journal
from guestclock.repair.plan import Plan, Step

Levers = Mapping[tuple[str, str], Lever]
"""By the lever's name and the source of its targets."""


class State(Enum):
    """What became of a step."""

    TODO = "to do"
    DONE = "done"
    ALREADY = "already so, not by this plan"
    REFUSED = "refused"
    UNDONE = "undone"
    LEFT = "left as it is"
    CURED = "verified"
    WAITING = "written, waits for a restart"
    FAILED = "did not cure"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step and what became of it; `why` is one line, empty where there is nothing to say."""

    step: Step
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How machines are started anew, and how many seconds of an RTC's error are none.

    `unverified` allows changes of machines whose clock nobody here can read afterwards.
    """

    restart: Restart = Restart.NEVER
    tolerance: int = 5
    unverified: bool = False


def lever_of(step: Step, levers: Levers) -> Lever:
    """The lever of a step, its values checked. Raises UsageProblem."""
    lever = levers.get((step.lever, step.target.source))
    if lever is None:
        raise UsageProblem(
            f"step {step.id}: there is no lever {step.lever!r} for {step.target.source}",
            "give apply the sources that plan was given",
        )
    for value in (step.old, step.new):
        try:
            lever.checked(value)
        except BadValue as problem:
            raise UsageProblem(f"step {step.id}: {problem}") from None
    return lever


def state_of(step: Step, lever: Lever, history: History) -> Outcome:
    """What a step's machine shows now, in the light of what the journal says of us."""
    try:
        present = lever.read(step.target)
    except Refused as problem:
        return Outcome(step, State.REFUSED, problem.message)
    if present == step.old:
        return Outcome(step, State.TODO)
    if present == step.new:
        return Outcome(step, State.DONE if is_ours(step, history) else State.ALREADY)
    return Outcome(step, State.REFUSED, f"it is {present} now, not {step.old}")


def is_ours(step: Step, history: History) -> bool:
    """Whether the new value, where a machine has it, is the one that we wrote."""
    turn = _turn(step, history)
    return bool(turn) and Event.UNDONE not in turn


def _turn(step: Step, history: History) -> list[Event]:
    """What is told of a step from its last intent on, to do it or to undo it."""
    told = history.of(step.id)
    turns = [at for at, event in enumerate(told) if event in (Event.INTENT, Event.UNDO_INTENT)]
    return told[turns[-1] :] if turns else []


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
    elif found.state is State.DONE and Event.DONE not in (turn := _turn(step, journal.history)):
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
    if Event.VERIFIED in _turn(step, journal.history):
        return Outcome(step, State.CURED)
    try:
        seen = _restarted(step, lever, journal, wishes, step.new)
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


def _restarted(step: Step, lever: Lever, journal: Journal, wishes: Wishes, wanted: str) -> Reading:
    """What the machine shows, after a restart where it needs one and may have it."""
    seen = lever.reading(step.target)
    if seen.value == wanted:
        return seen
    if seen.value is None and not _is_cut_short(step, journal.history):
        return seen
    if seen.value is not None and wishes.restart is Restart.NEVER:
        return seen
    journal.write(Event.RESTARTING, step.id, how=wishes.restart.value)
    try:
        lever.restart(step.target, wishes.restart)
    except Refused as problem:
        journal.write(Event.REFUSED, step.id, why=problem.message)
        raise
    journal.write(Event.RESTARTED, step.id)
    return lever.reading(step.target)


def _is_cut_short(step: Step, history: History) -> bool:
    """Whether we died while a machine was started anew: if it is off, it has to run again."""
    kinds = (Event.RESTARTING, Event.RESTARTED, Event.REFUSED)
    told = [event for event in history.of(step.id) if event in kinds]
    return told[-1:] == [Event.RESTARTING]


def rollback(
    steps: tuple[Step, ...], levers: Levers, journal: Journal, wishes: Wishes
) -> Iterator[Outcome]:
    """Puts back each old value where the present one is still ours, the last step first."""
    for step in reversed(steps):
        yield _undo(step, lever_of(step, levers), journal, wishes)


def _undo(step: Step, lever: Lever, journal: Journal, wishes: Wishes) -> Outcome:
    told = _turn(step, journal.history)
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
        seen = _restarted(step, lever, journal, wishes, step.old)
    except Refused as problem:
        return _not_ours(step, journal, problem.message)
    waits = seen.value not in (None, step.old)
    return Outcome(step, State.UNDONE, f"it still runs with {seen.value}" if waits else "")


def _not_ours(step: Step, journal: Journal, why: str) -> Outcome:
    journal.write(Event.LEFT, step.id, why=why)
    return Outcome(step, State.LEFT, why)


def is_settled(step: Step, lever: Lever, history: History, restart: Restart) -> Outcome | None:
    """What there is to say of a step that needs nothing, not even a line in the journal."""
    found, told = state_of(step, lever, history), _turn(step, history)
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
    if _is_cut_short(step, history):
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
