"""JUnit XML, as build servers show it: a suite for each rule, a case in it for each machine.

A machine that breaks a rule is a failure there if it is an error or a warning; a note is written
down and passes. What could not be read are errors in a suite of their own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import IO, TextIO
from xml.sax.saxutils import escape, quoteattr

from guestclock.audit import Audited, Passing, Result
from guestclock.findings.finding import Finding, Rule, Severity
from guestclock.platforms.interface import Unread
from guestclock.reports.audit.interface import Scope
from guestclock.reports.audit.text import visible

_SPOOLED = 1 << 20
_UNREAD = "unread"


def report(results: Iterable[Passing], scope: Scope, stream: TextIO) -> None:
    """Writes the suites in the order of the rules; each waits in a temporary file for its turn."""
    with ExitStack() as stack:
        suites = _Suites(scope.rules, stack)
        for result in scope.tally.count(results):
            suites.add(result)
        suites.write(stream)


class _Suites:
    """One temporary file a suite, as all of them grow at once."""

    def __init__(self, rules: Iterable[Rule], stack: ExitStack) -> None:
        self._names = {rule.id: f"{rule.id} {rule.name}" for rule in rules}
        self._names[_UNREAD] = _UNREAD
        self._cases: dict[str, IO[str]] = {
            key: stack.enter_context(_spooled()) for key in self._names
        }
        self._tests: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    def add(self, result: Result) -> None:
        """Adds a machine to every suite, or what was not read to its own."""
        if isinstance(result, Unread):
            self._case(_UNREAD, result.source, result.source, [_error(result)])
            self._failures[_UNREAD] += 1
            return
        for rule in self._names:
            if rule != _UNREAD:
                mine = [one for one in result.findings if one.rule == rule]
                self._machine(rule, result, mine)

    def _machine(self, rule: str, result: Audited, findings: list[Finding]) -> None:
        machine = result.machine
        # Names may repeat across hosts, and a build server tells cases apart by both attributes.
        self._case(
            rule,
            f"{machine.name} ({machine.id})" if machine.id != machine.name else machine.name,
            machine.source,
            [_body(finding) for finding in findings],
        )
        if any(finding.severity is not Severity.NOTE for finding in findings):
            self._failures[rule] += 1

    def _case(self, suite: str, name: str, classname: str, body: list[str]) -> None:
        self._tests[suite] += 1
        start = f"    <testcase name={_attribute(name)} classname={_attribute(classname)}"
        text = f"{start}>{''.join(body)}</testcase>\n" if body else f"{start}/>\n"
        self._cases[suite].write(text)

    def write(self, stream: TextIO) -> None:
        """Writes all suites that have a case."""
        tests, unread = self._tests.total(), self._failures[_UNREAD]
        failures = self._failures.total() - unread
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        stream.write('<testsuites name="guestclock audit"')
        stream.write(f' tests="{tests}" failures="{failures}" errors="{unread}">\n')
        for suite in self._written():
            stream.write(f"  <testsuite name={_attribute(self._names[suite])}")
            failed, errors = self._failures[suite], 0
            if suite == _UNREAD:
                failed, errors = 0, failed
            stream.write(f' tests="{self._tests[suite]}" failures="{failed}" errors="{errors}">\n')
            self._cases[suite].seek(0)
            shutil.copyfileobj(self._cases[suite], stream)
            stream.write("  </testsuite>\n")
        stream.write("</testsuites>\n")

    def _written(self) -> Iterator[str]:
        return (suite for suite in self._names if self._tests[suite])


def _spooled() -> AbstractContextManager[IO[str]]:
    return tempfile.SpooledTemporaryFile(_SPOOLED, "w+", encoding="utf-8")


def _body(finding: Finding) -> str:
    lines = (
        f"expected: {finding.expected}",
        f"observed: {finding.observed}",
        f"cure: {finding.cure}",
    )
    text = "\n".join(map(_text, lines))
    if finding.severity is Severity.NOTE:
        return f"<system-out>{text}</system-out>"
    kind, message = finding.severity.value, _attribute(finding.observed)
    return f'<failure type="{kind}" message={message}>{text}</failure>'


def _error(unread: Unread) -> str:
    return f'<error type="unread" message={_attribute(unread.reason)}/>'


def _text(text: str) -> str:
    # What is visible holds nothing that XML 1.0 could not.
    return escape(visible(text))


def _attribute(text: str) -> str:
    return quoteattr(visible(text))
