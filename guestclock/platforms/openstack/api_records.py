"""From the JSON of Nova, Glance and Cinder to what they say of a cloud.

What is missing is "" or unknown: a user who is no admin is not shown a server's host, and of a
server in a cell that is down Nova knows little more than the id. A KeyError, TypeError,
AttributeError or ValueError is JSON that such an API does not give.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from guestclock.evidence import Observed, Unknown
from guestclock.platforms.openstack.records import (
    EMPTY,
    NO_METADATA,
    Action,
    Host,
    Image,
    OsType,
    Server,
    Volume,
    VolumeSnapshot,
)

UNFIT = (KeyError, TypeError, AttributeError, ValueError)
"""What reading JSON of another shape ends in."""

_ON_VOLUME = Unknown(
    "its root disk is a volume: the API shows no image properties of such a server",
    "it takes --cell-db",
)
_CELL_DOWN = Unknown("its cell is down: Nova knows little more than its id", "repeat it later")

_POWER = {0: "pending", 1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}
"""Nova's words for a power state (nova/compute/power_state.py, STATE_MAP)."""

_OF_THE_IMAGE = frozenset(
    (
        *(
            "id",
            "name",
            "owner",
            "status",
            "visibility",
            "protected",
            "tags",
            "stores",
            "locations",
        ),
        *("checksum", "os_hash_algo", "os_hash_value", "os_hidden", "size", "virtual_size"),
        *("container_format", "disk_format", "min_disk", "min_ram", "created_at", "updated_at"),
        *("file", "self", "schema", "direct_url"),
    )
)
"""What Glance gives of each image beside the properties that users set (API v2.16)."""


def image_of(one: Mapping[str, Any], source: str) -> Image:
    """An image of Glance's list."""
    return Image(
        id=str(one["id"]),
        name=_text(one.get("name")),
        properties=_texts({name: one[name] for name in one.keys() - _OF_THE_IMAGE}),
        status=_text(one.get("status")),
        visibility=_text(one.get("visibility")),
        hidden=one.get("os_hidden") is True,
        owner=_text(one.get("owner")),
        created_at=_time(one.get("created_at")),
        updated_at=_time(one.get("updated_at")),
        source=source,
    )


def is_cell_down(one: Mapping[str, Any]) -> bool:
    """Whether this is all that Nova gives of a server in a cell that does not answer."""
    return one.get("status") == "UNKNOWN" and "name" not in one


def is_gone(one: Mapping[str, Any]) -> bool:
    """Whether a server is being deleted: Nova lists it for some seconds more (seen on Nova 26).

    One that can be restored is SOFT_DELETED, and is a server still.
    """
    return one.get("status") == "DELETED"


def server_of(one: Mapping[str, Any], source: str) -> Server:
    """A server of Nova's detailed list."""
    get = one.get
    image = get("image")
    metadata, copied = _copied(one, image, source)
    volume = ""
    if not image:
        attached = get("os-extended-volumes:volumes_attached")
        volume = str(attached[0]["id"]) if attached else ""
    return Server(
        id=str(one["id"]),
        name=_text(get("name")),
        project=_text(get("tenant_id")),
        host=_text(get("OS-EXT-SRV-ATTR:host")),
        node=_text(get("OS-EXT-SRV-ATTR:hypervisor_hostname")),
        image=str(image["id"]) if image else "",
        volume=volume,
        metadata=metadata,
        copied=copied,
        vm_state=_text(get("OS-EXT-STS:vm_state")),
        task_state=_text(get("OS-EXT-STS:task_state")),
        power_state=_POWER.get(get("OS-EXT-STS:power_state", -1), ""),
        created_at=_time(get("created")),
        launched_at=_time(get("OS-SRV-USG:launched_at")),
        source=source,
    )


def _copied(
    one: Mapping[str, Any], image: Mapping[str, Any] | str | None, source: str
) -> tuple[OsType, Mapping[str, str]]:
    """What the server keeps of its image's properties, which Nova shows since 2.98."""
    if is_cell_down(one):
        return _CELL_DOWN, EMPTY
    if image == "":
        return _ON_VOLUME, EMPTY
    shown = image.get("properties") if isinstance(image, Mapping) else None
    if shown is None:
        return NO_METADATA, EMPTY
    copied = _texts(shown)
    where = f"{source}: the server's image.properties in Nova's API 2.98"
    return Observed(copied.pop("os_type", None), where), copied


def volume_of(one: Mapping[str, Any], source: str) -> Volume:
    """A volume of Cinder's detailed list."""
    attached = one.get("attachments") or ()
    return Volume(
        id=str(one["id"]),
        name=_text(one.get("name")),
        properties=_texts(one.get("volume_image_metadata") or {}),
        bootable=str(one.get("bootable")).lower() == "true",
        servers=tuple(str(each["server_id"]) for each in attached if each.get("server_id")),
        created_at=_time(one.get("created_at")),
        source=source,
    )


def volume_snapshot_of(one: Mapping[str, Any], source: str) -> VolumeSnapshot:
    """A snapshot of Cinder's detailed list."""
    return VolumeSnapshot(
        id=str(one["id"]),
        name=_text(one.get("name")),
        volume=_text(one.get("volume_id")),
        created_at=_time(one.get("created_at")),
        source=source,
    )


def host_of(
    one: Mapping[str, Any],
    enabled: Mapping[str, bool],
    aggregates: Mapping[str, tuple[str, ...]],
    source: str,
) -> Host:
    """A hypervisor of Nova's detailed list, with what the services and aggregates say of its host.

    Its hypervisor_type does not tell which virt_type it has: it is what libvirt calls its driver,
    `QEMU` with KVM and without (seen on Nova 26 with virt_type=qemu; nova/virt/libvirt/host.py,
    `get_driver_type`). So `virt` stays empty.
    """
    name = str(one["service"]["host"])
    return Host(
        name=name,
        node=_text(one.get("hypervisor_hostname")),
        aggregates=aggregates.get(name, ()),
        enabled=enabled.get(name, one.get("status") != "disabled"),
        source=source,
    )


def instance_action_of(one: Mapping[str, Any], source: str) -> Action:
    """An action of a server, such as `create` or `reboot`."""
    return Action(str(one["action"]), _moment(one["start_time"]))


def migration_of(one: Mapping[str, Any], source: str) -> Action:
    """A migration of a server; `migration_type`, such as `evacuation`, is there since 2.23."""
    return Action(str(one.get("migration_type") or "migration"), _moment(one["created_at"]))


def _moment(value: object) -> datetime:
    at = _time(value)
    if at is None:
        raise ValueError(value)
    return at


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as their service keeps them; null is a property that is not there."""
    return {str(name): _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _time(value: object) -> datetime | None:
    """A time of an API, in UTC with a `Z` or without."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
