"""Glance's database: all images whoever owns them, and when os_type was set on each."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guestclock.evidence import Fact, Observed
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.database.ahead import ahead
from guestclock.platforms.openstack.database.connect import Database, Reading
from guestclock.platforms.openstack.database.rows import Rows, aware
from guestclock.platforms.openstack.database.tables import Seen, Tables, Wanted
from guestclock.platforms.openstack.records import Image

OPTION = "--glance-db"
PAGE = 1000
"""Images per page, or rows of properties where the images themselves cannot be read."""

PROPERTIES = Wanted(
    "image_properties", ("image_id", "name", "value", "created_at", "updated_at", "deleted")
)
IMAGES = Wanted(
    "images",
    ("id", "name", "deleted"),
    ("status", "visibility", "owner", "os_hidden", "created_at", "updated_at"),
)
_IMAGE = ("id", "name", *IMAGES.optional)
_WITHOUT_IMAGES = "names of images, and images without properties, are not known from it"


class GlanceDatabase:
    """The images of Glance by its database; `notes` are complete once images were read."""

    def __init__(self, spec: str, page: int = PAGE) -> None:
        """Take a URL, env:NAME or file:PATH. Raises UsageProblem, Unreadable, as Database does."""
        self._database = Database(spec, OPTION)
        self._page = page
        self.name = self._database.name
        self.notes: list[Note] = []

    def images(self) -> Generator[Image, None, None]:
        """Each image that is not deleted, by id. Raises Unreadable.

        The next page is read while the caller works on this one.
        """
        with closing(ahead(self._pages)) as pages:
            for page in pages:
                yield from page

    def _pages(self) -> Iterator[list[Image]]:
        with self._database.open() as reading:
            tables = Tables(reading)
            try:
                properties = tables.needed(PROPERTIES)
                images = tables.optional(IMAGES, _WITHOUT_IMAGES)
            finally:
                self.notes[:] = tables.notes
            if images is None:
                yield from self._by_properties(reading, properties)
            else:
                yield from self._by_image(reading, images, properties)

    def _by_image(self, reading: Reading, images: Seen, properties: Seen) -> Iterator[list[Image]]:
        from sqlalchemy import false, select

        source, other = images.source(), properties.source()
        key, live = source.c.id, source.c.deleted.is_(false())
        select_images = select(*images.picked(source, _IMAGE)).where(live).order_by(key)
        select_properties = (
            select(*properties.picked(other, PROPERTIES.columns))
            .select_from(source.join(other, other.c.image_id == key))
            .where(live)
        )
        last, more = "", True
        while more:
            with reading.snapshot():
                page = reading.rows(select_images.where(key > last).limit(self._page))
                if not page:
                    return
                among = key.between(page[0][0], page[-1][0])
                found = _by_id(reading.rows(select_properties.where(among)), self.name)
            nothing = _Properties({}, Observed(None, _where(self.name)))
            yield [_image(row, found.get(row[0], nothing), self.name) for row in page]
            last, more = page[-1][0], len(page) == self._page

    def _by_properties(self, reading: Reading, properties: Seen) -> Iterator[list[Image]]:
        """Images by their properties alone; one that has none any more may be deleted."""
        from sqlalchemy import select

        source = properties.source()
        key = source.c.image_id
        statement = select(*properties.picked(source, PROPERTIES.columns)).order_by(key)
        last, size, more = "", self._page, True
        while more:
            with reading.snapshot():
                rows = reading.rows(statement.where(key > last).limit(size))
            more = len(rows) == size
            # Of the last image there may be more on the next page.
            whole = [row for row in rows if row[0] != rows[-1][0]] if more else rows
            if more and not whole:
                size *= 2
                continue
            found = _by_id(whole, self.name)
            yield [
                Image(id, "", one.values, os_type_set_at=one.os_type_set_at, source=self.name)
                for id, one in found.items()
                if one.values
            ]
            last = whole[-1][0] if whole else last


@dataclass(slots=True)
class _Properties:
    values: dict[str, str]
    os_type_set_at: Fact[datetime | None]


def _by_id(rows: Rows, name: str) -> dict[str, _Properties]:
    """The properties of each image; a row that is deleted is one that was removed."""
    where = _where(name)
    never: Fact[datetime | None] = Observed(None, where)
    found: dict[str, _Properties] = {}
    for id, key, value, created_at, updated_at, deleted in rows:
        one = found.get(id)
        if one is None:
            one = found[id] = _Properties({}, never)
        if not deleted:
            one.values[key] = value or ""
        if key == "os_type":
            times = [at for at in (aware(created_at), aware(updated_at)) if at is not None]
            one.os_type_set_at = Observed(max(times, default=None), where)
    return found


def _image(row: Sequence[Any], properties: _Properties, source: str) -> Image:
    id, name, status, visibility, owner, hidden, created_at, updated_at = row
    return Image(
        id,
        name or "",
        properties.values,
        status or "",
        visibility or "",
        bool(hidden),
        owner or "",
        aware(created_at),
        aware(updated_at),
        properties.os_type_set_at,
        source,
    )


def _where(name: str) -> str:
    return f"{name}: image_properties os_type"
