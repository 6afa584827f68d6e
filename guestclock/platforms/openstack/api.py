"""What a cloud's API tells: images, servers, volumes and hosts, by GET alone.

Lists come page by page, and a page is asked for when the one before it has been used up. A list
that breaks in the middle raises Unreadable after what was read of it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from guestclock.errors import UsageProblem
from guestclock.platforms.interface import Note, Unread
from guestclock.platforms.openstack.api_pages import Listing
from guestclock.platforms.openstack.api_records import (
    UNFIT,
    host_of,
    image_of,
    instance_action_of,
    is_cell_down,
    is_gone,
    migration_of,
    server_of,
    volume_of,
    volume_snapshot_of,
)
from guestclock.platforms.openstack.api_session import Answered, Json, NoService, Session
from guestclock.platforms.openstack.records import (
    Action,
    Host,
    Image,
    Server,
    Volume,
    VolumeSnapshot,
)
from guestclock.platforms.text import clean

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion

T = TypeVar("T")

_SHOWS_PROPERTIES = (2, 98)
_PAGE = (("limit", "1000"),)
_DETAILED = "servers/detail"
_ALL = ("all_tenants", "1")
_MOST_IDS = 20
_MOST_NEAR = 3
_LEAST_NAMES = 1000
_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_PLAIN = re.compile(r"[^0-9A-Za-z _-]+")


class Api:
    """One cloud, as clouds.yaml names it; nothing is asked before `connect`.

    `region` is an openstacksdk configuration that somebody else has made, such as the openstack
    client. `notes` grow as lists are read: what this user is not shown, or this cloud has not.
    """

    def __init__(self, cloud: str, region: CloudRegion | None = None) -> None:
        self._session = Session(cloud, region)
        self.notes: list[Note | Unread] = []

    @property
    def name(self) -> str:
        """The cloud's name in clouds.yaml."""
        return self._session.name

    @property
    def source(self) -> str:
        """What notes and servers say they are from."""
        return f"cloud {clean(self.name)}"

    def connect(self) -> None:
        """Signs in. Raises UsageProblem for a cloud that is not configured, and Unreadable."""
        self._session.connect()
        others = self._session.other_regions()
        if others:
            self._note(f"its regions {', '.join(map(clean, others))} are not read: give each alone")

    @cached_property
    def microversion(self) -> str:
        """Nova's microversion that servers are read with: the newest of use; "" is none."""
        offered = self._session.max_microversion("compute")
        if offered is None or offered < _SHOWS_PROPERTIES:
            has = "none" if offered is None else "{}.{}".format(*offered)
            self._note(
                f"Nova offers microversion {has}, and it takes 2.98 to be shown what a server"
                " keeps of its image's properties: --cell-db shows it"
            )
        return "" if offered is None else "{}.{}".format(*min(offered, _SHOWS_PROPERTIES))

    @property
    def has_image_properties(self) -> bool:
        """Whether Nova shows what a server keeps of its image's properties."""
        return self.microversion == "{}.{}".format(*_SHOWS_PROPERTIES)

    def images(self) -> Iterator[Image]:
        """Each image that this user may see, hidden, shared and community ones too."""
        seen: set[str] = set()
        for hidden in ("false", "true"):
            query = (("visibility", "all"), ("member_status", "all"), ("os_hidden", hidden), *_PAGE)
            listing = Listing("image", "v2", "images", "images", query)
            for one in listing.items(self._session):
                image = self._read(listing, image_of, one)
                if image.id not in seen:
                    seen.add(image.id)
                    yield image

    def servers(self) -> Iterator[Server]:
        """Each server of all projects, or of the token's own where this user may see no more."""
        down = 0
        for one in self._all_projects(_DETAILED):
            down += is_cell_down(one)
            yield self._server(one)
        if down:
            self._note(f"{down} servers are in a cell that is down: Nova gives little but their id")

    def server(self, target: str) -> Server:
        """The server of an id, or of a name as it is written.

        Raises UsageProblem where there is none, or several of that name.
        """
        if _ID.fullmatch(target):
            try:
                found = self._nova(f"servers/{target}", "server").single(self._session)
                if not is_gone(found):
                    return self._server(found)
            except Answered as problem:
                if problem.status != 404:
                    raise
        # Nova's filter is the database's regular expression, blind to case. What such an
        # expression may read in another way is left open, and names are compared here.
        pattern = _PLAIN.sub(".*", target)
        alike = list(self._all_projects(_DETAILED, (("name", f"^{pattern}$"),)))
        fits = [one for one in alike if one.get("name") == target]
        if len(fits) == 1:
            return self._server(fits[0])
        if fits:
            raise _ambiguous(target, [str(one.get("id")) for one in fits])
        raise self._no_server(target, [str(one.get("name")) for one in alike])

    def volumes(self) -> Iterator[Volume]:
        """Each volume; none, with a note, where there is no Cinder."""
        return self._cinder("volumes/detail", "volumes", volume_of)

    def volume_snapshots(self) -> Iterator[VolumeSnapshot]:
        """Each snapshot of a volume; none, with a note, where there is no Cinder."""
        return self._cinder("snapshots/detail", "snapshots", volume_snapshot_of)

    def hosts(self) -> Iterator[Host]:
        """Each hypervisor; none, with a note, where this user may not see them."""
        services = list(self._optional(self._nova("os-services", "services")))
        enabled = {_name(one, "host"): one.get("status") != "disabled" for one in services}
        down = sorted({_name(one, "host") for one in services if one.get("status") == "UNKNOWN"})
        if down:
            # Of a list with more than one page, Nova leaves such a cell's servers out.
            some = ", ".join(map(clean, down[:_MOST_IDS]))
            text = f"a cell is down, and servers of its {len(down)} hosts may be missing: {some}"
            self._tell(Unread(self.source, text))
        aggregates: dict[str, tuple[str, ...]] = {}
        for one in self._optional(self._nova("os-aggregates", "aggregates")):
            for host in one.get("hosts") or ():
                aggregates[host] = (*aggregates.get(host, ()), _name(one, "name"))

        def read(one: Json, source: str) -> Host:
            return host_of(one, enabled, aggregates, source)

        listing = self._nova("os-hypervisors/detail", "hypervisors")
        for one in self._optional(listing):
            yield self._read(listing, read, one)

    def actions(self, server_id: str) -> tuple[Action, ...]:
        """What was done to a server, the oldest first. Raises Unreadable where it is gone."""
        path = f"servers/{quote(server_id, safe='')}/os-instance-actions"
        listing = self._nova(path, "instanceActions", links="links")
        return self._oldest_first(listing, listing.items(self._session), instance_action_of)

    def migrations(self, server_id: str) -> tuple[Action, ...]:
        """How a server was moved, the oldest first; none, with a note, where nobody may see it."""
        query = (("instance_uuid", server_id),)
        listing = self._nova("os-migrations", "migrations", query=query)
        return self._oldest_first(listing, self._optional(listing), migration_of)

    def _oldest_first(
        self, listing: Listing, items: Iterator[Json], read: Callable[[Json, str], Action]
    ) -> tuple[Action, ...]:
        found = [self._read(listing, read, one) for one in items]
        return tuple(sorted(found, key=lambda action: action.at))

    def _server(self, one: Json) -> Server:
        return self._read(self._nova(_DETAILED, "servers"), server_of, one)

    def _all_projects(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> Iterator[Json]:
        everyone = self._all_projects_and_gone(path, query)
        return (one for one in everyone if not is_gone(one))

    def _all_projects_and_gone(
        self, path: str, query: tuple[tuple[str, str], ...]
    ) -> Iterator[Json]:
        # Without a limit: Nova lists servers of a cell that is down only where no page was asked
        # for (nova/api/openstack/compute/servers.py, _is_cell_down_supported), and its own limit
        # is the same 1000.
        everything = self._nova(path, "servers", query=(_ALL, *query)).items(self._session)
        try:
            first = next(everything, None)
        except Answered as problem:
            if problem.status != 403:
                raise
        else:
            if first is not None:
                yield first
            yield from everything
            return
        self._note("this user may only see the servers of its own project: all takes an admin")
        yield from self._nova(path, "servers", query=query).items(self._session)

    def _no_server(self, target: str, alike: list[str]) -> UsageProblem:
        message = f"{self.source} has no server {clean(target)}"
        if not alike:
            names = {
                str(one.get("name")) for one in islice(self._all_projects("servers"), _LEAST_NAMES)
            }
            alike = difflib.get_close_matches(target, sorted(names), n=_MOST_NEAR)
        if not alike:
            return UsageProblem(message, "give its id, or its name as it is written")
        near = " or ".join(clean(name) for name in dict.fromkeys(alike[:_MOST_NEAR]))
        return UsageProblem(message, f"did you mean {near}?")

    def _cinder(self, path: str, key: str, read: Callable[[Json, str], T]) -> Iterator[T]:
        listing = Listing("block-storage", f"v3/{self._session.project}", path, key, (_ALL, *_PAGE))
        for one in self._optional(listing):
            yield self._read(listing, read, one)

    def _nova(
        self, path: str, key: str, links: str = "", query: tuple[tuple[str, str], ...] = ()
    ) -> Listing:
        return Listing("compute", "v2.1", path, key, query, self.microversion, links)

    def _optional(self, listing: Listing) -> Iterator[Json]:
        """The items of a list that a cloud may not have, or this user may not see."""
        try:
            yield from listing.items(self._session)
        except NoService:
            self._note(f"its catalogue has no {listing.service} service")
        except Answered as problem:
            if problem.status != 403:
                raise
            self._note(f"this user may not see its {listing.key}: that takes an admin")

    def _read(self, listing: Listing, read: Callable[[Json, str], T], one: Json) -> T:
        try:
            return read(one, self.source)
        except UNFIT:
            raise self._session.unfit(listing.path) from None

    def _note(self, text: str) -> None:
        self._tell(Note(self.source, text))

    def _tell(self, told: Note | Unread) -> None:
        if told not in self.notes:
            self.notes.append(told)


def _ambiguous(target: str, ids: list[str]) -> UsageProblem:
    named = ", ".join(clean(one) for one in ids[:_MOST_IDS])
    more = "" if len(ids) <= _MOST_IDS else f" and {len(ids) - _MOST_IDS} more"
    message = f"{len(ids)} servers are called {clean(target)}"
    return UsageProblem(message, f"give one of the ids {named}{more}")


def _name(one: Json, key: str) -> str:
    return str(one.get(key) or "")
