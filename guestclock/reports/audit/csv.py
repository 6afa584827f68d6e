"""A row for each finding and each machine or file that could not be read, for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from guestclock.audit import Audited, Passing, fingerprint
from guestclock.evidence import value_of
from guestclock.findings.finding import Finding
from guestclock.platforms.interface import Unread
from guestclock.reports.audit.interface import Scope
from guestclock.reports.audit.text import inert

COLUMNS = (
    "severity",
    "rule",
    "machine",
    "id",
    "platform",
    "source",
    "hop",
    "expected",
    "observed",
    "error_now",
    "error_after_reset",
    "error_after_cold_start",
    "evidence",
    "cure",
    "docs",
    "fingerprint",
)


def report(results: Iterable[Passing], scope: Scope, stream: TextIO) -> None:
    """Writes a heading and the rows; `unread` stands as the severity of what was not read."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in scope.tally.count(results):
        if isinstance(result, Unread):
            row = dict.fromkeys(COLUMNS, "")
            row |= {"severity": "unread", "source": result.source, "observed": result.reason}
            writer.writerow(inert(cell) for cell in row.values())
            continue
        for finding in result.findings:
            writer.writerow(_row(result, finding))


def _row(result: Audited, finding: Finding) -> list[object]:
    machine, seen = result.machine, result.judgement.outlook
    texts = (
        finding.severity.value,
        finding.rule,
        machine.name,
        machine.id,
        machine.platform,
        machine.source,
        finding.hop,
        finding.expected,
        finding.observed,
    )
    errors = (value_of(seen.now), value_of(seen.after_reset), value_of(seen.after_cold_start))
    evidence = "; ".join(f"{one.what} ({one.how}: {one.where})" for one in finding.evidence)
    ends = (evidence, finding.cure, finding.docs, fingerprint(machine, finding))
    return [*map(inert, texts), *errors, *map(inert, ends)]
