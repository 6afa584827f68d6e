"""Nova's and Glance's tables in a file of SQLite, for what hangs on no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import MetaData, Table, create_engine

Row = Mapping[str, object]


def copy_of(path: Path, tables: MetaData, rows: Mapping[Table, Sequence[Row]]) -> str:
    """Make the tables with these rows; a URL that opens them for reading."""
    engine = create_engine(f"sqlite:///{path}")
    tables.create_all(engine)
    with engine.begin() as connection:
        for table, own in rows.items():
            for row in own:
                connection.execute(table.insert().values(row))
    engine.dispose()
    return f"sqlite:///file:{path}?mode=ro&uri=true"
