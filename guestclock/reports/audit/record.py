"""A finding as a record: the same keys in JSON and in every format that holds records."""

from __future__ import annotations

from guestclock.audit import Audited, Tally, fingerprint
from guestclock.findings.finding import Finding, Severity
from guestclock.machine import Outlook
from guestclock.reports.records import (
    error_record,
    evidence_records,
    machine_record,
    tree_records,
)


def finding_record(finding: Finding, seen: Outlook) -> dict[str, object]:
    """All of a finding that equal machines share; `machine` and `fingerprint` are not there."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "hop": finding.hop,
        "expected": finding.expected,
        "observed": finding.observed,
        "evidence": evidence_records(finding.evidence),
        "error_seconds": error_record(seen),
        "cure": finding.cure,
        "docs": finding.docs,
        "tree": tree_records(finding.tree),
    }


def full_record(result: Audited, finding: Finding) -> dict[str, object]:
    """All of a finding, for formats that write few."""
    shared = finding_record(finding, result.judgement.outlook)
    return {
        "rule": shared.pop("rule"),
        "severity": shared.pop("severity"),
        "machine": machine_record(result.machine),
        **shared,
        "fingerprint": fingerprint(result.machine, finding),
    }


def summary_record(tally: Tally) -> dict[str, object]:
    """What an audit came to; `baseline` counts the findings that a baseline had already."""
    return {
        "machines": tally.machines,
        "objects": dict(sorted(tally.objects.items())),
        "findings": {one.value: tally.severities[one] for one in Severity},
        "rules": dict(sorted(tally.rules.items())),
        "unread": tally.unread,
        "unknown": {
            "machines": tally.unknown.total(),
            "reasons": dict(tally.unknown.most_common()),
        },
        "notes": [
            {"source": source, "text": text, "times": times}
            for (source, text), times in tally.notes.items()
        ],
        "baseline": tally.baseline,
    }
