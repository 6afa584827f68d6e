"""The audit: machines in, what is wrong with each out, one by one, in the order they came.

Machines of a fleet are much alike, and what is said of one rests on its facts alone, not on its
name. So each judgement is made once for equal facts, and a report can render it once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from guestclock.evidence import Unknown
from guestclock.findings.cause import case_of
from guestclock.findings.finding import Finding, Rule, Severity
from guestclock.findings.registry import RULES
from guestclock.machine import Facts, Identity, Outlook
from guestclock.platforms.interface import Collected, Unread
from guestclock.zones import Zones

TOLERANCE = 5
"""Seconds: an RTC has whole ones, and a start takes some."""

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of all machines with equal facts; findings in the order of their rules."""

    outlook: Outlook
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """A machine that was judged; `findings` are those that no baseline had already."""

    machine: Identity
    judgement: Judgement
    findings: tuple[Finding, ...]


Result: TypeAlias = Audited | Unread


class Judge:
    """Judges facts by the rules for a next cold start at `at`; equal facts once."""

    def __init__(
        self,
        at: datetime,
        zones: Zones,
        tolerance: int = TOLERANCE,
        rules: tuple[Rule, ...] = RULES,
    ) -> None:
        self.at = at
        self.zones = zones
        self.tolerance = tolerance
        self.rules = rules
        # By id first: hashing all that is known of a machine takes longer than all else here.
        # The facts are kept with their judgement, so that no other object can get their id.
        self._by_id: dict[int, tuple[Facts, Judgement]] = {}
        self._by_facts: dict[Facts, Judgement] = {}

    def __call__(self, facts: Facts) -> Judgement:
        """The judgement on these facts; the same object for equal ones, while it is remembered."""
        kept = self._by_id.get(id(facts))
        if kept is not None:
            return kept[1]
        if len(self._by_id) >= _REMEMBERED:
            self._by_id.clear()
            self._by_facts.clear()
        judgement = self._by_facts.get(facts)
        if judgement is None:
            judgement = self._by_facts[facts] = self._judge(facts)
        self._by_id[id(facts)] = (facts, judgement)
        return judgement

    def _judge(self, facts: Facts) -> Judgement:
        case = case_of(facts, self.at, self.zones, self.tolerance)
        found = tuple(finding for rule in self.rules for finding in rule.check(case))
        return Judgement(case.outlook, found)


def judge(facts: Facts, at: datetime, zones: Zones, tolerance: int = TOLERANCE) -> Judgement:
    """One judgement by all rules. For many machines keep a `Judge`."""
    return Judge(at, zones, tolerance)(facts)


def audit(
    collected: Iterable[Collected], judge: Judge, known: Container[bytes] = frozenset()
) -> Iterator[Result]:
    """Each machine with its findings, less those whose fingerprint is `known`."""
    for one in collected:
        if isinstance(one, Unread):
            yield one
        else:
            yield audited(one.identity, judge(one.facts), known)


def audited(machine: Identity, judgement: Judgement, known: Container[bytes]) -> Audited:
    """A machine with those findings of a judgement that are not `known` by fingerprint."""
    findings = judgement.findings
    if known:
        findings = tuple(one for one in findings if _digest(machine, one) not in known)
    return Audited(machine, judgement, findings)


def fingerprint(machine: Identity, finding: Finding) -> str:
    """32 hex digits that stay the same from run to run, as long as the finding does.

    Made of rule, platform, the machine's uuid (its name where it has none) and hop: no figures,
    which change with the season, and no paths, which change with the place of the audit.
    """
    return _digest(machine, finding).hex()


def _digest(machine: Identity, finding: Finding) -> bytes:
    who = machine.name if machine.id == machine.source else machine.id.lower()
    text = f"{finding.rule}\0{machine.platform}\0{who}\0{finding.hop}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass
class Tally:
    """What an audit came to, counted as its results pass by.

    `unknown` counts the machines whose error after a cold start is not known, by reason, and
    `baseline` the findings that were left out because a baseline had them.
    """

    machines: int = 0
    unread: int = 0
    baseline: int = 0
    severities: Counter[Severity] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def count(self, results: Iterable[Result]) -> Iterator[Result]:
        """Passes the results on and counts them."""
        for result in results:
            if isinstance(result, Unread):
                self.unread += 1
            else:
                self._count(result)
            yield result

    def _count(self, result: Audited) -> None:
        self.machines += 1
        self.baseline += len(result.judgement.findings) - len(result.findings)
        for finding in result.findings:
            self.severities[finding.severity] += 1
            self.rules[finding.rule] += 1
        error = result.judgement.outlook.after_cold_start
        if isinstance(error, Unknown):
            self.unknown[error.reason] += 1

    def worst(self) -> int:
        """The rank of the worst finding, 0 where there is none."""
        return max((one.rank for one, count in self.severities.items() if count), default=0)
