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
from typing import TypeAlias, assert_never

from guestclock.evidence import Unknown
from guestclock.findings.cause import case_of
from guestclock.findings.finding import Case, Finding, Rule, Severity
from guestclock.machine import MACHINES, NO_OUTLOOK, Facts, Identity, Machine, Outlook
from guestclock.platforms.interface import (
    NOTHING,
    Collected,
    Examined,
    Managed,
    Note,
    Origin,
    Unread,
)
from guestclock.rules import RULES
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
    """A machine or object that was judged; `findings` are those that no baseline had already."""

    machine: Identity
    judgement: Judgement
    findings: tuple[Finding, ...]


Result: TypeAlias = Audited | Unread
Passing: TypeAlias = Result | Note
"""What an audit gives; a note is counted and comes to no report by itself."""


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
        self._chosen = frozenset(rule.id for rule in rules)
        # By id first: hashing all that is known of a machine takes longer than all else here.
        # The facts are kept with their judgement, so that no other object can get their id.
        self._by_id: dict[int, tuple[Facts, Case, Judgement]] = {}
        self._by_facts: dict[Facts, tuple[Case, Judgement]] = {}

    def __call__(self, facts: Facts) -> Judgement:
        """The judgement on these facts; the same object for equal ones, while it is remembered."""
        return self._judged(facts)[1]

    def managed(self, facts: Facts, origin: Origin) -> Judgement:
        """The judgement on a machine by the general rules and those of its platform."""
        case, general = self._judged(facts)
        own = origin.own(case)
        if own is NOTHING:
            return general
        kept = [one for one in general.findings if one.rule not in own.replaced]
        return Judgement(general.outlook, (*self.choose(own.findings), *kept))

    def choose(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Those of the rules that this judge goes by."""
        return tuple(one for one in findings if one.rule in self._chosen)

    def _judged(self, facts: Facts) -> tuple[Case, Judgement]:
        kept = self._by_id.get(id(facts))
        if kept is not None:
            return kept[1], kept[2]
        if len(self._by_id) >= _REMEMBERED:
            self._by_id.clear()
            self._by_facts.clear()
        judged = self._by_facts.get(facts)
        if judged is None:
            judged = self._by_facts[facts] = self._judge(facts)
        self._by_id[id(facts)] = (facts, *judged)
        return judged

    def _judge(self, facts: Facts) -> tuple[Case, Judgement]:
        case = case_of(facts, self.at, self.zones, self.tolerance)
        found = tuple(finding for rule in self.rules for finding in rule.check(case))
        return case, Judgement(case.outlook, found)


def judge(facts: Facts, at: datetime, zones: Zones, tolerance: int = TOLERANCE) -> Judgement:
    """One judgement by all rules. For many machines keep a `Judge`."""
    return Judge(at, zones, tolerance)(facts)


def audit(
    collected: Iterable[Collected], judge: Judge, known: Container[bytes] = frozenset()
) -> Iterator[Passing]:
    """Each machine with its findings, less those whose fingerprint is `known`."""
    for one in collected:
        match one:
            case Unread() | Note():
                yield one
            case Machine(identity, facts):
                yield audited(identity, judge(facts), known)
            case Managed(machine, origin):
                yield audited(machine.identity, judge.managed(machine.facts, origin), known)
            case Examined(identity, findings):
                judgement = Judgement(NO_OUTLOOK, judge.choose(findings))
                yield audited(identity, judgement, known)
            case _:
                assert_never(one)


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

    `objects` counts what is no machine, by kind. `unknown` counts the machines whose error after a
    cold start is not known, by reason, `notes` what sources could not tell, by source and text,
    and `baseline` the findings that were left out because a baseline had them.
    """

    machines: int = 0
    objects: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    baseline: int = 0
    severities: Counter[Severity] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, results: Iterable[Passing]) -> Iterator[Result]:
        """Counts the results and passes them on, but for notes, which are reported at the end."""
        for result in results:
            if isinstance(result, Note):
                self.notes[result.source, result.text] += 1
                continue
            if isinstance(result, Unread):
                self.unread += 1
            else:
                self._count(result)
            yield result

    def _count(self, result: Audited) -> None:
        self.baseline += len(result.judgement.findings) - len(result.findings)
        for finding in result.findings:
            self.severities[finding.severity] += 1
            self.rules[finding.rule] += 1
        if result.machine.kind not in MACHINES:
            self.objects[result.machine.kind] += 1
            return
        self.machines += 1
        error = result.judgement.outlook.after_cold_start
        if isinstance(error, Unknown):
            self.unknown[error.reason] += 1

    def worst(self) -> int:
        """The rank of the worst finding, 0 where there is none."""
        return max((one.rank for one, count in self.severities.items() if count), default=0)
