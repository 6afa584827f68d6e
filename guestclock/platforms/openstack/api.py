"""A cloud by its APIs: only GET is ever asked, beside the POST for a token.

The answers are read as they are, not through the SDK's objects: properties that no release knows
stay as they were written, and a listing of 100,000 servers takes no longer than its pages.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from guestclock.errors import UsageProblem
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack import api_records as made
from guestclock.platforms.openstack.api_session import Refused, Service, Session
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
    from openstack.connection import Connection

PAGE = 1000
IMAGE_PROPERTIES = (2, 98)
"""The microversion from which a server shows its copy of the image's properties."""

_LISTS_OF_IMAGES = ("visibility=all", "visibility=all&os_hidden=true")
_WORD = re.compile(r"[A-Za-z0-9_-]+")


class Api:
    """One cloud of clouds.yaml, or an open connection to one; `notes` is what it cannot tell."""

    def __init__(self, cloud: str, connection: Connection | None = None) -> None:
        self.name = cloud
        self.notes: list[Note] = []
        self._session = Session(cloud, connection)
        self._source = f"cloud {cloud}"

    def connect(self) -> None:
        """Log in and see what is there. Raises UsageProblem, Unreadable."""
        self._session.open()
        if not self.has_image_properties:
            highest = ".".join(map(str, self._compute.newest)) or "none"
            self._note(
                f"its newest compute microversion is {highest}: what a server copied of its image "
                "is shown from 2.98 on, so it takes --cell-db"
            )

    @property
    def has_image_properties(self) -> bool:
        """Whether servers show their copy of the image's properties."""
        return self._compute.newest >= IMAGE_PROPERTIES

    def images(self) -> Iterator[Image]:
        """All images with all properties: others' and community ones, then the hidden ones."""
        seen: set[str] = set()
        for query in _LISTS_OF_IMAGES:
            for one in self._session.image.pages("/images", "images", f"{query}&limit={PAGE}"):
                image = made.image(one, self._source)
                if image.id not in seen:
                    seen.add(image.id)
                    yield image

    def servers(self) -> Iterator[Server]:
        """All servers of all projects, or of one's own where no others are shown."""
        for one in self._of_all_projects("/servers/detail", "servers"):
            yield made.server(one, self._source, self.has_image_properties)

    def server(self, target: str) -> Server:
        """The server of that id, or of exactly that name. Raises UsageProblem, Unreadable."""
        if _is_uuid(target):
            one = self._compute.found(f"/servers/{target}")
            if one is not None:
                return made.server(one["server"], self._source, self.has_image_properties)
        found = [one for one in self._named(target) if one.name == target]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(one.id for one in found)
            raise UsageProblem(
                f"{len(found)} servers are called {clean(target)}", f"give one of the ids {ids}"
            )
        raise UsageProblem(f"cloud {self.name} shows no server {clean(target)}", self._near(target))

    def _named(self, name: str) -> Iterator[Server]:
        # Nova's filter is a regular expression that ignores case: it narrows, and we compare.
        part = max(_WORD.findall(name), key=len, default="")
        query = f"name={part}" if part else ""
        for one in self._of_all_projects("/servers/detail", "servers", query):
            yield made.server(one, self._source, self.has_image_properties)

    def _near(self, target: str) -> str:
        names = {clean(one.get("name") or "") for one in self._first_names()}
        near = difflib.get_close_matches(target, names, n=3)
        return f"did you mean {' or '.join(near)}?" if near else "give its id, or its exact name"

    def _first_names(self) -> list[Mapping[str, Any]]:
        listed: list[Mapping[str, Any]] = []
        for one in self._of_all_projects("/servers", "servers"):
            listed.append(one)
            if len(listed) == PAGE:
                break
        return listed

    def _of_all_projects(self, path: str, key: str, query: str = "") -> Iterator[Mapping[str, Any]]:
        query = "&".join(part for part in (query, f"limit={PAGE}") if part)
        try:
            yield from self._compute.pages(path, key, f"all_tenants=1&{query}")
            return
        except Refused:
            text = "it shows the servers of one project alone: all of them take an admin"
            self._note(text)
        yield from self._compute.pages(path, key, query)

    def volumes(self) -> Iterator[Volume]:
        """All volumes with the metadata of their images; none where there is no Cinder."""
        for one in self._of_cinder("/volumes/detail", "volumes"):
            yield made.volume(one, self._source)

    def volume_snapshots(self) -> Iterator[VolumeSnapshot]:
        """All snapshots of volumes; none where there is no Cinder."""
        for one in self._of_cinder("/snapshots/detail", "snapshots"):
            yield made.volume_snapshot(one, self._source)

    def _of_cinder(self, path: str, key: str) -> Iterator[Mapping[str, Any]]:
        cinder = self._session.block_storage
        if cinder is None:
            self._note("it has no Cinder: no volumes were read")
            return
        try:
            yield from cinder.pages(path, key, f"all_tenants=1&limit={PAGE}")
        except Refused:
            self._note(f"it shows the {key} of one project alone: all of them take an admin")
            yield from cinder.pages(path, key, f"limit={PAGE}")

    def hosts(self) -> Iterator[Host]:
        """The compute hosts with their aggregates; none where that is not shown."""
        try:
            aggregates = made.aggregates_of(self._compute.pages("/os-aggregates", "aggregates"))
            listed = list(
                self._compute.pages("/os-hypervisors/detail", "hypervisors", f"limit={PAGE}")
            )
        except Refused:
            self._note("it does not show its hosts: that takes an admin")
            return
        for one in listed:
            yield made.host(one, aggregates, self._source)

    def actions(self, server: str) -> tuple[Action, ...]:
        """What was done to a server, the oldest first; nothing for one that is gone."""
        answer = self._compute.found(f"/servers/{server}/os-instance-actions")
        return made.actions(answer["instanceActions"]) if answer else ()

    @property
    def _compute(self) -> Service:
        return self._session.compute

    def _note(self, text: str) -> None:
        note = Note(self._source, text)
        if note not in self.notes:
            self.notes.append(note)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
