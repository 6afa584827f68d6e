"""Nova's API database: the request specs, and which cell each server is in.

cell_mappings holds the password of every cell: its columns with them are never asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice

from guestclock.evidence import Unknown
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.database.connect import Database, Reading
from guestclock.platforms.openstack.database.rows import OsTypes
from guestclock.platforms.openstack.database.tables import Seen, Tables, Wanted
from guestclock.platforms.openstack.records import OsType
from guestclock.platforms.text import clean

OPTION = "--api-db"
SPECS = Wanted("request_specs", ("instance_uuid", "spec"))
CELLS = Wanted("cell_mappings", ("id", "uuid"), ("name",))
MAPPINGS = Wanted("instance_mappings", ("instance_uuid", "cell_id", "queued_for_delete"))

# MariaDB makes a temporary table of a list of more than 1,000.
_CHUNK = 500
_NO_SPEC = Unknown("the API database has no request spec of this server")
_DATA = "nova_object.data"
_DAMAGED = Unknown("its request spec is not as Nova writes it")


def os_type_of(spec: str) -> str | None:
    """The os_type in a request spec, which Nova normalised; None where it has none.

    Raises ValueError for what is no request spec. Its path is
    `$."nova_object.data".image."nova_object.data".properties."nova_object.data".os_type`.
    """
    try:
        found: object = json.loads(spec)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    for name in ("image", "properties", "os_type"):
        if not isinstance(found, dict) or not isinstance(found.get(_DATA), dict):
            raise ValueError("it is not as Nova writes it")
        found = found[_DATA].get(name)
        if found is None:
            return None
    if not isinstance(found, str):
        raise ValueError("its os_type is no text")
    # JSON can spell half a character, which no output could be made of.
    found.encode()
    return found


class ApiDatabase:
    """Nova's API database; every method raises Unreadable."""

    def __init__(self, spec: str) -> None:
        """Take a URL, env:NAME or file:PATH. Raises UsageProblem, Unreadable, as Database does."""
        self._database = Database(spec, OPTION)
        self._os_types = OsTypes(f"{self._database.name}: request_specs.spec")
        self.name = self._database.name
        self.notes: list[Note] = []

    def cells(self) -> tuple[str, ...]:
        """The names of all cells, cell0 among them."""
        with self._database.open() as reading:
            return tuple(self._cells(reading).values())

    def mapped(self) -> dict[str, int]:
        """How many servers that are not deleted are in each cell that has some.

        Those that were not scheduled yet are in none, and stand under "".
        """
        from sqlalchemy import func, select, true

        with self._database.open() as reading:
            cells = self._cells(reading)
            source = Tables(reading).needed(MAPPINGS).source()
            cell = source.c.cell_id
            counted = select(cell, func.count(source.c.instance_uuid)).group_by(cell)
            # NULL is from before Nova had this column.
            with reading.snapshot():
                rows = reading.rows(counted.where(source.c.queued_for_delete.is_not(true())))
        mapped: dict[str, int] = {}
        for number, count in rows:
            name = "" if number is None else cells.get(number, f"cell {number}")
            mapped[name] = mapped.get(name, 0) + count
        return mapped

    def spec_of(self, uuid: str) -> OsType:
        """The os_type in the request spec of one server."""
        return self.specs([uuid])[uuid]

    def specs(self, uuids: Sequence[str]) -> dict[str, OsType]:
        """The os_type in the request spec of each of these servers, Unknown where it has none."""
        found: dict[str, OsType] = dict.fromkeys(uuids, _NO_SPEC)
        with self._database.open() as reading:
            specs = Tables(reading).needed(SPECS)
            rest = iter(uuids)
            while chunk := list(islice(rest, _CHUNK)):
                found.update(self._read(reading, specs, chunk))
        return found

    def _read(
        self, reading: Reading, specs: Seen, uuids: list[str]
    ) -> Iterator[tuple[str, OsType]]:
        from sqlalchemy import select

        source = specs.source()
        statement = select(source.c.instance_uuid, source.c.spec)
        with reading.snapshot():
            rows = reading.rows(statement.where(source.c.instance_uuid.in_(uuids)))
        for uuid, spec in rows:
            try:
                yield uuid, self._os_types.fact(os_type_of(spec))
            except ValueError:
                yield uuid, _DAMAGED

    def _cells(self, reading: Reading) -> dict[int, str]:
        from sqlalchemy import select

        tables = Tables(reading)
        seen = tables.needed(CELLS)
        self.notes[:] = tables.notes
        source = seen.source()
        with reading.snapshot():
            rows = reading.rows(select(*seen.picked(source, ("id", "uuid", "name"))))
        return {number: clean(name or uuid) for number, uuid, name in rows}
