"""What every format of an audit's findings is: a function from results to a stream.

Results come one by one and in order, and no report keeps them: a fleet may have 200,000 machines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Protocol, TextIO, cast

from guestclock.audit import Passing, Tally
from guestclock.findings.finding import Rule

FORMATS = ("table", "json", "csv", "html", "sarif", "junit")


@dataclass(frozen=True, slots=True)
class Scope:
    """What was audited: for a cold start at which instant, to which tolerance, by which rules.

    `tally` counts the results; a report passes them through it, and reads it at the end.
    """

    at: datetime
    tolerance: int
    rules: tuple[Rule, ...]
    tally: Tally = field(default_factory=Tally)


class Report(Protocol):
    """A format: writes all results to a stream of text."""

    def __call__(self, results: Iterable[Passing], scope: Scope, stream: TextIO) -> None:
        """Writes the report; the scope's tally is complete afterwards."""
        ...


def report_in(form: str) -> Report:
    """The report of one of `FORMATS`; its module is imported now."""
    module = import_module(f"guestclock.reports.audit.{form}")
    return cast(Report, module.report)
