"""The one thing that guestclock changes in a cell's database: which os_type a server has.

It stands in two places that have to agree: the column instances.os_type, which alone decides the
clock, and the copy of the image's property in instance_system_metadata, which snapshots carry on.
Both change in one transaction, which is undone unless it finds exactly what it expects. A change
takes effect at the server's next hard reboot. Measured on Nova 26.2.2; MariaDB compares texts
without regard to case, so values are compared as bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from guestclock.platforms.lever import BadValue, Refused
from guestclock.platforms.openstack.database.connect import Database
from guestclock.platforms.openstack.database.writing import is_exactly, now, transaction
from guestclock.platforms.openstack.os_type_value import WORD

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

KEY = "image_os_type"
STATES = ("active", "stopped", "shelved_offloaded")
"""The vm_states in which Nova reads the column anew at the next start, and not before."""

_VALUE = re.compile(f"column=({WORD}) copy=({WORD})")
_COPY_COLUMNS = ("instance_uuid", "key", "value", "deleted")


@dataclass(frozen=True, slots=True)
class OsTypes:
    """What the column and the copy say, None where there is none."""

    column: str | None
    copy: str | None

    def __str__(self) -> str:
        return f"column={self.column or ''} copy={self.copy or ''}"


def os_types_in(value: str) -> OsTypes:
    """What `column=windows copy=` says. Raises BadValue."""
    found = _VALUE.fullmatch(value)
    if not found:
        raise BadValue(f"{value!r} is not written as column=windows copy=windows")
    return OsTypes(found[1] or None, found[2] or None)


class WritableCell(Database):
    """A cell's database by the URL of a user who may change these two values."""

    def __init__(self, spec: str) -> None:
        """Take a URL, env:NAME or file:PATH. Raises UsageProblem, Unreadable."""
        super().__init__(spec, "--cell-db")

    def os_types(self, uuid: str) -> OsTypes:
        """What a server has. Raises Refused where it is not there or no plain word; Unreadable."""
        with self._in_our_words(), transaction(self._engine) as connection:
            return _read(connection, uuid)

    def change(self, uuid: str, old: OsTypes, new: OsTypes) -> None:
        """Changes `old` to `new` and nothing else of a server that no task is under way with.

        Raises Refused, with nothing changed; Unreadable where the connection was lost, and then
        only a look tells whether the change is there.
        """
        with self._in_our_words(), transaction(self._engine) as connection:
            present = _read(connection, uuid)
            if present != old:
                raise Refused(f"it has {present} now, not {old}")
            _update_column(connection, uuid, old.column, new.column)
            if old.copy != new.copy:
                _update_copy(connection, uuid, old.copy, new.copy)
            if _read(connection, uuid) != new:
                raise Refused("something else wrote it at the same time; nothing was changed")
            connection.commit()

    @cached_property
    def _engine(self) -> Engine:
        return self._new_engine()


def _read(connection: Connection, uuid: str) -> OsTypes:
    from sqlalchemy import column, select, table

    instances = table("instances", *map(column, ("uuid", "os_type", "deleted")))
    servers = connection.execute(
        select(instances.c.os_type).where(instances.c.uuid == uuid, instances.c.deleted == 0)
    ).all()
    if len(servers) != 1:
        raise Refused(f"there is no server {uuid}, or it was deleted")
    copies = table("instance_system_metadata", *map(column, _COPY_COLUMNS))
    statement = select(copies.c.key, copies.c.value).where(
        copies.c.instance_uuid == uuid, copies.c.key == KEY, copies.c.deleted == 0
    )
    # MariaDB finds IMAGE_OS_TYPE too.
    found = [value for key, value in connection.execute(statement) if key == KEY]
    if len(found) > 1:
        raise Refused(f"it has {len(found)} rows with the key {KEY}, of which Nova takes any")
    return OsTypes(_plain(servers[0][0]), _plain(found[0]) if found else None)


def _plain(value: str | None) -> str | None:
    if value is not None and not (value and re.fullmatch(WORD, value)):
        raise Refused(f"its os_type is {value!r}, which is no plain word: correct it by hand")
    return value


def _update_column(connection: Connection, uuid: str, old: str | None, new: str | None) -> None:
    from sqlalchemy import column, table, update

    names = ("uuid", "os_type", "updated_at", "task_state", "vm_state", "deleted")
    instances = table("instances", *map(column, names))
    changed = connection.execute(
        update(instances)
        .values(os_type=new, updated_at=now())
        .where(
            instances.c.uuid == uuid,
            instances.c.deleted == 0,
            instances.c.task_state.is_(None),
            instances.c.vm_state.in_(STATES),
            is_exactly(connection, instances.c.os_type, old),
        )
    )
    if changed.rowcount != 1:
        raise Refused(
            "Nova is at work with this server, or it is in no state to be changed",
            f"wait until it is {', '.join(STATES)} without a task",
        )


def _update_copy(connection: Connection, uuid: str, old: str | None, new: str | None) -> None:
    from sqlalchemy import column, insert, table, update

    names = (*_COPY_COLUMNS, "id", "created_at", "updated_at", "deleted_at")
    copies = table("instance_system_metadata", *map(column, names))
    if old is None:
        row = {"created_at": now(), "instance_uuid": uuid, "key": KEY, "value": new, "deleted": 0}
        connection.execute(insert(copies).values(row))
        return
    # As Nova deletes a row.
    values = (
        {"deleted": copies.c.id, "deleted_at": now()}
        if new is None
        else {"value": new, "updated_at": now()}
    )
    changed = connection.execute(
        update(copies)
        .values(values)
        .where(
            copies.c.instance_uuid == uuid,
            copies.c.deleted == 0,
            is_exactly(connection, copies.c.key, KEY),
            is_exactly(connection, copies.c.value, old),
        )
    )
    if changed.rowcount != 1:
        raise Refused("its copy of the image's os_type was changed at the same time")
