"""The servers of a cell's database, page by page: one SELECT per table and page."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID

from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.database.ahead import ahead
from guestclock.platforms.openstack.database.connect import Database, Reading
from guestclock.platforms.openstack.database.rows import COPIED, MADE, Rows, ServerMaker
from guestclock.platforms.openstack.database.tables import Seen, Tables, Wanted
from guestclock.platforms.openstack.records import Server

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select, TableClause

OPTION = "--cell-db"
PAGE = 2000
"""Servers per page: large enough that the round trips do not count, small enough for memory."""

INSTANCES = Wanted(
    "instances",
    ("id", "uuid", "os_type", "image_ref", "deleted"),
    (
        *("vm_state", "task_state", "power_state", "host", "node", "display_name", "project_id"),
        *("created_at", "launched_at"),
    ),
)
METADATA = Wanted("instance_system_metadata", ("instance_uuid", "key", "value", "deleted"))
DEVICES = Wanted(
    "block_device_mapping",
    ("instance_uuid", "boot_index", "volume_id", "deleted"),
    ("image_id",),
)
ACTIONS = Wanted("instance_actions", ("instance_uuid", "action", "start_time"))

_COLUMNS = ("id", "uuid", "os_type", "image_ref", *INSTANCES.optional)
_WITHOUT_DEVICES = "which volume a server boots from is not known"
_WITHOUT_ACTIONS = "when a server was rebuilt is not known"


class CellDatabase:
    """The servers of one cell, by its database; `notes` are complete once servers were read."""

    def __init__(self, spec: str, page: int = PAGE) -> None:
        """Take a URL, env:NAME or file:PATH. Raises UsageProblem, Unreadable, as Database does."""
        self._database = Database(spec, OPTION)
        self._page = page
        self.name = self._database.name
        self.notes: list[Note] = []

    def servers(self) -> Generator[Server, None, None]:
        """Each server that is not deleted, the oldest first. Raises Unreadable.

        The next page is read while the caller works on this one.
        """
        with closing(ahead(self._pages)) as pages:
            for page in pages:
                yield from page

    def server(self, target: str) -> list[Server]:
        """The server of that uuid, or else all of exactly that name. Raises Unreadable."""
        with self._database.open() as reading:
            tables = self._tables(reading)
            source = tables.instances
            uuid = _uuid_in(target)
            if uuid is not None:
                found = tables.read(source.c.uuid == uuid)
                if found:
                    return found
            if not tables.has_names:
                return []
            return [
                one for one in tables.read(source.c.display_name == target) if one.name == target
            ]

    def _pages(self) -> Iterator[list[Server]]:
        with self._database.open() as reading:
            tables = self._tables(reading)
            last: int | None = 0
            while last is not None:
                page, last = tables.page(last, self._page)
                yield page

    def _tables(self, reading: Reading) -> _CellTables:
        tables = Tables(reading)
        try:
            return _CellTables(reading, tables, self.name)
        finally:
            self.notes[:] = tables.notes


class _CellTables:
    """A cell's tables as far as they can be read, and the statements for them."""

    def __init__(self, reading: Reading, tables: Tables, name: str) -> None:
        self._reading = reading
        self._seen = tables.needed(INSTANCES)
        self._metadata = tables.needed(METADATA)
        self._devices = tables.optional(DEVICES, _WITHOUT_DEVICES)
        self._actions = tables.optional(ACTIONS, _WITHOUT_ACTIONS)
        self._maker = ServerMaker(name)
        self.instances: TableClause = self._seen.source()

    @property
    def has_names(self) -> bool:
        """Whether servers can be found by name."""
        return "display_name" in self._seen

    def page(self, last: int, size: int) -> tuple[list[Server], int | None]:
        """The servers after id `last`, and the id to go on after, None at the end."""
        key = self.instances.c.id
        with self._reading.snapshot():
            found = self._reading.rows(self._select_instances(key > last).limit(size))
            if not found:
                return [], None
            newest = found[-1][0]
            servers = self._with_the_rest(found, key.between(found[0][0], newest))
        return servers, newest if len(found) == size else None

    def read(self, condition: ColumnElement[bool]) -> list[Server]:
        """All servers for which a condition holds."""
        with self._reading.snapshot():
            found = self._reading.rows(self._select_instances(condition))
            return self._with_the_rest(found, condition)

    def _with_the_rest(self, instances: Rows, condition: ColumnElement[bool]) -> list[Server]:
        return self._maker.servers(
            instances,
            self._reading.rows(self._select_metadata(condition)),
            self._rows_of(self._devices, condition),
            self._rows_of(self._actions, condition),
        )

    def _rows_of(self, seen: Seen | None, condition: ColumnElement[bool]) -> Rows | None:
        if seen is None:
            return None
        if seen.wanted is DEVICES:
            return self._reading.rows(self._select_devices(seen, condition))
        return self._reading.rows(self._select_actions(seen, condition))

    def _select_instances(self, condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
        from sqlalchemy import select

        source = self.instances
        columns = self._seen.picked(source, _COLUMNS)
        return select(*columns).where(condition, source.c.deleted == 0).order_by(source.c.id)

    def _select_metadata(self, condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
        source = self._metadata.source()
        statement = self._beside(self._metadata, source, ("instance_uuid", "key", "value"))
        return statement.where(condition, source.c.deleted == 0, source.c.key.in_(COPIED))

    def _select_devices(
        self, seen: Seen, condition: ColumnElement[bool]
    ) -> Select[*tuple[Any, ...]]:
        source = seen.source()
        statement = self._beside(seen, source, ("instance_uuid", "volume_id", "image_id"))
        return statement.where(condition, source.c.deleted == 0, source.c.boot_index == 0)

    def _select_actions(
        self, seen: Seen, condition: ColumnElement[bool]
    ) -> Select[*tuple[Any, ...]]:
        source = seen.source()
        statement = self._beside(seen, source, ("instance_uuid", "action", "start_time"))
        return statement.where(condition, source.c.action.in_(MADE))

    def _beside(
        self, seen: Seen, source: TableClause, names: tuple[str, ...]
    ) -> Select[*tuple[Any, ...]]:
        """Columns of a table for the instances of a condition.

        A join, and no list of 2,000 uuids: MariaDB makes a temporary table of such a list.
        """
        from sqlalchemy import select

        instances = self.instances
        joined = instances.join(source, source.c.instance_uuid == instances.c.uuid)
        columns = seen.picked(source, names)
        return select(*columns).select_from(joined).where(instances.c.deleted == 0)


def _uuid_in(text: str) -> str | None:
    """A uuid as Nova writes it, None for a text that is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None
