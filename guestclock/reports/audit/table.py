"""A table for people: a line for each finding, then its cures, what was not read, the sum.

On a terminal it is fitted and coloured; anywhere else a finding is one line of any length, easy
to search and to cut. Long fleets are printed in parts, so that the first lines are there at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, NamedTuple, Protocol, TextIO

from guestclock.audit import Audited, Passing
from guestclock.evidence import Unknown
from guestclock.findings.finding import Finding, Severity
from guestclock.machine import MACHINES
from guestclock.platforms.interface import Unread
from guestclock.reports.audit.interface import Scope
from guestclock.reports.audit.summary import note_lines, summary_line, unknown_lines
from guestclock.reports.audit.text import visible
from guestclock.reports.tree import tree_lines
from guestclock.words import behind_or_ahead

_PART = 200
_MOST_CURES = 50
_MOST_UNREAD = 1000
_MOST_TREES = 50
_HEADING = ("severity", "rule", "machine", "cold start", "found")


def report(results: Iterable[Passing], scope: Scope, stream: TextIO) -> None:
    """Writes the table to a stream, in colours where it is a terminal."""
    printer = _Terminal(stream) if stream.isatty() else _Plain(stream)
    parts = _Parts(printer, scope.tolerance)
    cures: dict[str, dict[str, None]] = {}
    trees: list[tuple[str, Finding]] = []
    unread: list[Unread] = []
    for result in scope.tally.count(results):
        if isinstance(result, Unread):
            if len(unread) < _MOST_UNREAD:
                unread.append(result)
            continue
        for finding in result.findings:
            parts.add(result, finding)
            if finding.tree and len(trees) < _MOST_TREES:
                trees.append((result.machine.name, finding))
            if len(cures) < _MOST_CURES:
                cures.setdefault(finding.cure, {})[finding.rule] = None
    parts.close()
    for name, finding in trees:
        printer.line(f"{finding.rule} {visible(name)}", "bold")
        for line in tree_lines(finding.tree):
            printer.line(f"  {visible(line)}")
        printer.line("")
    if cures:
        printer.line("cures", "bold")
        for cure, rules in cures.items():
            printer.line(f"  {' '.join(sorted(rules))}  {visible(cure)}")
        printer.line("what each rule means: docs/rules", "dim")
        printer.line("")
    for one in unread:
        printer.line(f"not read: {visible(one.source)}: {visible(one.reason)}", "magenta")
    if scope.tally.unread > len(unread):
        printer.line(f"not read: {scope.tally.unread - len(unread):,} more", "magenta")
    for line in unknown_lines(scope.tally):
        printer.line(visible(line))
    for line in note_lines(scope.tally):
        printer.line(visible(line), "dim")
    printer.line(summary_line(scope.tally), "bold")


class _Row(NamedTuple):
    severity: Severity
    rule: str
    machine: str
    after: str
    found: str


class _Printer(Protocol):
    """Prints rows under one heading, and lines."""

    def rows(self, rows: list[_Row], heading: bool) -> None:
        """Prints some rows, the first ones with the heading."""
        ...

    def line(self, text: str, style: str = "") -> None:
        """Prints a line."""
        ...


class _Parts:
    """Rows, printed together as soon as there are enough."""

    def __init__(self, printer: _Printer, tolerance: int) -> None:
        self._printer = printer
        self._tolerance = tolerance
        self._rows: list[_Row] = []
        self._printed = False

    def add(self, result: Audited, finding: Finding) -> None:
        """Adds the row of a finding."""
        error = result.judgement.outlook.after_cold_start
        after = "unknown" if result.machine.kind in MACHINES else ""
        if not isinstance(error, Unknown):
            after = behind_or_ahead(error.value, self._tolerance)
        row = _Row(finding.severity, finding.rule, result.machine.name, after, finding.observed)
        self._rows.append(row)
        if len(self._rows) == _PART:
            self._print()

    def close(self) -> None:
        """Prints what is left, and an empty line after a table."""
        if self._rows:
            self._print()
        if self._printed:
            self._printer.line("")

    def _print(self) -> None:
        self._printer.rows(self._rows, heading=not self._printed)
        self._rows.clear()
        self._printed = True


class _Plain:
    """Columns by spaces, each line whole."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._widths = [len(word) for word in _HEADING]

    def rows(self, rows: list[_Row], heading: bool) -> None:
        lines = [(row.severity.value, *map(visible, row[1:])) for row in rows]
        if heading:
            lines.insert(0, _HEADING)
        # Columns only grow, so that a later part is at most wider than an earlier one.
        self._widths = [
            max(known, *(len(line[at]) for line in lines)) for at, known in enumerate(self._widths)
        ]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, self._widths, strict=True))
            self._stream.write("  ".join(cells).rstrip() + "\n")

    def line(self, text: str, style: str = "") -> None:
        self._stream.write(f"{text}\n")


class _Terminal:
    """Fitted and coloured by rich."""

    _STYLES: ClassVar = {
        Severity.ERROR: "bold red",
        Severity.WARNING: "yellow",
        Severity.NOTE: "cyan",
    }
    _NARROWEST = 60

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, emoji=False, markup=False)
        self._width = 0

    def rows(self, rows: list[_Row], heading: bool) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            show_edge=False,
            show_header=heading,
            width=max(self._console.width, self._NARROWEST),
        )
        table.add_column(_HEADING[0], width=8, no_wrap=True)
        table.add_column(_HEADING[1], width=6, no_wrap=True)
        table.add_column(_HEADING[2], width=self._name(rows), overflow="fold")
        table.add_column(_HEADING[3], width=12)
        table.add_column(_HEADING[4], ratio=1)
        for row in rows:
            severity = Text(row.severity.value, self._STYLES[row.severity])
            table.add_row(severity, *map(visible, row[1:]))
        self._console.print(table)

    def _name(self, rows: list[_Row]) -> int:
        """The width of names, which stays what the first rows asked for."""
        if not self._width:
            self._width = min(max(len(row.machine) for row in rows), self._console.width // 4)
            self._width = max(self._width, len(_HEADING[2]))
        return self._width

    def line(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self._console.print(Text(text, style), soft_wrap=True)
