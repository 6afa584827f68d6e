"""Nova's and Glance's databases on a real MariaDB and a real PostgreSQL, with the least rights."""

from __future__ import annotations

import re
from datetime import UTC

import pytest
from sqlalchemy import text

from guestclock.errors import Unreadable
from guestclock.evidence import Unknown, value_of
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.database.api import ApiDatabase
from guestclock.platforms.openstack.database.cell import CellDatabase
from guestclock.platforms.openstack.database.connect import Database
from guestclock.platforms.openstack.database.glance import GlanceDatabase
from guestclock.platforms.openstack.records import NO_ACTIONS
from tests.real.openstack.filled_databases import (
    API_TABLES,
    CELL_TABLES,
    GLANCE_TABLES,
    LATER,
    MADE,
    MORE_TABLES,
    reader,
    uuid,
)
from tests.real.openstack.servers_of_sql import SqlServer

pytestmark = pytest.mark.real

ALLOWED = re.compile(
    r"SELECT\b|SHOW\b|BEGIN\b|ROLLBACK$|SET NAMES\b|SET AUTOCOMMIT = 0$"
    r"|SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY$",
    re.I,
)


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
