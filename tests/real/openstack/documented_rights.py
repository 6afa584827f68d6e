"""The GRANT lines of the documentation, run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import text

from tests.real.openstack.servers_of_sql import SqlServer

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "openstack-rights.md"
_BLOCK = re.compile(r"```sql\n-- (?P<where>[^\n]+)\n(?P<lines>.*?)```", re.S)
_GRANT = re.compile(r"GRANT SELECT \([^)]+\)\s+ON (?:(?P<database>\w+)\.)?(?P<table>\w+) [^;]+;")
_DATABASE = re.compile("PostgreSQL, in the database (.*)")

_REPAIR = PAGE.with_name("repair-rights.md")


def rights_to_repair(where: str, user: str) -> list[str]:
    """The documented statements of one place, such as "MariaDB, MySQL", for this user."""
    page = _REPAIR.read_text("utf-8")
    found = [block["lines"] for block in _BLOCK.finditer(page) if block["where"] == where]
    assert len(found) == 1
    statements = found[0].replace("guestclock_writer@'%'", user).replace("guestclock_writer", user)
    return [one.strip() for one in statements.split(";") if one.strip()]


def grant_as_documented(server: SqlServer, user: str, tables: Collection[str]) -> None:
    """Give a user the documented rights on these tables."""
    done = set()
    for block in _BLOCK.finditer(PAGE.read_text("utf-8")):
        for grant in _GRANT.finditer(block["lines"]):
            table = grant["table"]
            if table not in tables or (grant["database"] is None) == (server.dialect == "mariadb"):
                continue
            postgresql = _DATABASE.fullmatch(block["where"])
            database = grant["database"] or (postgresql[1] if postgresql else "")
            line = grant[0].replace("guestclock", user)
            with server.admin(database).begin() as connection:
                connection.execute(text(line))
            done.add(table)
    assert done == set(tables)
