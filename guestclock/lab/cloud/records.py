"""What the lab's cloud keeps: images, servers, hosts, and the tasks under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from guestclock.lab.cloud.actions import Action
from guestclock.lab.cloud.locks import Subject

ImageStatus = Literal["saving", "active"]
VmState = Literal["building", "active", "paused", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class Image:
    """A bootable file and its properties.

    `zone` is the IANA zone of the small guest on it; None for an imported file, and for a guest
    that has a bias and no zone.
    """

    number: int
    uuid: str
    name: str
    status: ImageStatus
    created: datetime
    zone: str | None
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the lab; `zone` is what its /etc/localtime is, as an IANA name."""

    number: int
    name: str
    zone: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server as Nova keeps it.

    `os_type` is the server's own, copied from the image at creation and rebuild; the driver
    goes by it alone. `image_properties` is the copy of all properties from the same moment.
    """

    number: int
    uuid: str
    name: str
    host: Host
    image_uuid: str
    image_properties: dict[str, str]
    os_type: str | None
    zone: str | None
    vm_state: VmState
    fault: str | None
    created: datetime

    @property
    def domain(self) -> str:
        """The name of its domain, by Nova's default instance_name_template."""
        return f"instance-{self.number:08x}"


@dataclass(frozen=True, slots=True)
class Task:
    """An operation under way, or left behind by a command that was killed."""

    subject: Subject
    number: int
    action: Action
    pid: int
    began: datetime
