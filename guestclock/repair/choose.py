"""Chooses for each machine with a wrong cold start the cheapest lever that makes the law hold."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from guestclock.audit import Judge, Judgement
from guestclock.clock import Base, describe
from guestclock.cures import COLD_START, cures_base
from guestclock.evidence import Assumed, Unknown, value_of
from guestclock.exposure import next_fault
from guestclock.findings.finding import Severity
from guestclock.guest import system_of
from guestclock.machine import Facts, Identity, Machine, Outlook, outlook
from guestclock.platforms.interface import Collected, Managed, Origin, Unread
from guestclock.platforms.lever import Target
from guestclock.platforms.openstack.database.change import OsTypes
from guestclock.platforms.openstack.origin import ServerOrigin
from guestclock.platforms.openstack.rule import nova_clock
from guestclock.repair.plan import Open, Step

CLOCK = "libvirt-clock"
OS_TYPE = "nova-os-type"
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
                found = _of_server(machine, origin, judge, sources, str(number + 1))
                number += isinstance(found, Step)
                if found is not None:
                    yield found
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


def _of_server(
    machine: Machine, origin: Origin, judge: Judge, sources: Container[str], number: str
) -> Step | Open | None:
    identity, facts = machine.identity, machine.facts
    judgement = judge.managed(facts, origin)
    rules = _errors(judgement)
    if not rules:
        return None
    if identity.source not in sources or not isinstance(origin, ServerOrigin):
        return _left(identity, judgement, "give its cell's database with --cell-db")
    column, copy = value_of(origin.server.column), value_of(origin.server.metadata)
    if isinstance(origin.server.column, Unknown) or isinstance(facts.definition, Unknown):
        return _left(identity, judgement, "what Nova has of it is not known")
    word = "windows" if system_of(facts.guest).keeps_local else "linux"
    base = nova_clock(word, "qemu").base
    error = value_of(_cured(facts, base, judge).after_cold_start)
    if error is None or abs(error) >= judge.tolerance:
        return _left(identity, judgement, f"os_type={word} would not set it right")
    target = Target(identity.id, identity.name, identity.source)
    old, new = OsTypes(column, copy), OsTypes(word, word)
    why = (
        f"one hard reboot; Hyper-V features and the admin's name follow os_type; a rebuild takes "
        f"its image's value again; {_over_changes(facts, base, judge)}"
    )
    return Step(number, OS_TYPE, target, str(old), str(new), rules, why)


def _cured(facts: Facts, base: Base, judge: Judge) -> Outlook:
    return outlook(_with(facts, base), judge.at, judge.zones)


def _with(facts: Facts, base: Base) -> Facts:
    assert not isinstance(facts.definition, Unknown)
    clock = replace(facts.definition.value, base=base)
    return replace(facts, definition=Assumed(clock, "the plan"))


def _errors(judgement: Judgement) -> tuple[str, ...]:
    return tuple(one.rule for one in judgement.findings if one.severity is Severity.ERROR)


def _left(identity: Identity, judgement: Judgement, why: str) -> Open | None:
    errors = [one for one in judgement.findings if one.severity is Severity.ERROR]
    if not errors:
        return None
    return Open(identity.name, identity.source, _errors(judgement), f"{why}: {errors[0].cure}")


def _over_changes(facts: Facts, base: Base, judge: Judge) -> str:
    """What the next change of a zone makes of the cure, within a year."""
    cured = _with(facts, base)
    guest = outlook(cured, judge.at, judge.zones).guest
    fault = next_fault(cured, guest, judge.at, judge.at + _YEAR, judge.zones, judge.tolerance)
    if fault is None:
        return "right over every change of a zone within a year"
    when = fault.change.at.date().isoformat()
    return (
        f"wrong again by {fault.error:+d} s at {when} if {fault.life.value}: only a guest that "
        "keeps UTC is right then too"
    )
