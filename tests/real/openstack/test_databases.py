"""Nova's and Glance's databases on a real MariaDB and a real PostgreSQL, with the least rights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import MetaData, text

from guestclock.errors import Unreadable
from guestclock.evidence import Unknown, value_of
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.database.api import ApiDatabase
from guestclock.platforms.openstack.database.cell import CellDatabase
from guestclock.platforms.openstack.database.connect import Database
from guestclock.platforms.openstack.database.glance import GlanceDatabase
from guestclock.platforms.openstack.records import NO_ACTIONS
from tests.real.openstack.documented_rights import grant_as_documented
from tests.real.openstack.servers_of_sql import SqlServer, mariadb, postgresql
from tests.real.openstack.tables_of_nova import API, CELL, CELLS, GLANCE, MAPPINGS

pytestmark = pytest.mark.real

SENTINEL = "s3ntinel"
MADE = datetime(2026, 1, 2, 3, 4, 5)
LATER = datetime(2026, 2, 2)
CELL_TABLES = ("instances", "instance_system_metadata")
MORE_TABLES = ("block_device_mapping", "instance_actions")
API_TABLES = ("request_specs", "cell_mappings", "instance_mappings")
GLANCE_TABLES = ("image_properties", "images")
ALLOWED = re.compile(
    r"SELECT\b|SHOW\b|BEGIN\b|ROLLBACK$|SET NAMES\b|SET AUTOCOMMIT = 0$"
    r"|SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY$",
    re.I,
)


@pytest.fixture(scope="module", params=[mariadb, postgresql], ids=lambda one: str(one.__name__))
def sql(request: pytest.FixtureRequest) -> Iterator[SqlServer]:
    with request.param() as server:
        for database, tables in (("nova", CELL), ("nova_api", API), ("glance", GLANCE)):
            server.make(database)
            tables.create_all(server.admin(database))
        fill_cell(server)
        fill_api(server)
        fill_glance(server)
        yield server


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def insert(
    server: SqlServer, database: str, tables: MetaData, rows: dict[str, list[dict[str, object]]]
) -> None:
    with server.admin(database).begin() as connection:
        for table, own in rows.items():
            for row in own:
                connection.execute(tables.tables[table].insert().values(row))


def fill_cell(server: SqlServer) -> None:
    os_types = {1: "windows", 2: "Windows", 3: None, 4: "linux", 5: "windows", 6: "windows"}
    names = {1: "web", 2: "Web", 3: "Zürich 時計", 4: "<script>\x1b[2J", 5: "gone", 6: "web "}
    instances: list[dict[str, object]] = [
        {
            "id": number * 10,
            "uuid": uuid(number),
            "os_type": os_type,
            "display_name": names[number],
            "image_ref": "" if number == 4 else f"image-{number}",
            "host": None if number == 3 else "host1",
            "vm_state": "active",
            "power_state": 4,
            "created_at": MADE,
            "user_data": SENTINEL,
            "deleted": 50 if number == 5 else 0,
        }
        for number, os_type in os_types.items()
    ]
    copied = [
        (1, "image_os_type", "windows", 0),
        (2, "IMAGE_OS_TYPE", "windows", 0),
        (2, "image_os_distro", "Win2k22", 0),
        (3, "image_os_type", "windows", 7),
        (4, "image_min_ram", "64", 0),
    ]
    insert(
        server,
        "nova",
        CELL,
        {
            "instances": instances,
            "instance_system_metadata": [
                {"instance_uuid": uuid(number), "key": key, "value": value, "deleted": deleted}
                for number, key, value, deleted in copied
            ],
            "instance_actions": [
                {"instance_uuid": uuid(1), "action": action, "start_time": at}
                for action, at in (("rebuild", LATER), ("create", MADE), ("Create", LATER))
            ],
            "block_device_mapping": [
                {
                    "instance_uuid": uuid(4),
                    "boot_index": 0,
                    "volume_id": "volume-4",
                    "deleted": 0,
                    "connection_info": SENTINEL,
                }
            ],
        },
    )


def fill_api(server: SqlServer) -> None:
    def nova_object(**data: object) -> dict[str, object]:
        return {"nova_object.data": data}

    image = nova_object(properties=nova_object(os_type="windows"))
    secret = f"mysql://nova:{SENTINEL}@db/nova"
    insert(
        server,
        "nova_api",
        API,
        {
            "request_specs": [
                {"instance_uuid": uuid(1), "spec": json.dumps(nova_object(image=image))},
                {"instance_uuid": uuid(2), "spec": json.dumps(nova_object(image=None))},
            ],
            CELLS.name: [
                {"id": 1, "uuid": uuid(0), "name": "cell0", "database_connection": secret},
                {"id": 2, "uuid": uuid(1), "name": "cell1", "database_connection": secret},
            ],
            MAPPINGS.name: [
                {
                    "instance_uuid": uuid(number),
                    "cell_id": cell,
                    "project_id": "p",
                    "queued_for_delete": gone,
                }
                for number, cell, gone in ((1, 2, False), (2, 2, None), (3, 1, False), (4, 2, True))
            ],
        },
    )


def fill_glance(server: SqlServer) -> None:
    plain = {"status": "active", "visibility": "public", "os_hidden": False, "created_at": MADE}
    properties: list[dict[str, object]] = [
        {
            "image_id": image,
            "name": name,
            "value": "windows",
            "created_at": MADE,
            "updated_at": LATER if image == "a" else None,
            "deleted": deleted,
        }
        for image, name, deleted in (
            *(("a", "os_type", False), ("a", "os_distro", False), ("b", "OS_TYPE", False)),
            *(("c", "os_type", True), ("c", "os_distro", False), ("d", "os_type", True)),
        )
    ]
    insert(
        server,
        "glance",
        GLANCE,
        {
            "images": [
                {"id": one, "name": one.upper(), "deleted": one == "d", **plain} for one in "abcde"
            ],
            "image_properties": properties,
        },
    )


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """A name that no other test has."""
    known = sorted(item.nodeid for item in request.session.items)
    return f"reader{known.index(request.node.nodeid)}"


def reader(server: SqlServer, user: str, database: str, *tables: str) -> str:
    url = server.user(user, SENTINEL, database)
    grant_as_documented(server, user, tables)
    return url


def refusal(database: CellDatabase | GlanceDatabase) -> Unreadable:
    with pytest.raises(Unreadable) as raised:
        list(database.servers() if isinstance(database, CellDatabase) else database.images())
    problem = raised.value
    assert SENTINEL not in f"{problem.message} {problem.hint} {problem.__cause__!r}"
    assert problem.message.isprintable()
    return problem


def test_a_cell_is_read_with_the_documented_rights(sql: SqlServer, user: str) -> None:
    cell = CellDatabase(reader(sql, user, "nova", *CELL_TABLES, *MORE_TABLES), page=2)
    servers = {int(one.id[-1]): one for one in cell.servers()}
    assert cell.notes == []
    assert list(servers) == [1, 2, 3, 4, 6]
    first = servers[1]
    assert (first.name, first.host, first.vm_state, first.power_state) == (
        *("web", "host1", "active"),
        "shutdown",
    )
    assert first.created_at == MADE.replace(tzinfo=UTC)
    assert not isinstance(first.made, Unknown)
    assert [(one.name, one.at.month) for one in first.made] == [("create", 1), ("rebuild", 2)]
    assert servers[4].volume == "volume-4"
    assert (servers[3].host, servers[4].image) == ("", "")


def test_texts_are_as_they_were_written_and_keys_are_compared_to_the_letter(
    sql: SqlServer, user: str
) -> None:
    cell = CellDatabase(reader(sql, user, "nova", *CELL_TABLES))
    servers = {int(one.id[-1]): one for one in cell.servers()}
    columns = {number: value_of(one.column) for number, one in servers.items()}
    assert columns == {1: "windows", 2: "Windows", 3: None, 4: "linux", 6: "windows"}
    copies = {number: value_of(one.metadata) for number, one in servers.items()}
    assert copies == {1: "windows", 2: None, 3: None, 4: None, 6: None}
    assert servers[2].copied == {"os_distro": "Win2k22"}


def test_a_server_is_found_by_its_exact_name(sql: SqlServer, user: str) -> None:
    cell = CellDatabase(reader(sql, user, "nova", *CELL_TABLES))
    found = {name: [one.id for one in cell.server(name)] for name in ("web", "Web", "web ", "WEB")}
    assert found == {"web": [uuid(1)], "Web": [uuid(2)], "web ": [uuid(6)], "WEB": []}
    assert [one.id for one in cell.server("Zürich 時計")] == [uuid(3)]
    assert [one.name for one in cell.server(uuid(1).upper())] == ["web"]
    assert cell.server("\N{ALARM CLOCK}") == []


def test_tables_that_are_not_granted_are_one_note_each(sql: SqlServer, user: str) -> None:
    cell = CellDatabase(reader(sql, user, "nova", *CELL_TABLES))
    servers = list(cell.servers())
    assert all(one.made == NO_ACTIONS and one.volume == "" for one in servers)
    devices, actions = cell.notes
    assert isinstance(devices, Note)
    assert devices.source == cell.name
    assert "block_device_mapping may not be read: which volume a server boots" in devices.text
    assert "GRANT SELECT (instance_uuid, action, start_time) ON instance_actions" in actions.text


def test_only_select_and_the_session_is_sent(sql: SqlServer, user: str) -> None:
    url = reader(sql, user, "nova", *CELL_TABLES, *MORE_TABLES, *API_TABLES, *GLANCE_TABLES)
    cell = CellDatabase(url, page=2)
    list(cell.servers())
    cell.server("web")
    api = ApiDatabase(url.replace("/nova", "/nova_api"))
    api.mapped()
    api.specs([uuid(1)])
    list(GlanceDatabase(url.replace("/nova", "/glance"), page=2).images())
    sent = sql.statements_of(user)
    assert any("instances" in one for one in sent)
    assert [one for one in sent if not ALLOWED.match(one)] == []
    assert [one for one in sent if "FOR UPDATE" in one.upper() or "SHARE" in one.upper()] == []
    assert [one for one in sent if "database_connection" in one or "transport_url" in one] == []


def test_there_is_one_select_per_table_and_page(sql: SqlServer, user: str) -> None:
    cell = CellDatabase(reader(sql, user, "nova", *CELL_TABLES, *MORE_TABLES), page=2)
    assert len(list(cell.servers())) == 5
    for table in (*CELL_TABLES, *MORE_TABLES):
        sent = [one for one in sql.statements_of(user) if f"{table}." in one]
        asked = [one for one in sent if "false" not in one and "0 = 1" not in one]
        mine = [one for one in asked if table != "instances" or "JOIN" not in one]
        assert len(mine) == 3, table


def test_a_transaction_is_read_only_even_for_a_user_who_may_write(
    sql: SqlServer, user: str
) -> None:
    url = sql.user(user, SENTINEL, "nova")
    whom = f"nova.instances TO {user}@'%'" if sql.dialect == "mariadb" else f"instances TO {user}"
    with sql.admin("nova").begin() as connection:
        connection.execute(text(f"GRANT SELECT, UPDATE ON {whom}"))
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
    whom = f"nova.instances TO {user}@'%'" if sql.dialect == "mariadb" else f"instances TO {user}"
    with sql.admin("nova").begin() as connection:
        connection.execute(text(f"GRANT SELECT (id, uuid, image_ref, deleted) ON {whom}"))
    problem = refusal(CellDatabase(url))
    assert problem.message.endswith("/nova: instances.os_type may not be read")


def test_a_column_that_only_tells_more_may_be_missing(sql: SqlServer, user: str) -> None:
    url = sql.user(user, SENTINEL, "nova")
    grant_as_documented(sql, user, ["instance_system_metadata"])
    whom = f"nova.instances TO {user}@'%'" if sql.dialect == "mariadb" else f"instances TO {user}"
    with sql.admin("nova").begin() as connection:
        connection.execute(text(f"GRANT SELECT (id, uuid, os_type, image_ref, deleted) ON {whom}"))
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


def test_request_specs_and_mappings_are_read_without_the_cells_passwords(
    sql: SqlServer, user: str
) -> None:
    url = reader(sql, user, "nova_api", *API_TABLES)
    api = ApiDatabase(url)
    specs = api.specs([uuid(1), uuid(2), uuid(3)])
    assert value_of(specs[uuid(1)]) == "windows"
    assert specs[uuid(2)] == api.spec_of(uuid(2))
    assert isinstance(specs[uuid(3)], Unknown)
    assert api.cells() == ("cell0", "cell1")
    assert api.mapped() == {"cell0": 1, "cell1": 2}
    with Database(url, "--api-db").open() as reading, pytest.raises(Unreadable):
        reading.rows(text("SELECT database_connection FROM cell_mappings"))


def test_images_are_read_with_the_moment_that_os_type_was_set(sql: SqlServer, user: str) -> None:
    glance = GlanceDatabase(reader(sql, user, "glance", *GLANCE_TABLES), page=2)
    images = {one.id: one for one in glance.images()}
    assert glance.notes == []
    assert list(images) == ["a", "b", "c", "e"]
    assert images["a"].properties == {"os_type": "windows", "os_distro": "windows"}
    assert (images["a"].name, images["a"].status, images["a"].hidden) == ("A", "active", False)
    times = {name: value_of(one.os_type_set_at) for name, one in images.items()}
    assert times == {
        "a": LATER.replace(tzinfo=UTC),
        "b": None,
        "c": MADE.replace(tzinfo=UTC),
        "e": None,
    }
    assert images["b"].os_type is None
    assert images["c"].os_type is None


@pytest.mark.parametrize("page", [1, 2, 100])
def test_properties_alone_tell_of_images_that_have_some(
    sql: SqlServer, user: str, page: int
) -> None:
    glance = GlanceDatabase(reader(sql, user, "glance", "image_properties"), page)
    images = {one.id: one for one in glance.images()}
    assert list(images) == ["a", "b", "c"]
    assert images["a"].properties == {"os_type": "windows", "os_distro": "windows"}
    assert value_of(images["c"].os_type_set_at) == MADE.replace(tzinfo=UTC)
    [note] = glance.notes
    assert "images may not be read: names of images" in note.text
