"""The one machine that `explain` and `prove` are about: a file's, a connection's, the lab's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from guestclock.cli.sources import SourceOptions
    from guestclock.machine import Machine
    from guestclock.platforms.interface import Managed, Read
    from guestclock.platforms.openstack.given import Given
    from guestclock.zones import Zones

Command = TypeVar("Command", bound=Callable[..., Any])


def guest_options(command: Command) -> Command:
    """`--guest`, `--zone`, `--bias`: what the user knows of the system inside."""
    for option in (
        click.option("--bias", type=int, help="Windows' saved ActiveTimeBias, in minutes."),
        click.option("--zone", help="The guest's zone, an IANA or a Windows name."),
        click.option("--guest", help="The kind of guest: windows, linux, ..."),
    ):
        command = option(command)
    return command


def find_machine(target: str, options: SourceOptions, lab: str | None, zones: Zones) -> Machine:
    """The machine of that file, name, uuid or process. Raises Unreadable, UsageProblem."""
    from guestclock.cli.sources import collect
    from guestclock.errors import UsageProblem

    if lab is not None:
        from guestclock.lab.cloud.explained import machine_of, trace_server

        return machine_of(trace_server(lab, target))
    cloud = options.of_cloud()
    if cloud is not None:
        return find_server(target, cloud, options, zones)[0].machine
    if os.path.lexists(target) or target.startswith("pid:"):
        if os.path.isdir(target):
            raise UsageProblem(f"{target} is a folder", f"guestclock audit {target}")
        alone = replace(options, connections=())
        return _only(target, collect([target], alone, zones))
    if options.connections or options.folders:
        return _named(target, collect(options.folders, options, zones))
    raise UsageProblem(
        f"there is no file {target!r}", "name a domain's XML file, or give -c URI and its name"
    )


def _only(target: str, collected: Iterator[Read]) -> Machine:
    from guestclock.errors import Unreadable, UsageProblem
    from guestclock.platforms.interface import Unread

    machines = []
    for one in collected:
        if isinstance(one, Unread):
            raise Unreadable(f"{one.source}: {one.reason}")
        machines.append(one)
    if not machines:
        raise Unreadable(f"{target} holds no machine")
    if len(machines) > 1:
        raise UsageProblem(
            f"{target} holds {len(machines)} machines", "explain takes one; audit takes them all"
        )
    return machines[0]


def _named(target: str, collected: Iterator[Read]) -> Machine:
    import difflib

    from guestclock.errors import Unreadable, UsageProblem
    from guestclock.platforms.interface import Unread

    names, unread = [], []
    for one in collected:
        if isinstance(one, Unread):
            unread.append(one)
        elif target in (one.identity.name, one.identity.id):
            return one
        else:
            names.append(one.identity.name)
    if unread:
        raise Unreadable(f"{unread[0].source}: {unread[0].reason}")
    near = difflib.get_close_matches(target, names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"{len(names)} machines are there"
    raise UsageProblem(f"no machine is called {target!r}", hint)


def find_server(
    target: str, cloud: Given, options: SourceOptions, zones: Zones
) -> tuple[Managed, bool]:
    """The server of that id or name, and whether all that was given could be read.

    What could not, and what sources could not tell, goes to standard error. Raises UsageProblem,
    Unreadable.
    """
    from guestclock.cli.sources import surroundings_of, with_disks
    from guestclock.platforms.interface import Managed, Unread
    from guestclock.platforms.openstack.source import OpenStackSource

    source = OpenStackSource(cloud, surroundings_of(options, zones))
    found = source.find(target)
    told = list(source.told.drained())
    for looked in with_disks(iter((found,)), options, zones):
        if isinstance(looked, Managed):
            found = looked
        else:
            told.append(looked)
    complete = True
    for one in told:
        if isinstance(one, Unread):
            complete = False
            click.echo(f"not read: {one.source}: {one.reason}", err=True)
        else:
            click.echo(f"note: {one.source}: {one.text}", err=True)
    return found, complete
