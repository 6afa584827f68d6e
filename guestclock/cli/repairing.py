"""What plan, apply, resume and rollback share: sources with levers, journals, what is said."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guestclock.cli.options import current
from guestclock.cli.sources import SourceOptions, collect, surroundings_of, with_disks
from guestclock.errors import UsageProblem
from guestclock.platforms.interface import Collected, Unread
from guestclock.platforms.lever import Lever
from guestclock.repair.choose import CLOCK, OS_TYPE, chosen
from guestclock.repair.plan import Open, Plan, Step, text_of
from guestclock.repair.steps import Outcome, State

if TYPE_CHECKING:
    from guestclock.audit import Judge
    from guestclock.zones import Zones

FAILURES = frozenset((State.REFUSED, State.FAILED))
_LOGIN = re.compile(r"(?<=://)[^/?#]*@")


def named(uri: str) -> str:
    """A connection's URI without user, password and parameters, as plans and journals name it."""
    return _LOGIN.sub("", uri).partition("?")[0]


def collected_for(
    paths: tuple[str, ...], sources: SourceOptions, zones: Zones
) -> tuple[Iterator[Collected], frozenset[str]]:
    """The machines that are given, and the names of the sources that have levers."""
    cloud = sources.of_cloud()
    if cloud is not None and paths:
        raise UsageProblem("with a cloud its servers are the machines")
    if cloud is not None:
        from guestclock.platforms.openstack.source import OpenStackSource

        servers = OpenStackSource(cloud, surroundings_of(sources, zones))
        from guestclock.platforms.openstack.database.cell import CellDatabase

        cells = frozenset(CellDatabase(spec).name for spec in cloud.cells)
        return with_disks(servers.collected(current(), zones), sources, zones), cells
    if not paths and not sources.connections:
        raise UsageProblem("nothing to plan for", "give a connection with -c URI, or --cell-db URL")
    names = frozenset(named(uri) for uri in sources.connections)
    return _renamed(collect(paths, sources, zones)), names


def _renamed(collected: Iterable[Collected]) -> Iterator[Collected]:
    """The same, each source without what may be secret in it."""
    from guestclock.machine import Machine

    for one in collected:
        if isinstance(one, Machine):
            one = replace(one, identity=replace(one.identity, source=named(one.identity.source)))
        elif isinstance(one, Unread):
            one = replace(one, source=named(one.source))
        yield one


def new_plan(
    collected: Iterable[Collected], judge: Judge, sources: frozenset[str]
) -> tuple[Plan, list[Unread]]:
    """The plan, and what could not be read for it."""
    steps: list[Step] = []
    left: list[Open] = []
    unread: list[Unread] = []
    for one in chosen(collected, judge, sources):
        match one:
            case Step():
                steps.append(one)
            case Open():
                left.append(one)
            case Unread():
                unread.append(one)
    made = current()
    name = f"{made:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    return Plan(name, made, tuple(steps), tuple(left)), unread


def say_plan(plan: Plan, in_words: bool) -> str:
    """The plan as its file, or in words; it has no more than what could be read."""
    if not in_words:
        return text_of(plan)
    lines = []
    for step in plan.steps:
        lines.append(f"{step.target.name}: {step.old} -> {step.new}")
        lines.append(f"  answers {', '.join(step.findings)}; takes {step.why}")
    for one in plan.left:
        lines.append(f"{one.name}: no step answers {', '.join(one.findings)}")
        lines.append(f"  {one.what}")
    return "\n".join(lines or ["nothing to do for what was read"]) + "\n"


def levers_of(
    sources: SourceOptions, steps: Iterable[Step], zones: Zones
) -> dict[tuple[str, str], Lever]:
    """The levers that the steps need, on connections that are opened for writing."""
    from guestclock.platforms.libvirt.lever import ClockLever

    needed = {(step.lever, step.target.source) for step in steps}
    host = surroundings_of(sources, zones).host
    levers: dict[tuple[str, str], Lever] = {}
    hosts: list[Lever] = []
    for uri in sources.connections:
        if sources.cells or (CLOCK, named(uri)) in needed:
            hosts.append(ClockLever(uri, host, zones))
            levers[CLOCK, named(uri)] = hosts[-1]
    if sources.cells:
        levers |= _levers_of_cells(sources, hosts)
    return levers


def _levers_of_cells(sources: SourceOptions, hosts: list[Lever]) -> dict[tuple[str, str], Lever]:
    from guestclock.platforms.openstack.api_session import Session
    from guestclock.platforms.openstack.database.change import WritableCell
    from guestclock.platforms.openstack.lever import OsTypeLever

    session = None
    if sources.cloud is not None:
        session = Session(sources.cloud)
        session.connect()
    cells = [WritableCell(spec) for spec in sources.cells]
    return {(OS_TYPE, cell.name): OsTypeLever(cell, session, hosts) for cell in cells}


def journals(given: str | None) -> Path:
    """Where journals are: the folder given, or the user's state folder."""
    if given is not None:
        return Path(given)
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(
        os.path.expanduser("~"), ".local", "state"
    )
    return Path(state) / "guestclock" / "journals"


def say(outcomes: Iterable[Outcome]) -> int:
    """Prints each outcome as it comes; the exit code: 1 where one is a failure."""
    failed = False
    for one in outcomes:
        failed = failed or one.state in FAILURES
        tail = f": {one.why}" if one.why else ""
        click.echo(f"{one.step.id} {one.step.target.name}: {one.state.value}{tail}")
    return int(failed)
