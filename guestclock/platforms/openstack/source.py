"""The servers of a cloud from all sources that were given, each server once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from guestclock.errors import GuestclockError, Unreadable, UsageProblem
from guestclock.evidence import Unknown
from guestclock.platforms.interface import Collected, Managed, Unread
from guestclock.platforms.openstack.api import Api
from guestclock.platforms.openstack.database.ahead import ahead
from guestclock.platforms.openstack.database.api import ApiDatabase
from guestclock.platforms.openstack.database.cell import CellDatabase
from guestclock.platforms.openstack.facts import FactsMaker
from guestclock.platforms.openstack.given import Given
from guestclock.platforms.openstack.objects import Objects
from guestclock.platforms.openstack.origin import Actions, ServerOrigin
from guestclock.platforms.openstack.reading import Read, Told, read_cloud, reason_of
from guestclock.platforms.openstack.records import Action, Server
from guestclock.platforms.surroundings import Surroundings
from guestclock.platforms.text import clean
from guestclock.zones import Zones

_MADE = frozenset(("create", "rebuild"))
_PAGE = 1000
"""How many servers of the API are read ahead: one page of it."""


class OpenStackSource:
    """All servers of a cloud, then its images, volumes and hosts."""

    def __init__(self, given: Given, surroundings: Surroundings) -> None:
        self._given = given
        self._surroundings = surroundings
        self.told = Told()
        """What could not be read, and what nobody could tell."""

    def collected(self, at: datetime, zones: Zones) -> Iterator[Collected]:
        """Servers as they are read, then all else; what fails is told where it failed.

        Images, volumes and hosts are judged for hard reboots from `at` on. Raises UsageProblem.
        """
        read = read_cloud(self._given, self._surroundings, self.told)
        yield from self.told.drained()
        objects = Objects(read.cloud, self._surroundings)
        make = self._maker(read)
        for server in self._servers(read):
            if isinstance(server, Unread):
                yield server
                continue
            if server.vm_state == "deleted":
                # Between its deletion and the end of it a server is still listed.
                continue
            managed, server = make(server)
            objects.note(server, managed.machine.facts)
            yield managed
        yield from self.told.drained()
        yield from objects.examined(at, zones)

    def find(self, target: str) -> Managed:
        """The one server of that id or name. Raises UsageProblem, Unreadable."""
        read = read_cloud(self._given, self._surroundings, self.told)
        server = self._one(target, read)
        if self._given.api_db:
            database = ApiDatabase(self._given.api_db)
            with self.told.failing(database.name):
                server = replace(server, spec=database.spec_of(server.id))
        if isinstance(server.made, Unknown) and read.api is not None:
            server = replace(server, made=_asking(read.api)(server.id))
        return self._maker(read)(server)[0]

    def _maker(self, read: Read) -> Callable[[Server], tuple[Managed, Server]]:
        maker = FactsMaker(read.cloud, read.domains, self._surroundings)
        actions = _asking(read.api) if read.api is not None else None

        def make(server: Server) -> tuple[Managed, Server]:
            machine, server = maker.machine(server)
            origin = ServerOrigin(server, read.cloud, self._surroundings, actions)
            return Managed(machine, origin), server

        return make

    def _servers(self, read: Read) -> Iterator[Server | Unread]:
        """From the cells' databases, then those that only the API knows."""
        seen: set[str] | None = set() if read.api is not None and self._given.cells else None
        for spec in self._given.cells:
            cell = CellDatabase(spec)
            for server in _until_it_fails(cell.servers(), cell.name):
                if seen is not None and not isinstance(server, Unread):
                    seen.add(server.id)
                yield server
            self.told.add(cell.notes)
        if read.api is not None:
            with closing(ahead(read.api.servers, _PAGE)) as listed:
                for server in _until_it_fails(listed, f"cloud {read.api.name}"):
                    if isinstance(server, Unread) or seen is None or server.id not in seen:
                        yield server
            self.told.add(read.api.notes)

    def _one(self, target: str, read: Read) -> Server:
        found: dict[str, Server] = {}
        for spec in self._given.cells:
            cell = CellDatabase(spec)
            with self.told.failing(cell.name):
                for server in cell.server(target):
                    found[server.id] = server
        if read.api is not None and not found:
            server = read.api.server(target)
            return server
        if len(found) > 1:
            ids = ", ".join(sorted(found))
            raise UsageProblem(
                f"{len(found)} servers are called {clean(target)}", f"give one of the ids {ids}"
            )
        for server in found.values():
            return server
        if self.told.unread:
            one = self.told.unread[0]
            raise Unreadable(f"{one.source}: {one.reason}")
        raise UsageProblem(
            f"there is no server {clean(target)}", "give its id, or its name as it is written"
        )


def _until_it_fails(servers: Iterable[Server], source: str) -> Iterator[Server | Unread]:
    """The servers, and what ended them too early."""
    try:
        yield from servers
    except GuestclockError as problem:
        yield Unread(source, reason_of(problem, source))


def _asking(api: Api) -> Actions:
    """Asks the API for a server's creations and rebuilds, each server once."""
    asked: dict[str, tuple[Action, ...] | Unknown] = {}

    def actions(server: str) -> tuple[Action, ...] | Unknown:
        if server not in asked:
            try:
                found = api.actions(server)
                asked[server] = tuple(one for one in found if one.name in _MADE)
            except GuestclockError as problem:
                asked[server] = Unknown(f"its actions could not be read: {problem}")
        return asked[server]

    return actions
