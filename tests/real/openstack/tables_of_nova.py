"""The tables of Nova and Glance that guestclock reads, with the columns it must not touch too.

Names, types and indexes as `nova-manage db sync` and `glance-manage db sync` make them.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)


def _text(name: str, size: int = 255) -> Column[str]:
    return Column(name, String(size))


def _times() -> list[Column[object]]:
    names = ("created_at", "updated_at", "deleted_at")
    return [Column(name, DateTime) for name in names]


# A dialect a call, as SQLAlchemy 1.4 has it.
_LONG = Text().with_variant(Text(2**24 - 1), "mysql").with_variant(Text(2**24 - 1), "mariadb")
CELL = MetaData()
INSTANCES = Table(
    "instances",
    CELL,
    *_times(),
    Column("id", Integer, primary_key=True),
    *map(_text, ("project_id", "image_ref", "vm_state", "task_state", "host", "node", "os_type")),
    *map(_text, ("display_name", "hostname")),
    Column("power_state", Integer),
    Column("user_data", Text),
    Column("launched_at", DateTime),
    Column("uuid", String(36), nullable=False),
    Column("deleted", Integer),
    UniqueConstraint("uuid", name="uniq_instances0uuid"),
    Index("instances_host_node_deleted_idx", "host", "node", "deleted"),
    Index("instances_uuid_deleted_idx", "uuid", "deleted"),
    Index("instances_project_id_deleted_idx", "project_id", "deleted"),
    Index("instances_deleted_created_at_idx", "deleted", "created_at"),
)
METADATA = Table(
    "instance_system_metadata",
    CELL,
    *_times(),
    Column("id", Integer, primary_key=True),
    Column("instance_uuid", String(36), nullable=False),
    Column("key", String(255), nullable=False),
    _text("value"),
    Column("deleted", Integer),
    Index("instance_uuid", "instance_uuid"),
)
ACTIONS = Table(
    "instance_actions",
    CELL,
    *_times(),
    Column("id", Integer, primary_key=True),
    _text("action"),
    _text("instance_uuid", 36),
    Column("start_time", DateTime),
    _text("message"),
    Column("deleted", Integer),
    Index("instance_actions_uuid_idx", "instance_uuid"),
)
DEVICES = Table(
    "block_device_mapping",
    CELL,
    *_times(),
    Column("id", Integer, primary_key=True),
    *(_text(name, 36) for name in ("volume_id", "image_id", "instance_uuid")),
    Column("connection_info", Text),
    Column("boot_index", Integer),
    Column("deleted", Integer),
    Index("block_device_mapping_instance_uuid_idx", "instance_uuid"),
)

API = MetaData()
SPECS = Table(
    "request_specs",
    API,
    Column("id", Integer, primary_key=True),
    Column("instance_uuid", String(36), nullable=False),
    Column("spec", _LONG, nullable=False),
    UniqueConstraint("instance_uuid", name="uniq_request_specs0instance_uuid"),
)
CELLS = Table(
    "cell_mappings",
    API,
    Column("id", Integer, primary_key=True),
    Column("uuid", String(36), nullable=False),
    _text("name"),
    Column("transport_url", Text),
    Column("database_connection", Text),
    Column("disabled", Boolean),
)
MAPPINGS = Table(
    "instance_mappings",
    API,
    Column("id", Integer, primary_key=True),
    Column("instance_uuid", String(36), nullable=False),
    Column("cell_id", Integer),
    Column("project_id", String(255), nullable=False),
    Column("queued_for_delete", Boolean),
    UniqueConstraint("instance_uuid", name="uniq_instance_mappings0instance_uuid"),
)

GLANCE = MetaData()
IMAGES = Table(
    "images",
    GLANCE,
    *_times(),
    Column("id", String(36), primary_key=True),
    *map(_text, ("name", "owner", "status", "visibility", "checksum")),
    Column("os_hidden", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
)
PROPERTIES = Table(
    "image_properties",
    GLANCE,
    *_times(),
    Column("id", Integer, primary_key=True),
    Column("image_id", String(36), nullable=False),
    Column("name", String(255), nullable=False),
    Column("value", Text),
    Column("deleted", Boolean, nullable=False),
    UniqueConstraint("image_id", "name", name="ix_image_properties_image_id_name"),
)
