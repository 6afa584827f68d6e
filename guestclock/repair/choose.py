"""Chooses for each machine with a wrong cold start the cheapest lever that makes the law hold."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from guestclock.audit import Judge, Judgement
from guestclock.clock import Base, describe
from guestclock.cures import COLD_START, cures_base
from guestclock.evidence import Assumed, Unknown
from guestclock.exposure import next_fault
from guestclock.findings.finding import Severity
from guestclock.machine import Facts, Identity, Machine, outlook
from guestclock.platforms.interface import Collected, Managed, Unread
from guestclock.platforms.lever import Target
from guestclock.repair.plan import Open, Step

CLOCK = "libvirt-clock"
_YEAR = timedelta(days=366)

Chosen: TypeAlias = Step | Open | Unread


def chosen(
    collected: Iterable[Collected], judge: Judge, sources: Container[str]
) -> Iterator[Chosen]:
    """A step, or why there is none, for each machine in error. `sources` are those with levers."""
    number = 0
    for one in collected:
        match one:
            case Unread():
                yield one
            case Machine(identity, facts):
                found = _of_machine(identity, facts, judge, sources, str(number + 1))
                number += isinstance(found, Step)
                if found is not None:
                    yield found
            case Managed(machine, origin):
                judgement = judge.managed(machine.facts, origin)
                left = _left(machine.identity, judgement, "no lever of guestclock is for servers")
                if left is not None:
                    yield left
            case _:
                continue


def _of_machine(
    identity: Identity, facts: Facts, judge: Judge, sources: Container[str], number: str
) -> Step | Open | None:
    judgement = judge(facts)
    rules = _errors(judgement)
    if not rules:
        return None
    if identity.source not in sources:
        return _left(identity, judgement, "give the libvirt connection that it is on with -c")
    base = cures_base(facts, judge.at, judge.zones, judge.tolerance)
    if base is None or isinstance(facts.definition, Unknown):
        return _left(identity, judgement, "no clock would be right for it")
    old = describe(facts.definition.value.base)
    target = Target(identity.id, identity.name, identity.source)
    why = f"{COLD_START}; {_over_changes(facts, base, judge)}"
    return Step(number, CLOCK, target, old, describe(base), rules, why)


def _errors(judgement: Judgement) -> tuple[str, ...]:
    return tuple(one.rule for one in judgement.findings if one.severity is Severity.ERROR)


def _left(identity: Identity, judgement: Judgement, why: str) -> Open | None:
    errors = [one for one in judgement.findings if one.severity is Severity.ERROR]
    if not errors:
        return None
    return Open(identity.name, identity.source, _errors(judgement), f"{why}: {errors[0].cure}")


def _over_changes(facts: Facts, base: Base, judge: Judge) -> str:
    """What the next change of a zone makes of the cure, within a year."""
    assert not isinstance(facts.definition, Unknown)
    clock = replace(facts.definition.value, base=base)
    cured = replace(facts, definition=Assumed(clock, "the plan"))
    guest = outlook(cured, judge.at, judge.zones).guest
    fault = next_fault(cured, guest, judge.at, judge.at + _YEAR, judge.zones, judge.tolerance)
    if fault is None:
        return "right over every change of a zone within a year"
    when = fault.change.at.date().isoformat()
    return (
        f"wrong again by {fault.error:+d} s at {when} if {fault.life.value}: only a guest that "
        "keeps UTC is right then too"
    )
