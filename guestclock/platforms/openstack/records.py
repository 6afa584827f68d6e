"""What was read of a cloud, object by object. Nothing here asks anyone, and no name is made up.

A source fills in what it knows and leaves the rest unknown, with the reason and what would settle
it. An os_type is a `Fact` of a text or None: None is a place that was read and has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from guestclock.evidence import Fact, Unknown

OsType: TypeAlias = Fact[str | None]
"""An os_type as it is written at one place, case and all; None where there is none."""

NO_COLUMN = Unknown(
    "instances.os_type is in no API", "give --cell-db, --notifications, or the host with -c"
)
NO_METADATA = Unknown(
    "the server's copy of the image's properties was not read",
    "it takes --cell-db, or an API of microversion 2.98",
)
NO_SPEC = Unknown("the request spec was not read", "it takes --api-db")
NO_ACTIONS = Unknown("the server's actions were not read", "ask the API with --os-cloud")
NO_TIME = Unknown(
    "when a property was set is in Glance's database alone", "give it with --glance-db"
)
EMPTY: Mapping[str, str] = MappingProxyType({})


def _empty() -> Mapping[str, str]:
    # Python 3.11 takes a mapping for a mutable default, even one that cannot be changed.
    return EMPTY


@dataclass(frozen=True, slots=True)
class Image:
    """An image of Glance; `properties` are all that users set, os_type among them, as texts.

    `os_type_set_at` is when the property os_type was last set, changed or removed: an Observed
    None where it never was. `source` says which cloud or database it was read from.
    """

    id: str
    name: str
    properties: Mapping[str, str] = field(default_factory=_empty)
    status: str = ""
    visibility: str = ""
    hidden: bool = False
    owner: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    os_type_set_at: Fact[datetime | None] = NO_TIME
    source: str = ""

    @property
    def os_type(self) -> str | None:
        """The property, as it is written."""
        return self.properties.get("os_type")

    @property
    def is_snapshot(self) -> bool:
        """Whether Nova made it of a server."""
        return self.properties.get("image_type") == "snapshot"

    @property
    def made_of_server(self) -> str | None:
        """The id of the server that this is a snapshot of."""
        return self.properties.get("instance_uuid")

    @property
    def base_image(self) -> str | None:
        """The id of the image that its server was made of."""
        return self.properties.get("base_image_ref") or None


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of Cinder; `properties` is its volume_image_metadata.

    `servers` are the ids of those it is attached to.
    """

    id: str
    name: str
    properties: Mapping[str, str] = field(default_factory=_empty)
    bootable: bool = False
    servers: tuple[str, ...] = ()
    created_at: datetime | None = None
    source: str = ""

    @property
    def image(self) -> str | None:
        """The id of the image that it was made of."""
        return self.properties.get("image_id")


@dataclass(frozen=True, slots=True)
class VolumeSnapshot:
    """A snapshot of a volume, from which servers are made with its origin volume's metadata."""

    id: str
    name: str
    volume: str
    created_at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """A compute host as Nova knows it; `virt` is libvirt's domain type, empty where not known.

    `node` is the hypervisor's own name, `aggregates` names, `cell` the cell's name or "".
    """

    name: str
    node: str = ""
    virt: str = ""
    aggregates: tuple[str, ...] = ()
    cell: str = ""
    enabled: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done to a server: Nova's word for it, and when it began (aware)."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Server:
    """A server of Nova, as one source or several together know it.

    `column` is instances.os_type, which alone decides the clock. `metadata` is image_os_type in
    instance_system_metadata, `spec` the request spec's, normalised. `copied` are other properties
    of its image that the server keeps a copy of, such as os_distro, without the prefix `image_`.
    `image` is "" where it was booted from a volume. `made` are its creation and rebuilds, the
    only moments at which Nova reads the image; the oldest first. `volume` is the root volume.
    """

    id: str
    name: str
    project: str = ""
    host: str = ""
    node: str = ""
    cell: str = ""
    image: str = ""
    volume: str = ""
    column: OsType = NO_COLUMN
    metadata: OsType = NO_METADATA
    spec: OsType = NO_SPEC
    copied: Mapping[str, str] = field(default_factory=_empty)
    base_image: str = ""
    vm_state: str = ""
    task_state: str = ""
    power_state: str = ""
    created_at: datetime | None = None
    launched_at: datetime | None = None
    made: tuple[Action, ...] | Unknown = NO_ACTIONS
    source: str = ""

    @property
    def volume_backed(self) -> bool:
        """Whether it was booted from a volume that was not made of an image on the way."""
        return not self.image


@dataclass(frozen=True, slots=True)
class Notified:
    """The newest that a versioned notification said of a server; `os_type` is the raw column.

    `rescue_image` is the image it was last rescued with, None where it was not.
    """

    os_type: str | None
    at: datetime
    event: str
    host: str = ""
    image: str = ""
    rescue_image: str | None = None


@dataclass
class Cloud:
    """All of a cloud but its servers, which pass by one at a time; filled before the first."""

    name: str = ""
    images: dict[str, Image] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    snapshots: dict[str, VolumeSnapshot] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    notified: dict[str, Notified] = field(default_factory=dict)
    images_read: bool = False
