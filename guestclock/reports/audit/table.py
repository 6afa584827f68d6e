"""A table for people: a line for each finding, then its cures, what was not read, the sum.

Long fleets are printed in parts of equal columns, so that the first lines are there at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from guestclock.audit import Audited, Result
from guestclock.evidence import Unknown
from guestclock.findings.finding import Finding, Severity
from guestclock.platforms.interface import Unread
from guestclock.reports.audit.interface import Scope
from guestclock.reports.audit.summary import summary_line, unknown_lines
from guestclock.words import behind_or_ahead

_PART = 200
_MOST_CURES = 50
_MOST_UNREAD = 1000
# Wide enough for a sentence a cell where no terminal says how wide it is.
_WIDTH = 160
_NARROWEST = 60
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def report(results: Iterable[Result], scope: Scope, stream: TextIO) -> None:
    """Writes the table to a stream, in colours where it is a terminal."""
    console = Console(
        file=stream,
        width=None if stream.isatty() else _WIDTH,
        highlight=False,
        emoji=False,
        markup=False,
    )
    parts = _Parts(console, scope.tolerance)
    cures: dict[str, dict[str, None]] = {}
    unread: list[Unread] = []
    for result in scope.tally.count(results):
        if isinstance(result, Unread):
            if len(unread) < _MOST_UNREAD:
                unread.append(result)
            continue
        for finding in result.findings:
            parts.add(result, finding)
            if len(cures) < _MOST_CURES:
                cures.setdefault(finding.cure, {})[finding.rule] = None
    parts.close()
    _print_cures(console, cures)
    for one in unread:
        console.print(Text(f"not read: {one.source}: {one.reason}", "magenta"), soft_wrap=True)
    for line in unknown_lines(scope.tally):
        console.print(line, soft_wrap=True)
    console.print(Text(summary_line(scope.tally), "bold"), soft_wrap=True)


def _print_cures(console: Console, cures: dict[str, dict[str, None]]) -> None:
    if not cures:
        return
    console.print(Text("cures", "bold"))
    for cure, rules in cures.items():
        line = Text("  ")
        line.append(" ".join(sorted(rules)), "bold")
        line.append(f"  {cure}")
        console.print(line, soft_wrap=True)
    console.print("what each rule means: docs/rules\n")


class _Parts:
    """Rows, printed together as soon as there are enough."""

    def __init__(self, console: Console, tolerance: int) -> None:
        self._console = console
        self._tolerance = tolerance
        self._rows: list[tuple[Text | str, ...]] = []
        self._printed = False

    def add(self, result: Audited, finding: Finding) -> None:
        """Adds the row of a finding."""
        severity = Text(finding.severity.value, _STYLES[finding.severity])
        error = result.judgement.outlook.after_cold_start
        after = (
            Text("unknown", "dim")
            if isinstance(error, Unknown)
            else Text(behind_or_ahead(error.value, self._tolerance))
        )
        row = (severity, finding.rule, result.machine.name, after, finding.observed)
        self._rows.append(row)
        if len(self._rows) == _PART:
            self._print()

    def close(self) -> None:
        """Prints what is left."""
        if self._rows:
            self._print()
        if self._printed:
            self._console.print()

    def _print(self) -> None:
        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            show_edge=False,
            show_header=not self._printed,
            width=max(self._console.width, _NARROWEST),
        )
        table.add_column("severity", width=8, no_wrap=True)
        table.add_column("rule", width=6, no_wrap=True)
        table.add_column("machine", ratio=1, overflow="fold")
        table.add_column("after a cold start", ratio=1)
        table.add_column("found", ratio=4)
        for row in self._rows:
            table.add_row(*row)
        self._console.print(table)
        self._rows.clear()
        self._printed = True
