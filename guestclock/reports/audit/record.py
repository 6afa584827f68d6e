"""A finding as a record: the same keys in JSON and in every format that holds records."""

from __future__ import annotations

from guestclock.audit import Audited, Tally, fingerprint
from guestclock.evidence import Fact, Unknown, value_of
from guestclock.findings.finding import Finding, Severity
from guestclock.machine import Identity, Outlook


def machine_record(machine: Identity) -> dict[str, object]:
    """Which machine a finding is about."""
    return {
        "id": machine.id,
        "name": machine.name,
        "platform": machine.platform,
        "source": machine.source,
    }


def error_record(seen: Outlook) -> dict[str, object]:
    """The three errors in seconds; null with the reason under `unknown` where not known."""
    facts: dict[str, Fact[int]] = {
        "now": seen.now,
        "after_reset": seen.after_reset,
        "after_cold_start": seen.after_cold_start,
    }
    record: dict[str, object] = {name: value_of(fact) for name, fact in facts.items()}
    record["unknown"] = {
        name: str(fact) for name, fact in facts.items() if isinstance(fact, Unknown)
    }
    return record


def finding_record(finding: Finding, seen: Outlook) -> dict[str, object]:
    """All of a finding that equal machines share; `machine` and `fingerprint` are not there."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "hop": finding.hop,
        "expected": finding.expected,
        "observed": finding.observed,
        "evidence": [
            {"what": one.what, "how": one.how, "where": one.where} for one in finding.evidence
        ],
        "error_seconds": error_record(seen),
        "cure": finding.cure,
        "docs": finding.docs,
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
        "findings": {one.value: tally.severities[one] for one in Severity},
        "rules": dict(sorted(tally.rules.items())),
        "unread": tally.unread,
        "unknown": {
            "machines": tally.unknown.total(),
            "reasons": dict(tally.unknown.most_common()),
        },
        "baseline": tally.baseline,
    }
