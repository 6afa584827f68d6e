"""The sources of a plan: what they have to be judged by, and the levers on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from guestclock.cli.sources import SourceOptions, collect, surroundings_of, with_disks
from guestclock.errors import UsageProblem
from guestclock.machine import Machine
from guestclock.platforms.interface import Collected, Unread
from guestclock.platforms.lever import Lever
from guestclock.platforms.libvirt import lever as libvirt
from guestclock.platforms.openstack import image_lever, spec_lever
from guestclock.platforms.openstack import lever as openstack
from guestclock.repair.choose import Sources
from guestclock.repair.plan import Step

if TYPE_CHECKING:
    from datetime import datetime

    from guestclock.platforms.openstack.given import Given
    from guestclock.zones import Zones

Levers = dict[tuple[str, str], Lever]
_LOGIN = re.compile(r"(?<=://)[^/?#]*@")


def named(uri: str) -> str:
    """A connection's URI without user, password and parameters, as plans and journals name it."""
    return _LOGIN.sub("", uri).partition("?")[0]


def collected_for(
    paths: tuple[str, ...], options: SourceOptions, at: datetime, zones: Zones
) -> tuple[Iterator[Collected], Sources]:
    """The machines that are given, and which of them have levers. Raises UsageProblem."""
    cloud = options.of_cloud()
    if cloud is None:
        if not paths and not options.connections:
            what = "give a connection with -c URI, or --os-cloud NAME with --cell-db URL"
            raise UsageProblem("nothing to plan for", what)
        names = frozenset(named(uri) for uri in options.connections)
        return _renamed(collect(paths, options, zones)), Sources(names)
    if paths:
        raise UsageProblem("with a cloud its servers are the machines")
    from guestclock.platforms.openstack.source import OpenStackSource

    source = OpenStackSource(cloud, surroundings_of(options, zones))
    return with_disks(source.collected(at, zones), options, zones), _of_cloud(cloud)


def _of_cloud(cloud: Given) -> Sources:
    from guestclock.platforms.openstack.database.api import ApiDatabase
    from guestclock.platforms.openstack.database.cell import CellDatabase

    cells = frozenset(CellDatabase(spec).name for spec in cloud.cells)
    if cloud.api_db is None:
        return Sources(cells, cloud.cloud)
    specs = ApiDatabase(cloud.api_db)
    return Sources(cells, cloud.cloud, specs.name, specs.specs)


def _renamed(collected: Iterable[Collected]) -> Iterator[Collected]:
    """The same, each source without what may be secret in it."""
    for one in collected:
        if isinstance(one, Machine):
            one = replace(one, identity=replace(one.identity, source=named(one.identity.source)))
        elif isinstance(one, Unread):
            one = replace(one, source=named(one.source))
        yield one


def levers_of(options: SourceOptions, steps: Iterable[Step], zones: Zones) -> Levers:
    """The levers that the steps need, on connections that are opened for writing.

    What is not given has none, which the steps that need it will say. Raises Unreadable.
    """
    needed = {step.lever for step in steps}
    made: Levers = {}
    hosts: list[Lever] = []
    if needed & {libvirt.NAME, openstack.NAME}:
        host = surroundings_of(options, zones).host
        for uri in options.connections:
            hosts.append(libvirt.ClockLever(uri, host, zones))
            made[libvirt.NAME, named(uri)] = hosts[-1]
    makers: dict[str, Callable[[], Levers]] = {
        openstack.NAME: lambda: _of_cells(options, hosts),
        image_lever.NAME: lambda: _of_images(options),
        spec_lever.NAME: lambda: _of_specs(options),
    }
    for name, make in makers.items():
        if name in needed:
            made |= make()
    return made


def _of_cells(options: SourceOptions, hosts: list[Lever]) -> Levers:
    from guestclock.platforms.openstack.api_session import Session
    from guestclock.platforms.openstack.database.change import WritableCell

    session = None
    if options.cloud is not None and options.cells:
        session = Session(options.cloud)
        session.connect()
    cells = [WritableCell(spec) for spec in options.cells]
    return {
        (openstack.NAME, cell.name): openstack.OsTypeLever(cell, session, hosts) for cell in cells
    }


def _of_images(options: SourceOptions) -> Levers:
    from guestclock.platforms.openstack.api_session import Session

    if options.cloud is None:
        return {}
    session = Session(options.cloud)
    session.connect()
    return {(image_lever.NAME, options.cloud): image_lever.ImageLever(session)}


def _of_specs(options: SourceOptions) -> Levers:
    from guestclock.platforms.openstack.database.spec_change import WritableSpecs

    if options.api_db is None:
        return {}
    specs = WritableSpecs(options.api_db)
    return {(spec_lever.NAME, specs.name): spec_lever.SpecLever(specs)}
