"""The databases of a small cloud with all that is odd, in a server of the tests' own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from itertools import count

import pytest
from sqlalchemy import MetaData

from guestclock.errors import Unreadable
from guestclock.platforms.openstack.database.cell import CellDatabase
from tests.real.openstack.documented_rights import grant_as_documented
from tests.real.openstack.servers_of_sql import SqlServer
from tests.real.openstack.tables_of_nova import API, CELL, CELLS, GLANCE, MAPPINGS

SENTINEL = "s3ntinel"
"""Every password there is."""

MADE = datetime(2026, 1, 2, 3, 4, 5)
LATER = datetime(2026, 2, 2)
CELL_TABLES = ("instances", "instance_system_metadata")
MORE_TABLES = ("block_device_mapping", "instance_actions")
API_TABLES = ("request_specs", "cell_mappings", "instance_mappings")
GLANCE_TABLES = ("image_properties", "images")
_NUMBERS = count(1)


@contextmanager
def filled(started: AbstractContextManager[SqlServer]) -> Iterator[SqlServer]:
    """A server with the databases nova, nova_api and glance."""
    with started as server:
        for database, tables in (("nova", CELL), ("nova_api", API), ("glance", GLANCE)):
            server.make(database)
            tables.create_all(server.admin(database))
        fill_cell(server)
        fill_api(server)
        fill_glance(server)
        yield server


def new_user() -> str:
    """A name that no other test has."""
    return f"reader{next(_NUMBERS)}"


def reader(server: SqlServer, user: str, database: str, *tables: str) -> str:
    """The URL of a user with the documented rights on these tables."""
    url = server.user(user, SENTINEL, database)
    grant_as_documented(server, user, tables)
    return url


def instances_to(server: SqlServer, user: str) -> str:
    """How a GRANT names the table instances and a user."""
    return (
        f"nova.instances TO {user}@'%'" if server.dialect == "mariadb" else f"instances TO {user}"
    )


def refusal(cell: CellDatabase) -> Unreadable:
    """What is raised instead of servers; it has no secret in it."""
    with pytest.raises(Unreadable) as raised:
        list(cell.servers())
    problem = raised.value
    assert SENTINEL not in f"{problem.message} {problem.hint} {problem.__cause__!r}"
    assert problem.message.isprintable()
    return problem


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
