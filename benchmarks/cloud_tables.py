"""A made-up cloud as rows of Nova's and Glance's tables.

Every table that an audit reads has all the rows that Nova writes for a server, so that the pages of
the database are as full as real ones; tables that nobody reads here stay empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from make_cloud import Cloud, Image, Server
from own_mariadb import MariaDb

NULL = r"\N"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the columns that get a value; `rows` gives those of a server or image."""

    database: str
    name: str
    columns: Sequence[str]
    rows: Callable[..., Iterator[Sequence[object]]]


def _instance(server: Server) -> Iterator[Sequence[object]]:
    made, active = _time(server.made), server.vm_state == "active"
    yield (
        *(made, made, made if server.deleted else NULL, server.number if server.deleted else 0),
        *(server.number, server.id, server.name, server.name, server.user, server.project),
        *("" if server.volume else server.image.id, server.os_type or NULL),
        *("deleted" if server.deleted else server.vm_state, 1 if active else 4),
        *(server.host, server.host, server.host, "nova", made, f"r-{server.number:08x}"),
        *("/dev/vda", 4096, 2, 20, 0, 5, 0, 0, 0, 0, 0, 0, 0, "", "", ""),
    )


def _metadata(server: Server) -> Iterator[Sequence[object]]:
    made, deleted = _time(server.made), 1 if server.deleted else 0
    others = (
        *(("image_min_ram", "0"), ("image_min_disk", "20"), ("image_disk_format", "qcow2")),
        *(("image_container_format", "bare"), ("owner_user_name", "operator")),
        *(("owner_project_name", server.project), ("boot_roles", "member,reader")),
    )
    for key, value in others:
        yield made, NULL, NULL, server.id, key, value, deleted
    for name, value in server.metadata.items():
        yield made, NULL, NULL, server.id, f"image_{name}", value, deleted


def _devices(server: Server) -> Iterator[Sequence[object]]:
    made, deleted = _time(server.made), server.number if server.deleted else 0
    kind = "volume" if server.volume else "image"
    yield (
        *(made, made, deleted, server.id, f"{server.number:032x}", "/dev/vda", 0, kind),
        *("volume" if server.volume else "local", "disk", "virtio", 1, 0),
        *(server.volume or NULL, NULL if server.volume else server.image.id),
        '{"driver_volume_type": "rbd", "data": {"name": "x"}}' if server.volume else NULL,
    )


def _actions(server: Server) -> Iterator[Sequence[object]]:
    for number, (action, at) in enumerate(server.actions):
        request = f"req-{server.id[:-2]}{number:02d}"
        begun = _time(at)
        yield begun, begun, 0, server.id, action, request, server.user, server.project, begun


def _image(image: Image) -> Iterator[Sequence[object]]:
    made = _time(image.made)
    snapshot = "image_type" in image.properties
    yield (
        *(image.id, image.name, 2 * 10**9, "active", made, _time(image.set_at), 0, "qcow2"),
        *("bare", image.id.replace("-", ""), image.owner, 20, 0),
        *("private" if snapshot else "public", 0),
    )


def _properties(image: Image) -> Iterator[Sequence[object]]:
    made = _time(image.made)
    for name, value in image.properties.items():
        yield image.id, name, value, made, _time(image.set_at) if name == "os_type" else made, 0


OF_SERVERS = (
    Table(
        "nova",
        "instances",
        (
            *("created_at", "updated_at", "deleted_at", "deleted"),
            *("id", "uuid", "display_name", "hostname", "user_id", "project_id"),
            *("image_ref", "os_type", "vm_state", "power_state"),
            *("host", "node", "launched_on", "availability_zone", "launched_at", "reservation_id"),
            *("root_device_name", "memory_mb", "vcpus", "root_gb", "ephemeral_gb"),
            *("instance_type_id", "launch_index", "progress", "cleaned", "locked", "hidden"),
            *("auto_disk_config", "disable_terminate", "config_drive", "kernel_id", "ramdisk_id"),
        ),
        _instance,
    ),
    Table(
        "nova",
        "instance_system_metadata",
        ("created_at", "updated_at", "deleted_at", "instance_uuid", "key", "value", "deleted"),
        _metadata,
    ),
    Table(
        "nova",
        "block_device_mapping",
        (
            *("created_at", "updated_at", "deleted", "instance_uuid", "uuid", "device_name"),
            *("boot_index", "source_type", "destination_type", "device_type", "disk_bus"),
            *("delete_on_termination", "no_device", "volume_id", "image_id", "connection_info"),
        ),
        _devices,
    ),
    Table(
        "nova",
        "instance_actions",
        (
            *("created_at", "updated_at", "deleted", "instance_uuid", "action", "request_id"),
            *("user_id", "project_id", "start_time"),
        ),
        _actions,
    ),
)
OF_IMAGES = (
    Table(
        "glance",
        "images",
        (
            *("id", "name", "size", "status", "created_at", "updated_at", "deleted"),
            *("disk_format", "container_format", "checksum", "owner", "min_disk", "min_ram"),
            *("visibility", "os_hidden"),
        ),
        _image,
    ),
    Table(
        "glance",
        "image_properties",
        ("image_id", "name", "value", "created_at", "updated_at", "deleted"),
        _properties,
    ),
)


def fill_images(server: MariaDb, cloud: Cloud) -> None:
    """Adds all images."""
    _fill(server, OF_IMAGES, cloud.images)


def fill_servers(server: MariaDb, cloud: Cloud, first: int, last: int) -> None:
    """Adds the servers of these numbers, both included."""
    _fill(server, OF_SERVERS, cloud.servers(first, last))


def _fill(server: MariaDb, tables: Sequence[Table], items: Iterable[Server | Image]) -> None:
    """Writes the rows to a file for each table, and lets the server read these."""
    paths = [server.folder / f"{table.name}.tsv" for table in tables]
    with ExitStack() as opened:
        files = [opened.enter_context(path.open("w", encoding="utf-8")) for path in paths]
        for item in items:
            for table, file in zip(tables, files, strict=True):
                _write(file, table.rows(item))
    for table, path in zip(tables, paths, strict=True):
        server.load(table.database, table.name, table.columns, path)
        path.unlink()
    for table in tables:
        server.execute(f"ANALYZE TABLE `{table.name}`", database=table.database)


def _write(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    for row in rows:
        file.write("\t".join(map(str, row)) + "\n")


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
