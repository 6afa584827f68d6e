"""Nova's API database: which cells have servers, and what the request spec of one says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from guestclock.evidence import Observed, Unknown
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.database.connect import Database
from guestclock.platforms.openstack.database.tables import Tables, Wanted
from guestclock.platforms.openstack.records import OsType

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTION = "--api-db"
CELLS = Wanted("cell_mappings", ("id", "uuid", "name"), ("disabled",))
MAPPINGS = Wanted("instance_mappings", ("cell_id", "queued_for_delete"))
SPECS = Wanted("request_specs", ("instance_uuid", "spec"))

_PATH = ("image", "properties")
_DATA = "nova_object.data"


class ApiDatabase:
    """Nova's API database; `notes` are complete once something was read.

    The columns of cell_mappings that hold passwords are never asked for.
    """

    def __init__(self, spec: str) -> None:
        """Take a URL, env:NAME or file:PATH. Raises UsageProblem, Unreadable, as Database does."""
        self._database = Database(spec, OPTION)
        self.name = self._database.name
        self.notes: list[Note] = []

    def mapped(self) -> dict[str, int]:
        """How many servers each cell has, by its name; cells without any are left out.

        Raises Unreadable.
        """
        from sqlalchemy import func, select

        with self._database.open() as reading, self._noting(Tables(reading)) as tables:
            cells, mappings = tables.needed(CELLS).source(), tables.needed(MAPPINGS).source()
            counted = select(
                mappings.c.cell_id, mappings.c.queued_for_delete, func.count()
            ).group_by(mappings.c.cell_id, mappings.c.queued_for_delete)
            with reading.snapshot():
                named = {
                    number: name or uuid
                    for number, uuid, name in reading.rows(
                        select(cells.c.id, cells.c.uuid, cells.c.name)
                    )
                }
                counts: dict[str, int] = {}
                for number, gone, count in reading.rows(counted):
                    if number in named and not gone:
                        counts[named[number]] = counts.get(named[number], 0) + count
            return counts

    def spec_of(self, server: str) -> OsType:
        """The os_type in a server's request spec, in lower case as Nova keeps it there.

        Unknown where it has no spec, or one that is not understood. Raises Unreadable.
        """
        from sqlalchemy import select

        with self._database.open() as reading, self._noting(Tables(reading)) as tables:
            specs = tables.needed(SPECS).source()
            statement = select(specs.c.spec).where(specs.c.instance_uuid == server)
            with reading.snapshot():
                found = reading.rows(statement)
        where = f"{self.name}: request_specs.spec"
        if not found:
            return Unknown(f"{where}: this server has none")
        try:
            return Observed(_os_type(json.loads(found[0][0])), where)
        except (ValueError, TypeError, AttributeError):
            return Unknown(f"{where}: its form is not known")

    @contextmanager
    def _noting(self, tables: Tables) -> Iterator[Tables]:
        try:
            yield tables
        finally:
            self.notes[:] = tables.notes


def _os_type(spec: object) -> str | None:
    """Each object of Nova's keeps its fields one level deeper, under nova_object.data."""
    inner = spec
    for name in _PATH:
        inner = _data(inner).get(name)
        if inner is None:
            return None
    value = _data(inner).get("os_type")
    return None if value is None else str(value)


def _data(one: object) -> Mapping[str, object]:
    if not isinstance(one, dict) or not isinstance(one.get(_DATA), dict):
        raise TypeError("not an object of Nova's")
    data: Mapping[str, object] = one[_DATA]
    return data
