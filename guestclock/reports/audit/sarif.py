"""SARIF 2.1.0, as code scanners and their web pages read it.

A machine is a logical location. One that was read from a file has a physical location too, so
that a scan of a repository of definitions marks the file. Source: OASIS SARIF 2.1.0.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import guestclock
from guestclock import __version__
from guestclock.audit import Audited, Passing, fingerprint
from guestclock.findings.finding import Finding, Rule, page
from guestclock.platforms.interface import Unread
from guestclock.reports.audit.interface import Scope
from guestclock.reports.audit.json import encode
from guestclock.reports.audit.record import summary_record
from guestclock.reports.audit.text import visible
from guestclock.reports.records import error_record

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_SPOOLED = 1 << 20
_PROJECT = Path(guestclock.__file__).parent.parent
_LINK = re.compile(r"\[([^]]*)\]\((?!https?:)[^)]*\)")
# The level of a rule is that of the finding it most often gives; each result has its own.
_LEVELS = {"CLK1": "error", "CLK2": "warning", "CLK3": "warning", "CLK4": "warning"}


def report(results: Iterable[Passing], scope: Scope, stream: TextIO) -> None:
    """Writes one run; what could not be read are notifications of the tool."""
    numbers = {rule.id: number for number, rule in enumerate(scope.rules)}
    with tempfile.SpooledTemporaryFile(_SPOOLED, "w+", encoding="utf-8") as unread:
        stream.write(f'{{"$schema":"{SCHEMA}","version":"2.1.0","runs":[{{"tool":')
        stream.write(encode({"driver": _driver(scope.rules)}))
        stream.write(',\n"results":[')
        separator = "\n"
        for result in scope.tally.count(results):
            if isinstance(result, Unread):
                mark = ",\n" if scope.tally.unread > 1 else "\n"
                unread.write(mark + encode(_notification(result)))
                continue
            for finding in result.findings:
                record = _result(result, finding, numbers[finding.rule])
                stream.write(separator + encode(record))
                separator = ",\n"
        complete = "false" if scope.tally.unread else "true"
        stream.write(f'],\n"invocations":[{{"executionSuccessful":{complete},')
        stream.write('"toolExecutionNotifications":[')
        unread.seek(0)
        while chunk := unread.read(1 << 16):
            stream.write(chunk)
        properties = {"summary": summary_record(scope.tally), "at": scope.at.isoformat()}
        stream.write(f']}}],\n"properties":{encode(properties)}}}]}}\n')


def _driver(rules: Iterable[Rule]) -> dict[str, object]:
    return {
        "name": "guestclock",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [
            {
                "id": rule.id,
                "name": "".join(word.capitalize() for word in rule.name.split("-")),
                "shortDescription": {"text": rule.summary},
                "fullDescription": {"text": rule.summary},
                "help": _help(rule),
                "defaultConfiguration": {"level": _LEVELS.get(rule.id[:4], "note")},
            }
            for rule in rules
        ],
    }


def _help(rule: Rule) -> dict[str, object]:
    """The rule's page where it is beside the package, as in a clone; a wheel has no pages."""
    try:
        text = (_PROJECT / page(rule.id)).read_text(encoding="utf-8")
    except OSError:
        return {"text": rule.summary}
    # Its links lead to other pages, which are not where this is read.
    text = _LINK.sub(r"\1", text)
    return {"text": text, "markdown": text}


def _result(result: Audited, finding: Finding, number: int) -> dict[str, object]:
    machine = result.machine
    evidence = "; ".join(f"{one.what} ({one.how}: {one.where})" for one in finding.evidence)
    text = f"{machine.name}: {finding.observed}. Expected: {finding.expected}. Cure: {finding.cure}"
    location: dict[str, object] = {
        "logicalLocations": [
            {
                "name": visible(machine.name),
                "fullyQualifiedName": visible(f"{machine.platform}/{machine.id}"),
                "kind": "resource",
            }
        ]
    }
    uri = file_uri(machine.source)
    if uri is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": uri},
            # Nobody reads lines of a definition here, and some readers insist on one.
            "region": {"startLine": 1},
        }
    return {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": finding.severity.value,
        "message": {"text": visible(text)},
        "locations": [location],
        "partialFingerprints": {"guestclock/v1": fingerprint(machine, finding)},
        "properties": {
            "hop": finding.hop,
            "evidence": visible(evidence),
            "error_seconds": error_record(result.judgement.outlook),
        },
    }


def _notification(unread: Unread) -> dict[str, object]:
    record: dict[str, object] = {
        "level": "error",
        "message": {"text": visible(f"{unread.source}: {unread.reason}")},
    }
    uri = file_uri(unread.source)
    if uri is not None:
        record["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": uri}}}]
    return record


def file_uri(source: str) -> str | None:
    """The URI of a source that is a path, relative as it was given; None for a connection."""
    if "://" in source or source.startswith("pid:"):
        return None
    if os.path.isabs(source):
        return Path(source).as_uri()
    return quote(os.path.normpath(source))
