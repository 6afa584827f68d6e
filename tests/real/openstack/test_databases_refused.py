"""What a real MariaDB and a real PostgreSQL refuse, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text

from guestclock.errors import Unreadable
from guestclock.platforms.openstack.database.cell import CellDatabase
from guestclock.platforms.openstack.database.connect import Database
from tests.real.openstack.documented_rights import grant_as_documented
from tests.real.openstack.filled_databases import (
    CELL_TABLES,
    SENTINEL,
    instances_to,
    reader,
    refusal,
)
from tests.real.openstack.servers_of_sql import SqlServer
from tests.real.openstack.tables_of_nova import CELL

pytestmark = pytest.mark.real


def test_a_transaction_is_read_only_even_for_a_user_who_may_write(
    sql: SqlServer, user: str
) -> None:
    url = sql.user(user, SENTINEL, "nova")
    with sql.admin("nova").begin() as connection:
        connection.execute(text(f"GRANT SELECT, UPDATE ON {instances_to(sql, user)}"))
    refused = pytest.raises(Unreadable, match=r"(?i)read.only transaction")
    with Database(url, "--cell-db").open() as reading, refused:
        reading.rows(text("UPDATE instances SET os_type = 'windows'"))


def test_a_needed_table_without_a_right_names_the_line_that_is_missing(
    sql: SqlServer, user: str
) -> None:
    problem = refusal(CellDatabase(reader(sql, user, "nova", "instances")))
    assert problem.message.endswith("/nova: instance_system_metadata may not be read")
    key = "`key`" if sql.dialect == "mariadb" else "key"
    assert problem.hint == (
        f"GRANT SELECT (instance_uuid, {key}, value, deleted) ON instance_system_metadata"
        " TO its user"
    )


def test_a_needed_column_without_a_right_is_named(sql: SqlServer, user: str) -> None:
    url = sql.user(user, SENTINEL, "nova")
    with sql.admin("nova").begin() as connection:
        connection.execute(
            text(f"GRANT SELECT (id, uuid, image_ref, deleted) ON {instances_to(sql, user)}")
        )
    problem = refusal(CellDatabase(url))
    assert problem.message.endswith("/nova: instances.os_type may not be read")


def test_a_column_that_only_tells_more_may_be_missing(sql: SqlServer, user: str) -> None:
    url = sql.user(user, SENTINEL, "nova")
    grant_as_documented(sql, user, ["instance_system_metadata"])
    with sql.admin("nova").begin() as connection:
        connection.execute(
            text(
                f"GRANT SELECT (id, uuid, os_type, image_ref, deleted) ON {instances_to(sql, user)}"
            )
        )
    cell = CellDatabase(url)
    servers = list(cell.servers())
    assert [one.name for one in servers] == [one.id for one in servers]
    assert "instances.vm_state, task_state, " in cell.notes[0].text
    assert cell.server("web") == []


@pytest.fixture
def old(sql: SqlServer, user: str) -> Iterator[str]:
    """A database whose tables are of another release; its name."""
    name = f"old_{user}"
    sql.make(name)
    yield name
    sql.drop(name)


def of_a_release(server: SqlServer, database: str, user: str, *without: str) -> CellDatabase:
    url = server.user(user, SENTINEL, database)
    whom = f"{database}.* TO {user}@'%'" if server.dialect == "mariadb" else None
    CELL.create_all(server.admin(database))
    with server.admin(database).begin() as connection:
        for one in without:
            connection.execute(text(one))
        connection.execute(
            text(f"GRANT SELECT ON {whom or f'ALL TABLES IN SCHEMA public TO {user}'}")
        )
    return CellDatabase(url)


def test_a_release_without_a_column_that_tells_more_is_read(
    sql: SqlServer, user: str, old: str
) -> None:
    cell = of_a_release(
        *(sql, old, user), "ALTER TABLE instances DROP COLUMN node", "DROP TABLE instance_actions"
    )
    assert list(cell.servers()) == []
    assert [one.text for one in cell.notes] == [
        "instances.node does not exist",
        "there is no table instance_actions: when a server was rebuilt is not known",
    ]


def test_a_release_without_a_needed_column_is_refused(sql: SqlServer, user: str, old: str) -> None:
    cell = of_a_release(sql, old, user, "ALTER TABLE instances DROP COLUMN os_type")
    problem = refusal(cell)
    assert problem.message == f"{cell.name}: instances.os_type does not exist"
    assert problem.hint is not None
    assert "Nova 26 to 34" in problem.hint


def test_a_database_of_something_else_is_refused(sql: SqlServer, user: str, old: str) -> None:
    cell = of_a_release(sql, old, user, "DROP TABLE instances")
    assert refusal(cell).message == f"{cell.name}: there is no table instances"


def test_a_wrong_password_is_one_line(sql: SqlServer, user: str) -> None:
    url = reader(sql, user, "nova", *CELL_TABLES)
    wrong = CellDatabase(url.replace(SENTINEL, f"wrong-{SENTINEL}"))
    problem = refusal(wrong)
    assert problem.message == f"{wrong.name}: the user name or the password is refused"
    assert problem.hint == "see the URL given with --cell-db"


def test_a_database_that_is_not_there_is_one_line(sql: SqlServer, user: str) -> None:
    url = reader(sql, user, "nova", *CELL_TABLES)
    # MariaDB tells nobody whether a database exists in which he has no rights.
    whom = f"ON `nova\\_%`.* TO {user}@'%'"
    if sql.dialect == "mariadb":
        with sql.admin("nova").begin() as connection:
            connection.execute(text(f"GRANT SELECT {whom}".replace("%`", "%%`")))
    nowhere = CellDatabase(url.replace("/nova", "/nova_nowhere"))
    assert refusal(nowhere).message == f"{nowhere.name}: there is no such database"


def test_a_database_without_any_right_is_one_line(sql: SqlServer, user: str) -> None:
    cell = CellDatabase(sql.user(user, SENTINEL, "nova"))
    problem = refusal(cell)
    if sql.dialect == "mariadb":
        assert problem.message == f"{cell.name}: this user has no right to the database"
    else:
        assert problem.message == f"{cell.name}: instances may not be read"


def test_a_server_that_hangs_up_is_told_after_what_it_gave(sql: SqlServer, user: str) -> None:
    cell = CellDatabase(reader(sql, user, "nova", *CELL_TABLES), page=1)
    with closing(cell.servers()) as servers:
        assert next(servers).name == "web"
        sql.hang_up(user)
        with pytest.raises(Unreadable) as raised:
            list(servers)
    assert raised.value.message.startswith(f"{cell.name}: the server does not answer")
    assert SENTINEL not in str(raised.value)


def test_a_server_that_does_not_answer_is_given_up(sql: SqlServer, user: str) -> None:
    url = reader(sql, user, "nova", *CELL_TABLES)
    if sql.dialect == "mariadb":
        locked, patience = "LOCK TABLES instances WRITE", "?read_timeout=1"
    else:
        locked, patience = "LOCK TABLE instances", "?options=-c%20statement_timeout=200"
    with sql.admin("nova").begin() as connection:
        connection.execute(text(locked))
        problem = refusal(CellDatabase(url + patience))
    assert "the server does not answer" in problem.message or "took too long" in problem.message
