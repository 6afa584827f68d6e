"""Chooses for each machine with a wrong cold start the cheapest lever that makes the law hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from guestclock.audit import Judge, Judgement
from guestclock.findings.finding import Severity
from guestclock.machine import Machine
from guestclock.platforms.interface import Collected, Managed, Unread
from guestclock.platforms.openstack.origin import ServerOrigin
from guestclock.platforms.openstack.records import OsType
from guestclock.repair.of_machine import machine_step
from guestclock.repair.of_server import Servers
from guestclock.repair.plan import Open, Step
from guestclock.repair.trial import Trials

Chosen: TypeAlias = Step | Open | Unread


def _no_specs(_: list[str]) -> dict[str, OsType]:
    return {}


@dataclass(frozen=True, slots=True)
class Sources:
    """What has levers, by the names that plans use.

    `machines` are libvirt connections and cells' databases, `cloud` is where images are changed.
    `specs` reads the os_types of request specs from the database called `spec_source`.
    """

    machines: frozenset[str]
    cloud: str | None = None
    spec_source: str = ""
    specs: Callable[[list[str]], dict[str, OsType]] = _no_specs


@dataclass(frozen=True, slots=True)
class Choice:
    """How the user wants it: `prefer` is an offset of <clock>; `shared` allows shared images."""

    prefer: str | None = None
    shared: bool = False


def chosen(
    collected: Iterable[Collected], judge: Judge, sources: Sources, choice: Choice
) -> Iterator[Chosen]:
    """The steps in the order in which they are done, and why others have none."""
    trials = Trials(judge)
    servers = Servers(trials, sources.cloud, choice.shared)
    number = 0
    for one in collected:
        if isinstance(one, Unread):
            yield one
        elif isinstance(one, Machine):
            found = _of_machine(one, judge, sources, trials, choice)
            if isinstance(found, Step):
                number += 1
                found = replace(found, id=str(number))
            if found is not None:
                yield found
        elif isinstance(one, Managed) and isinstance(one.origin, ServerOrigin):
            left = _of_server(one.machine, one.origin, judge, sources, servers)
            if left is not None:
                yield left
    specs = sources.specs(servers.ids) if servers.ids else {}
    for step in servers.steps(specs, sources.spec_source):
        number += isinstance(step, Step)
        yield replace(step, id=str(number)) if isinstance(step, Step) else step


def _of_machine(
    machine: Machine, judge: Judge, sources: Sources, trials: Trials, choice: Choice
) -> Step | Open | None:
    identity, facts = machine.identity, machine.facts
    judgement = judge(facts)
    rules = _errors(judgement)
    if not rules:
        return None
    if identity.source not in sources.machines:
        return _left(machine, judgement, "give the libvirt connection that it is on with -c")
    found = machine_step(identity, facts, rules, trials, choice.prefer)
    return _left(machine, judgement, found) if isinstance(found, str) else found


def _of_server(
    machine: Machine, origin: ServerOrigin, judge: Judge, sources: Sources, servers: Servers
) -> Open | None:
    identity, facts = machine.identity, machine.facts
    judgement = judge.managed(facts, origin)
    rules = _errors(judgement)
    servers.note(facts, origin.server, origin.cloud, rules)
    if not rules:
        return None
    if identity.source not in sources.machines:
        return _left(machine, judgement, "give its cell's database with --cell-db")
    why = servers.plan(identity, facts, origin.server, rules)
    return _left(machine, judgement, why) if why else None


def _errors(judgement: Judgement) -> tuple[str, ...]:
    return tuple(one.rule for one in judgement.findings if one.severity is Severity.ERROR)


def _left(machine: Machine, judgement: Judgement, why: str) -> Open:
    error = next(one for one in judgement.findings if one.severity is Severity.ERROR)
    identity = machine.identity
    return Open(identity.name, identity.source, _errors(judgement), f"{why}: {error.cure}")
