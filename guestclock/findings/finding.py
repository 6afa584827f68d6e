"""A finding: a rule broken on a machine, with what is expected, observed, and the cheapest cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
class Finding:
    """What a rule found; `cure` is the cheapest repair, in words."""

    rule: str
    severity: Severity
    hop: str
    expected: str
    observed: str
    evidence: tuple[Evidence, ...]
    cure: str


@dataclass(frozen=True, slots=True)
class Case:
    """All that a rule may look at. `at` is the instant of the next cold start.

    `tolerance` is in seconds: a smaller error is none, because an RTC has whole seconds.
    """

    facts: Facts
    outlook: Outlook
    at: datetime
    zones: Zones
    tolerance: int = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id, its name (docs/rules/ID.md), and the check that yields findings."""

    id: str
    name: str
    summary: str
    check: Callable[[Case], Iterator[Finding]]
