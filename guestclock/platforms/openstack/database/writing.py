"""How a change of a database is made: one transaction, the old value compared byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection of its own; what is not committed at its end is undone."""
    connection = engine.connect()
    try:
        yield connection
    finally:
        connection.rollback()
        connection.close()


def is_exactly(
    connection: Connection, column: ColumnElement[str], value: str | None
) -> ColumnElement[bool]:
    """Equality of bytes: MariaDB's own takes Windows for windows."""
    from sqlalchemy import LargeBinary, cast

    if value is None:
        return column.is_(None)
    if connection.dialect.name == "postgresql":
        return column == value
    return cast(column, LargeBinary) == value.encode()


def now() -> datetime:
    """Nova's times are in UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
