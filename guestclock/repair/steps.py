"""A step of a plan between its journal and its machine: what became of it, and its restart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from time import monotonic

from guestclock.errors import UsageProblem
from guestclock.platforms.lever import BadValue, Lever, Reading, Refused, Restart
from guestclock.repair.journal import Event, History, Journal
from guestclock.repair.plan import NO_LIMITS, Limits, Step

Levers = Mapping[tuple[str, str], Lever]
"""By the lever's name and the source of its targets."""

Work = tuple[tuple[Step, Lever], ...]
"""Steps in the order in which they are done, each with the lever that does it."""


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

    `unverified` allows changes of machines whose clock nobody here can read afterwards. `limits`
    are the plan's.
    """

    restart: Restart = Restart.NEVER
    tolerance: int = 5
    unverified: bool = False
    limits: Limits = NO_LIMITS


def work_of(steps: Iterable[Step], levers: Levers) -> Work:
    """Each step with its lever, all values checked. Raises UsageProblem."""
    return tuple((step, _lever_of(step, levers)) for step in steps)


def _lever_of(step: Step, levers: Levers) -> Lever:
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
    turn = turn_of(step, history)
    return bool(turn) and Event.UNDONE not in turn


def turn_of(step: Step, history: History) -> list[Event]:
    """What is told of a step from its last intent on, to do it or to undo it."""
    told = history.of(step.id)
    turns = [at for at, event in enumerate(told) if event in (Event.INTENT, Event.UNDO_INTENT)]
    return told[turns[-1] :] if turns else []


def restarted(step: Step, lever: Lever, journal: Journal, wishes: Wishes, wanted: str) -> Reading:
    """What the machine shows, after a restart where it needs one and may have it."""
    seen = lever.reading(step.target)
    if seen.value == wanted:
        return seen
    if seen.value is None and not is_cut_short(step, journal.history):
        return seen
    if seen.value is not None and wishes.restart is Restart.NEVER:
        return seen
    journal.write(Event.RESTARTING, step.id, how=wishes.restart.value)
    began = monotonic()
    try:
        lever.restart(step.target, wishes.restart)
    except Refused as problem:
        journal.write(Event.NOT_RESTARTED, step.id, why=problem.message)
        raise
    journal.write(Event.RESTARTED, step.id, seconds=round(monotonic() - began, 1))
    return lever.reading(step.target)


def is_cut_short(step: Step, history: History) -> bool:
    """Whether we died while a machine was started anew: if it is off, it has to run again."""
    kinds = (Event.RESTARTING, Event.RESTARTED, Event.NOT_RESTARTED)
    told = [event for event in history.of(step.id) if event in kinds]
    return told[-1:] == [Event.RESTARTING]
