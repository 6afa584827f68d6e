"""The plan that a journal belongs to: it stands in the journal's first line.

So a journal alone is enough to go on or back, whatever became of the plan's file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from guestclock.errors import UsageProblem
from guestclock.repair import plan as plans
from guestclock.repair.journal import SUFFIX, Entry, Event, History, Journal, JournalDamaged, read
from guestclock.repair.plan import Plan, Step
from guestclock.repair.steps import turn_of


def begin(plan: Plan, journal: Journal) -> None:
    """Ties a journal to its plan. Raises UsageProblem where the plan was changed since."""
    if not journal.entries:
        text = plans.text_of(replace(plan, left=()))
        journal.write(Event.BEGUN, plan=plan.digest, text=text)
    elif journal.entries[0].told.get("plan") != plan.digest:
        raise UsageProblem(
            f"plan {plan.id} is not the one that was begun: its steps were changed",
            "roll the old one back, or make a new plan",
        )


def plan_of(path: Path) -> Plan:
    """The plan of a journal. Raises UsageProblem, JournalDamaged, Unreadable."""
    entries = read(path)
    text = entries[0].told.get("text") if entries else None
    if not isinstance(text, str):
        raise UsageProblem(f"{path} has no plan", "name the plan's file")
    return plans.read(text, f"{path}, the plan in it")


def newest(folder: Path, wanted: Callable[[Step, History], bool]) -> Path:
    """The journal that was written last, of those with a step that is wanted.

    Raises UsageProblem where there is none. A damaged one is passed over: named, it is refused.
    """
    for path in sorted(_journals(folder), key=lambda one: one.stat().st_mtime_ns, reverse=True):
        try:
            entries = read(path)
            steps = plan_of(path).steps if entries else ()
        except (JournalDamaged, UsageProblem):
            continue
        history = History(entries)
        if any(wanted(step, history) for step in steps):
            return path
    raise UsageProblem(f"no journal in {folder} has anything to do", "name the plan")


def is_to_go_on(step: Step, history: History) -> bool:
    """Whether a step of a plan that was begun is not at its end: neither verified nor undone."""
    told = turn_of(step, history)
    return Event.VERIFIED not in told and Event.UNDONE not in told


def is_to_go_back(step: Step, history: History) -> bool:
    """Whether a step was done, or begun, and not put back."""
    told = turn_of(step, history)
    return bool(told) and Event.UNDONE not in told


def _journals(folder: Path) -> Iterator[Path]:
    return folder.glob(f"*{SUFFIX}")


def entries_of(path: Path) -> list[Entry]:
    """The lines of a journal, none where there is no such file. Raises JournalDamaged."""
    return read(path) if path.exists() else []
