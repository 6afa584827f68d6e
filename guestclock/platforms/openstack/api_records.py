"""From the answers of the APIs to records; what an answer lacks stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

_OF_GLANCE = frozenset(
    (
        *("id", "name", "status", "visibility", "protected", "owner", "tags", "os_hidden"),
        *("created_at", "updated_at", "size", "virtual_size", "min_disk", "min_ram"),
        *("container_format", "disk_format", "checksum", "os_hash_algo", "os_hash_value"),
        *("file", "self", "schema", "locations", "direct_url", "stores"),
    )
)
"""What Glance itself says of an image; all else in an answer are properties."""

_POWER = {0: "pending", 1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}
_OF_A_VOLUME = Unknown("the API shows no metadata of a server of a volume", "it takes --cell-db")

Answer = Mapping[str, Any]


def moment(text: object) -> datetime | None:
    """A time of an answer, aware; Nova leaves the Z out at times."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def image(one: Answer, source: str) -> Image:
    """An image; all that Glance itself does not define are properties."""
    properties = {
        name: value if isinstance(value, str) else str(value)
        for name, value in one.items()
        if name not in _OF_GLANCE and value is not None
    }
    return Image(
        id=_text(one, "id"),
        name=_text(one, "name"),
        properties=properties,
        status=_text(one, "status"),
        visibility=_text(one, "visibility"),
        hidden=bool(one.get("os_hidden")),
        owner=_text(one, "owner"),
        created_at=moment(one.get("created_at")),
        updated_at=moment(one.get("updated_at")),
        source=source,
    )


def server(one: Answer, source: str, shows_properties: bool) -> Server:
    """A server; one in a cell that is down has little but its id."""
    made_of = one.get("image") or {}
    properties = made_of.get("properties") if isinstance(made_of, dict) else None
    metadata: OsType = NO_METADATA
    if not made_of and "image" in one:
        metadata = _OF_A_VOLUME
    elif shows_properties and isinstance(properties, dict):
        where = "API, image.properties of the server"
        metadata = Observed(properties.get("os_type"), where)
    copied = {name: str(value) for name, value in (properties or {}).items() if name != "os_type"}
    attached = one.get("os-extended-volumes:volumes_attached") or ()
    return Server(
        id=_text(one, "id"),
        name=_text(one, "name") or _text(one, "id"),
        project=_text(one, "tenant_id"),
        host=_text(one, "OS-EXT-SRV-ATTR:host"),
        node=_text(one, "OS-EXT-SRV-ATTR:hypervisor_hostname"),
        image=_text(made_of, "id") if isinstance(made_of, dict) else "",
        volume=_text(attached[0], "id") if attached and not made_of else "",
        metadata=metadata,
        copied=copied or EMPTY,
        base_image=copied.get("base_image_ref", ""),
        vm_state=_text(one, "OS-EXT-STS:vm_state"),
        task_state=_text(one, "OS-EXT-STS:task_state"),
        power_state=_POWER.get(one.get("OS-EXT-STS:power_state", 0), ""),
        created_at=moment(one.get("created")),
        launched_at=moment(one.get("OS-SRV-USG:launched_at")),
        source=source,
    )


def volume(one: Answer, source: str) -> Volume:
    """A volume with what it keeps of the image that it was made of."""
    metadata = one.get("volume_image_metadata") or {}
    return Volume(
        id=_text(one, "id"),
        name=_text(one, "name"),
        properties={name: str(value) for name, value in metadata.items()},
        bootable=str(one.get("bootable")).lower() == "true",
        servers=tuple(_text(each, "server_id") for each in one.get("attachments") or ()),
        created_at=moment(one.get("created_at")),
        source=source,
    )


def volume_snapshot(one: Answer, source: str) -> VolumeSnapshot:
    """A snapshot of a volume."""
    return VolumeSnapshot(
        _text(one, "id"),
        _text(one, "name"),
        _text(one, "volume_id"),
        moment(one.get("created_at")),
        source,
    )


def aggregates_of(listed: Iterable[Answer]) -> dict[str, tuple[str, ...]]:
    """The names of the aggregates of each host."""
    found: dict[str, tuple[str, ...]] = {}
    for one in listed:
        for name in one.get("hosts") or ():
            found[str(name)] = (*found.get(str(name), ()), _text(one, "name"))
    return found


def host(one: Answer, aggregates: Mapping[str, tuple[str, ...]], source: str) -> Host:
    """A compute host by its hypervisor.

    hypervisor_type is QEMU for KVM too, so that it does not tell libvirt's domain type.
    """
    node = _text(one, "hypervisor_hostname")
    name = _text(one.get("service") or {}, "host") or node
    return Host(
        name=name,
        node=node,
        aggregates=aggregates.get(name, ()),
        enabled=one.get("status") != "disabled" and one.get("state") != "down",
        source=source,
    )


def actions(listed: Iterable[Answer]) -> tuple[Action, ...]:
    """What was done to a server, the oldest first; what Nova says went wrong is left out."""
    found = [
        Action(_text(one, "action"), at)
        for one in listed
        if (at := moment(one.get("start_time"))) is not None and not one.get("message")
    ]
    return tuple(sorted(found, key=lambda one: one.at))


def _text(one: object, key: str) -> str:
    value = one.get(key) if isinstance(one, dict) else None
    return "" if value is None else str(value)
