"""The images of Glance's database: their properties, and when os_type was last set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from guestclock.evidence import Observed
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.database.connect import Database, Reading
from guestclock.platforms.openstack.database.rows import aware
from guestclock.platforms.openstack.database.tables import Seen, Tables, Wanted
from guestclock.platforms.openstack.records import Image

OPTION = "--glance-db"
PAGE = 20_000
"""Rows per page: an image has some ten properties."""

PROPERTIES = Wanted(
    "image_properties",
    ("id", "image_id", "name", "value", "created_at", "deleted"),
    ("updated_at",),
)
IMAGES = Wanted(
    "images",
    ("id", "name", "deleted"),
    ("status", "visibility", "owner", "os_hidden", "created_at", "updated_at"),
)
_WITHOUT_IMAGES = "images have no names, and those without properties are not seen"


@dataclass
class _Properties:
    """The properties of one image, and when os_type was last set or removed."""

    live: dict[str, str] = field(default_factory=dict)
    set_at: datetime | None = None


class GlanceDatabase:
    """The images of a Glance, by its database; `notes` are complete once they were read."""

    def __init__(self, spec: str, page: int = PAGE) -> None:
        """Take a URL, env:NAME or file:PATH. Raises UsageProblem, Unreadable, as Database does."""
        self._database = Database(spec, OPTION)
        self._page = page
        self.name = self._database.name
        self.notes: list[Note] = []

    def images(self) -> Iterator[Image]:
        """Each image that is not deleted, with all its properties. Raises Unreadable."""
        with self._database.open() as reading:
            tables = Tables(reading)
            try:
                seen = tables.needed(PROPERTIES)
                listed = tables.optional(IMAGES, _WITHOUT_IMAGES)
            finally:
                self.notes[:] = tables.notes
            properties = self._properties(reading, seen)
            if listed is None:
                yield from self._nameless(properties)
            else:
                yield from self._named(reading, listed, properties)

    def _properties(self, reading: Reading, seen: Seen) -> dict[str, _Properties]:
        columns = ("id", "image_id", "name", "value", "created_at", "updated_at", "deleted")
        found: dict[str, _Properties] = {}
        for row in self._rows(reading, seen, columns, "id"):
            _, image, name, value, created_at, updated_at, deleted = row
            mine = found.setdefault(image, _Properties())
            # The collation may ignore case, and a property may have any: it is compared here.
            if name == "os_type":
                changed = aware(updated_at) or aware(created_at)
                if changed and (mine.set_at is None or changed > mine.set_at):
                    mine.set_at = changed
            if not deleted and value is not None:
                mine.live[name] = value
        return found

    def _nameless(self, properties: dict[str, _Properties]) -> Iterator[Image]:
        # Of an image that was deleted every property is.
        for image, mine in properties.items():
            if mine.live:
                yield self._image(image, "", mine)

    def _named(
        self, reading: Reading, seen: Seen, properties: dict[str, _Properties]
    ) -> Iterator[Image]:
        columns = ("id", "name", "deleted", *IMAGES.optional)
        for row in self._rows(reading, seen, columns, "id"):
            image, name, deleted, status, visibility, owner, hidden, created_at, updated_at = row
            if not deleted:
                mine = properties.get(image, _Properties())
                yield replace(
                    self._image(image, name or "", mine),
                    status=status or "",
                    visibility=visibility or "",
                    owner=owner or "",
                    hidden=bool(hidden),
                    created_at=aware(created_at),
                    updated_at=aware(updated_at),
                )

    def _image(self, image: str, name: str, mine: _Properties) -> Image:
        set_at = Observed(mine.set_at, f"{self.name}: image_properties of os_type")
        return Image(image, name, mine.live, os_type_set_at=set_at, source=self.name)

    def _rows(
        self, reading: Reading, seen: Seen, columns: tuple[str, ...], key: str
    ) -> Iterator[Any]:
        """All rows of a table, page by page, each page as it was at one moment."""
        from sqlalchemy import select

        source = seen.source()
        statement = select(*seen.picked(source, columns)).order_by(source.c[key])
        last: Any = None
        while True:
            after = statement if last is None else statement.where(source.c[key] > last)
            with reading.snapshot():
                found = reading.rows(after.limit(self._page))
            yield from found
            if len(found) < self._page:
                return
            last = found[-1][0]
