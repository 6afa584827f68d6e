"""A finding: a rule broken on a machine, with what is expected, observed, and the cheapest cure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeVar

from guestclock.evidence import Fact, Unknown, how
from guestclock.machine import Facts, Outlook
from guestclock.zones import Zones

T = TypeVar("T")


class Severity(Enum):
    """How bad: an error is a cold start that will be wrong."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """3 for an error, 2 for a warning, 1 for a note."""
        return {"error": 3, "warning": 2, "note": 1}[self.value]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that a finding rests on: what it says, how and where it was learnt."""

    what: str
    how: str
    where: str


def cite(what: str, fact: Fact[T]) -> Evidence:
    """A fact as evidence; an unknown one gives its reason."""
    where = str(fact) if isinstance(fact, Unknown) else fact.where
    return Evidence(what, how(fact), where)


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a tree: `depth` is 0 for its root, and a branch hangs on the last shallower one.

    `wrong` is whether what it says is part of the fault.
    """

    depth: int
    text: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found; `cure` is the cheapest repair, in words.

    A machine has at most one finding of a rule at a hop, so that the two name it for good.
    `tree` shows what descends from what, where that is the finding.
    """

    rule: str
    severity: Severity
    hop: str
    expected: str
    observed: str
    evidence: tuple[Evidence, ...]
    cure: str
    tree: tuple[Branch, ...] = ()

    @property
    def docs(self) -> str:
        """The page that explains the rule, as a path inside the project."""
        return page(self.rule)


def page(rule: str) -> str:
    """The page of a rule, as a path inside the project."""
    return f"docs/rules/{rule}.md"


@dataclass(frozen=True, slots=True)
class Case:
    """All that a rule may look at, made by `cause.case_of`.

    `at` is the instant of the next cold start. `tolerance` is in seconds: a smaller error is
    none, because an RTC has whole seconds. `cause` is the id of the one rule that explains why
    the cold start will be wrong, None where it will not be or nobody knows: the rule of that id
    reports an error, all others warnings and notes, so that one fault is reported once.
    """

    facts: Facts
    outlook: Outlook
    at: datetime
    zones: Zones
    tolerance: int = 5
    cause: str | None = None


def _nothing(case: Case) -> Iterable[Finding]:
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id, its name (docs/rules/ID.md), and the check that yields findings.

    A rule of a platform has no check of its own: it needs more than a machine's facts, and is
    checked by the platform (`guestclock.platforms.interface.Origin`).
    """

    id: str
    name: str
    summary: str
    check: Callable[[Case], Iterable[Finding]] = _nothing
