"""What plan, apply, resume and rollback share: where plans and journals are, what is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from guestclock.repair.begun import newest, plan_of
from guestclock.repair.journal import SUFFIX, History, path_of
from guestclock.repair.plan import Plan, Step, load
from guestclock.repair.steps import Outcome, State
from guestclock.state import state_folder

FAILURES = frozenset((State.REFUSED, State.FAILED))


def journals(given: str | None) -> Path:
    """Where journals are: the folder given, or the user's state folder."""
    return state_folder() / "journals" if given is None else Path(given)


def begun(
    given: str | None, folder: Path, wanted: Callable[[Step, History], bool]
) -> tuple[Plan, Path]:
    """The plan of a file or of a journal, and its journal, which may not be there.

    Where none is given, the newest journal with a step that is wanted. Raises UsageProblem.
    """
    if given is None:
        path = newest(folder, wanted)
        click.echo(f"journal {path}", err=True)
        return plan_of(path), path
    if given.endswith(SUFFIX):
        return plan_of(Path(given)), Path(given)
    plan = load(Path(given))
    return plan, path_of(folder, plan.id)


def say(outcomes: Iterable[Outcome]) -> int:
    """Prints each outcome as it comes; the exit code: 1 where one is a failure."""
    return max((int(one.state in FAILURES) for one in said(outcomes)), default=0)


def said(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The outcomes, each printed as it comes."""
    for one in outcomes:
        tail = f": {one.why}" if one.why else ""
        click.echo(f"{one.step.id} {one.step.target.name}: {one.state.value}{tail}")
        yield one
