"""What is changed in a cell's database, on a real MariaDB and a real PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from guestclock.errors import Unreadable
from guestclock.platforms.lever import BadValue, Refused
from guestclock.platforms.openstack.database.change import OsTypes, WritableCell, os_types_in
from tests.real.openstack.documented_rights import rights_to_repair
from tests.real.openstack.filled_databases import SENTINEL, uuid
from tests.real.openstack.servers_of_sql import SqlServer
from tests.real.openstack.tables_of_nova import CELL

pytestmark = pytest.mark.real

BROKEN, RIGHT = OsTypes(None, None), OsTypes("windows", "windows")


@pytest.fixture
def cell(sql: SqlServer, user: str) -> WritableCell:
    """By a user with no right but those that the two changes need."""
    url = sql.user(user, SENTINEL, "nova")
    is_mariadb = sql.dialect == "mariadb"
    where = "MariaDB, MySQL" if is_mariadb else "PostgreSQL, in the database nova"
    for right in rights_to_repair(where, f"{user}@'%'" if is_mariadb else user):
        if "nova_api" not in right:
            with sql.admin("nova").begin() as connection:
                connection.execute(text(right))
    return WritableCell(url)


def everything(sql: SqlServer) -> dict[str, set[tuple[object, ...]]]:
    """All rows of all tables, but for the times of changes and rows that are deleted."""
    found: dict[str, set[tuple[object, ...]]] = {}
    with sql.admin("nova").connect() as connection:
        for table in CELL.sorted_tables:
            kept = [one for one in table.columns if one.name != "updated_at"]
            rows = connection.execute(select(*kept)).mappings()
            found[table.name] = {
                tuple(row.values()) for row in rows if row.get("deleted_at") is None
            }
    return found


def test_a_server_is_changed_and_changed_back_and_nothing_else(
    sql: SqlServer, cell: WritableCell
) -> None:
    before = everything(sql)
    assert cell.os_types(uuid(3)) == BROKEN
    cell.change(uuid(3), BROKEN, RIGHT)
    assert cell.os_types(uuid(3)) == RIGHT
    changed = everything(sql)
    for table in before.keys() - {"instances", "instance_system_metadata"}:
        assert changed[table] == before[table]
    assert len(changed["instances"] - before["instances"]) == 1
    assert len(changed["instance_system_metadata"] - before["instance_system_metadata"]) == 1
    cell.change(uuid(3), RIGHT, BROKEN)
    assert everything(sql) == before


def test_case_counts_though_the_database_ignores_it(sql: SqlServer, cell: WritableCell) -> None:
    before = everything(sql)
    with pytest.raises(Refused, match="it has column=Windows copy= now"):
        cell.change(uuid(2), OsTypes("windows", None), RIGHT)
    assert everything(sql) == before
    cell.change(uuid(2), OsTypes("Windows", None), OsTypes("windows", None))
    assert cell.os_types(uuid(2)) == OsTypes("windows", None)
    cell.change(uuid(2), OsTypes("windows", None), OsTypes("Windows", None))
    assert everything(sql) == before


def test_a_server_that_nova_works_with_is_left(sql: SqlServer, cell: WritableCell) -> None:
    with sql.admin("nova").begin() as connection:
        connection.execute(text("UPDATE instances SET task_state = 'rebooting' WHERE id = 30"))
    try:
        before = everything(sql)
        with pytest.raises(Refused, match="Nova is at work"):
            cell.change(uuid(3), BROKEN, RIGHT)
        assert everything(sql) == before
    finally:
        with sql.admin("nova").begin() as connection:
            connection.execute(text("UPDATE instances SET task_state = NULL WHERE id = 30"))


@pytest.mark.parametrize("number", [5, 99])
def test_a_server_that_is_gone_is_refused(cell: WritableCell, number: int) -> None:
    with pytest.raises(Refused, match="there is no server"):
        cell.os_types(uuid(number))


def test_a_user_who_may_only_read_changes_nothing(
    sql: SqlServer, cell: WritableCell, user: str
) -> None:
    is_mariadb = sql.dialect == "mariadb"
    table, whom = ("nova.instances", f"{user}@'%'") if is_mariadb else ("instances", user)
    with sql.admin("nova").begin() as connection:
        connection.execute(text(f"REVOKE UPDATE (os_type) ON {table} FROM {whom}"))
    before = everything(sql)
    with pytest.raises(Unreadable) as raised:
        cell.change(uuid(3), BROKEN, RIGHT)
    assert SENTINEL not in str(raised.value)
    assert everything(sql) == before


@pytest.mark.parametrize("value", ["column=windows copy=", "column= copy=", "column=a copy=B.c"])
def test_values_are_written_as_they_are_read(value: str) -> None:
    assert str(os_types_in(value)) == value


@pytest.mark.parametrize("value", ["", "column=' copy=", "column=a", "column=a copy=b "])
def test_other_values_are_refused(value: str) -> None:
    with pytest.raises(BadValue):
        os_types_in(value)
