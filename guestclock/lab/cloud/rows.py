"""Between the store's rows and the records: every query of the lab is here."""

from __future__ import annotations

import os
import sqlite3
import uuid as uuids
from collections.abc import Mapping
from datetime import UTC, datetime

from guestclock.lab.cloud.actions import Action, decode, encode
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.records import Host, Image, Server, Task, VmState
from guestclock.lab.errors import LabError

_SERVERS = """
    SELECT servers.*, hosts.name AS host_name, hosts.zone AS host_zone
    FROM servers JOIN hosts ON hosts.number = servers.host
"""


def setting(connection: sqlite3.Connection, key: str) -> str | None:
    """Return a setting of the lab, or None."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row["value"])


def set_setting(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a setting of the lab."""
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, value))


def hosts(connection: sqlite3.Connection) -> list[Host]:
    """Return all hosts by name."""
    return [Host(*row) for row in connection.execute("SELECT * FROM hosts ORDER BY name")]


def host(connection: sqlite3.Connection, name: str) -> Host:
    """Return the host of that name. Raises LabError."""
    row = connection.execute("SELECT * FROM hosts WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise LabError(f"there is no host {name!r}", "`guestclock lab host list` shows them all")
    return Host(*row)


def images(connection: sqlite3.Connection) -> list[Image]:
    """Return all images by name."""
    return [_image(connection, row) for row in connection.execute(_IMAGES + "ORDER BY name")]


_IMAGES = "SELECT * FROM images "


def image(connection: sqlite3.Connection, name: str) -> Image:
    """Return the image of that name or id. Raises LabError."""
    found = find_image(connection, name)
    if found is None:
        raise LabError(f"there is no image {name!r}", "`guestclock lab image list` shows them all")
    return found


def find_image(connection: sqlite3.Connection, name: str) -> Image | None:
    """Return the image of that name or id, or None."""
    # A name that looks like another image's id must not hide that image.
    row = connection.execute(
        _IMAGES + "WHERE uuid = ?1 OR name = ?1 ORDER BY uuid = ?1 DESC", (name,)
    ).fetchone()
    return None if row is None else _image(connection, row)


def _image(connection: sqlite3.Connection, row: sqlite3.Row) -> Image:
    properties = connection.execute(
        "SELECT key, value FROM image_properties WHERE image = ? ORDER BY key", (row["number"],)
    )
    return Image(
        number=row["number"],
        uuid=row["uuid"],
        name=row["name"],
        status=row["status"],
        created=datetime.fromisoformat(row["created"]),
        zone=row["zone"],
        properties=dict(map(tuple, properties)),
    )


def add_image(
    connection: sqlite3.Connection,
    name: str,
    zone: str | None,
    properties: Mapping[str, str],
) -> Image:
    """Enter an image whose file is still to be written. Raises LabError for a name in use."""
    if find_image(connection, name) is not None:
        raise LabError(
            f"there is an image {name!r} already", "delete it first, or use another name"
        )
    connection.execute(
        "INSERT INTO images (uuid, name, status, created, zone) VALUES (?, ?, 'saving', ?, ?)",
        (str(uuids.uuid4()), name, _now(), zone),
    )
    made = image(connection, name)
    set_image_properties(connection, made, properties)
    return image(connection, name)


def set_image_properties(
    connection: sqlite3.Connection, image: Image, properties: Mapping[str, str]
) -> None:
    """Add properties to an image, or give them other values."""
    connection.executemany(
        "INSERT OR REPLACE INTO image_properties VALUES (?, ?, ?)",
        [(image.number, key, value) for key, value in properties.items()],
    )


def unset_image_properties(connection: sqlite3.Connection, image: Image, keys: list[str]) -> None:
    """Take properties off an image."""
    connection.executemany(
        "DELETE FROM image_properties WHERE image = ? AND key = ?",
        [(image.number, key) for key in keys],
    )


def set_image_active(connection: sqlite3.Connection, image: Image) -> None:
    """Let an image be used: its file is there."""
    connection.execute("UPDATE images SET status = 'active' WHERE number = ?", (image.number,))


def delete_image(connection: sqlite3.Connection, image: Image) -> None:
    """Forget an image, properties and all."""
    connection.execute("DELETE FROM images WHERE number = ?", (image.number,))


def image_numbered(connection: sqlite3.Connection, number: int) -> Image:
    """Return the image of a row that is known to be there."""
    row = connection.execute(_IMAGES + "WHERE number = ?", (number,)).fetchone()
    return _image(connection, row)


def servers(connection: sqlite3.Connection) -> list[Server]:
    """Return all servers by name."""
    rows = connection.execute(_SERVERS + "ORDER BY servers.name").fetchall()
    return [_server(connection, row) for row in rows]


def server(connection: sqlite3.Connection, name: str) -> Server:
    """Return the server of that name or id. Raises LabError."""
    found = find_server(connection, name)
    if found is None:
        hint = "`guestclock lab server list` shows them all"
        raise LabError(f"there is no server {name!r}", hint)
    return found


def find_server(connection: sqlite3.Connection, name: str) -> Server | None:
    """Return the server of that name or id, or None."""
    row = connection.execute(
        _SERVERS + "WHERE servers.uuid = ?1 OR servers.name = ?1 ORDER BY servers.uuid = ?1 DESC",
        (name,),
    ).fetchone()
    return None if row is None else _server(connection, row)


def server_numbered(connection: sqlite3.Connection, number: int) -> Server:
    """Return the server of a row that is known to be there."""
    row = connection.execute(_SERVERS + "WHERE servers.number = ?", (number,)).fetchone()
    return _server(connection, row)


def _server(connection: sqlite3.Connection, row: sqlite3.Row) -> Server:
    properties = connection.execute(
        "SELECT key, value FROM server_image_properties WHERE server = ? ORDER BY key",
        (row["number"],),
    )
    return Server(
        number=row["number"],
        uuid=row["uuid"],
        name=row["name"],
        host=Host(row["host"], row["host_name"], row["host_zone"]),
        image_uuid=row["image_uuid"],
        image_properties=dict(map(tuple, properties)),
        os_type=row["os_type"],
        zone=row["zone"],
        vm_state=row["vm_state"],
        fault=row["fault"],
        created=datetime.fromisoformat(row["created"]),
    )


def add_server(connection: sqlite3.Connection, name: str, host: Host, image: Image) -> Server:
    """Enter a server that is still to be built. Raises LabError for a name in use."""
    if find_server(connection, name) is not None:
        raise LabError(
            f"there is a server {name!r} already", "delete it first, or use another name"
        )
    connection.execute(
        "INSERT INTO servers (uuid, name, host, image_uuid, vm_state, created)"
        " VALUES (?, ?, ?, ?, 'building', ?)",
        (str(uuids.uuid4()), name, host.number, image.uuid, _now()),
    )
    take_image(connection, server(connection, name), image)
    return server(connection, name)


def take_image(connection: sqlite3.Connection, server: Server, image: Image) -> None:
    """Copy what Nova copies from an image into a server, os_type as it was written."""
    connection.execute(
        "UPDATE servers SET image_uuid = ?, os_type = ?, zone = ? WHERE number = ?",
        (image.uuid, image.properties.get("os_type"), image.zone, server.number),
    )
    connection.execute("DELETE FROM server_image_properties WHERE server = ?", (server.number,))
    connection.executemany(
        "INSERT INTO server_image_properties VALUES (?, ?, ?)",
        [(server.number, key, value) for key, value in image.properties.items()],
    )


def set_vm_state(
    connection: sqlite3.Connection, server: Server, state: VmState, fault: str | None = None
) -> None:
    """Keep a server's new state; the fault of an earlier failure is forgotten."""
    connection.execute(
        "UPDATE servers SET vm_state = ?, fault = ? WHERE number = ?",
        (state, fault, server.number),
    )


def set_host(connection: sqlite3.Connection, server: Server, host: Host) -> None:
    """Keep the host a server has come to."""
    connection.execute("UPDATE servers SET host = ? WHERE number = ?", (host.number, server.number))


def delete_server(connection: sqlite3.Connection, server: Server) -> None:
    """Forget a server."""
    connection.execute("DELETE FROM servers WHERE number = ?", (server.number,))


def add_host(connection: sqlite3.Connection, name: str, zone: str) -> Host:
    """Enter a host. Raises LabError for a name in use."""
    if any(one.name == name for one in hosts(connection)):
        raise LabError(
            f"there is a host {name!r} already", "`guestclock lab host set` gives it another zone"
        )
    connection.execute("INSERT INTO hosts (name, zone) VALUES (?, ?)", (name, zone))
    return host(connection, name)


def set_zone(connection: sqlite3.Connection, host: Host, zone: str) -> None:
    """Give a host another zone."""
    connection.execute("UPDATE hosts SET zone = ? WHERE number = ?", (zone, host.number))


def delete_host(connection: sqlite3.Connection, host: Host) -> None:
    """Forget a host that has no servers."""
    connection.execute("DELETE FROM hosts WHERE number = ?", (host.number,))


def host_numbered(connection: sqlite3.Connection, number: int) -> Host:
    """Return the host of a row that is known to be there."""
    return Host(*connection.execute("SELECT * FROM hosts WHERE number = ?", (number,)).fetchone())


def stop_all(connection: sqlite3.Connection) -> None:
    """Keep that no server runs any more."""
    connection.execute(
        "UPDATE servers SET vm_state = 'stopped' WHERE vm_state IN ('active', 'paused')"
    )


def tasks(connection: sqlite3.Connection) -> list[Task]:
    """Return all tasks, those of the lab first."""
    rows = connection.execute("SELECT * FROM tasks ORDER BY subject, number")
    return [_task(row) for row in rows]


def task(connection: sqlite3.Connection, subject: Subject, number: int) -> Task | None:
    """Return the task of one subject, or None."""
    row = connection.execute(
        "SELECT * FROM tasks WHERE subject = ? AND number = ?", (subject, number)
    ).fetchone()
    return None if row is None else _task(row)


def _task(row: sqlite3.Row) -> Task:
    began = datetime.fromisoformat(row["began"])
    return Task(Subject(row["subject"]), row["number"], decode(row["action"]), row["pid"], began)


def begin_task(
    connection: sqlite3.Connection, subject: Subject, number: int, action: Action
) -> None:
    """Write a task into the journal; a subject has at most one."""
    connection.execute(
        "INSERT INTO tasks VALUES (?, ?, ?, ?, ?)",
        (subject, number, encode(action), os.getpid(), _now()),
    )


def end_task(connection: sqlite3.Connection, subject: Subject, number: int) -> None:
    """Strike a task off the journal."""
    connection.execute("DELETE FROM tasks WHERE subject = ? AND number = ?", (subject, number))


def _now() -> str:
    # The lab's own clock may be anywhere in time; its books are kept in the real one.
    return datetime.now(UTC).isoformat(timespec="seconds")
