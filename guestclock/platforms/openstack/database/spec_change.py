"""The os_type in a server's request spec, the third place that has it, in Nova's API database.

The scheduler's filters go by it, and no clock does. A spec is one JSON text: it is taken apart,
put together again with another os_type alone, and written only over the very text that was read.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from guestclock.platforms.lever import Refused
from guestclock.platforms.openstack.database.api import OPTION, os_type_of
from guestclock.platforms.openstack.database.connect import Database
from guestclock.platforms.openstack.database.writing import is_exactly, now, transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_DATA = "nova_object.data"


class WritableSpecs(Database):
    """Nova's API database by the URL of a user who may change request specs."""

    def __init__(self, spec: str) -> None:
        """Take a URL, env:NAME or file:PATH. Raises UsageProblem, Unreadable."""
        super().__init__(spec, OPTION)

    def os_type(self, uuid: str) -> str | None:
        """What a server's spec has. Raises Refused where there is none to be read, Unreadable."""
        with self._in_our_words(), transaction(self._engine) as connection:
            return _os_type(_read(connection, uuid))

    def change(self, uuid: str, old: str | None, new: str | None) -> None:
        """Changes `old` to `new` and nothing else. Raises Refused, with nothing changed."""
        with self._in_our_words(), transaction(self._engine) as connection:
            text = _read(connection, uuid)
            if _os_type(text) != old:
                raise Refused(f"its request spec has os_type={_os_type(text) or ''} now")
            _write(connection, uuid, text, with_os_type(text, new))
            connection.commit()

    @cached_property
    def _engine(self) -> Engine:
        return self._new_engine()


def with_os_type(spec: str, os_type: str | None) -> str:
    """The text of a spec with another os_type, None for none. Raises Refused."""
    read = json.loads(spec)
    if json.dumps(read) != spec:
        raise Refused("its request spec is not written as Nova writes it")
    found: Any = read
    for name in ("image", "properties"):
        found = found[_DATA].get(name)
        if found is None:
            raise Refused("its request spec has no image, so there is no place for an os_type")
    if os_type is None:
        found[_DATA].pop("os_type", None)
    else:
        found[_DATA]["os_type"] = os_type
    return json.dumps(read)


def _os_type(spec: str) -> str | None:
    try:
        return os_type_of(spec)
    except ValueError as problem:
        raise Refused(f"its request spec cannot be read: {problem}") from None


def _read(connection: Connection, uuid: str) -> str:
    from sqlalchemy import column, select, table

    specs = table("request_specs", column("instance_uuid"), column("spec"))
    rows = connection.execute(select(specs.c.spec).where(specs.c.instance_uuid == uuid)).all()
    if len(rows) != 1 or not isinstance(rows[0][0], str):
        raise Refused("it has no request spec")
    return rows[0][0]


def _write(connection: Connection, uuid: str, old: str, new: str) -> None:
    from sqlalchemy import column, table, update

    specs = table("request_specs", *map(column, ("instance_uuid", "spec", "updated_at")))
    changed = connection.execute(
        update(specs)
        .values(spec=new, updated_at=now())
        .where(specs.c.instance_uuid == uuid, is_exactly(connection, specs.c.spec, old))
    )
    if changed.rowcount != 1:
        raise Refused("something else wrote its request spec at the same time")
