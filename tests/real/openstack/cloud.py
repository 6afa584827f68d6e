"""What the tests do with servers and images, and what they see of a server's real-time clock."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import libvirt
import libvirt_qemu
import openstack
from openstack.utils import iterate_timeout

from tests.real.openstack.running import Bed

PATIENCE = 180
GREETING = "bed guest: up"
NONE: Mapping[str, str] = {}


class Cloud:
    """The bed's cloud; what is made here bears `prefix`. Threads may share it."""

    def __init__(self, bed: Bed, prefix: str) -> None:
        self.bed = bed
        self.prefix = prefix
        self._of_thread = threading.local()
        self._hypervisor = libvirt.open(bed.uri)

    @property
    def api(self) -> Any:
        """openstacksdk's connection, one for each thread."""
        if not hasattr(self._of_thread, "api"):
            self._of_thread.api = openstack.connect(cloud="bed")
        return self._of_thread.api

    def lift_quota(self) -> None:
        """Allows any number of servers, where Nova has 10 as its default."""
        project = self.api.current_project_id
        limits = {"instances": -1, "cores": -1, "ram": -1}
        reply = self.api.compute.put(f"/os-quota-sets/{project}", json={"quota_set": limits})
        reply.raise_for_status()

    # -- images

    @cached_property
    def public_images(self) -> dict[str, str]:
        """The ids of the bed's own images, by name."""
        return {one.name: one.id for one in self.api.image.images(visibility="public")}

    @cached_property
    def disk(self) -> bytes:
        """The guest's disk."""
        return (self.bed.folder / "guest.img").read_bytes()

    def image(
        self, name: str, properties: Mapping[str, str] = NONE, disk: bytes | None = None
    ) -> str:
        """The id of a new image with these properties and no others; `disk` is not the guest's."""
        body = {"name": self.prefix + name, "disk_format": "raw", "container_format": "bare"}
        made = self.api.image.post("/images", json=body | {**properties})
        made.raise_for_status()
        image: str = made.json()["id"]
        kind = {"Content-Type": "application/octet-stream"}
        data = self.disk if disk is None else disk
        self.api.image.put(f"/images/{image}/file", data=data, headers=kind).raise_for_status()
        return image

    def set_property(self, image: str, name: str, value: str) -> None:
        """Sets a property of an image, new or not, as `openstack image set` does."""
        self._patch(image, {"op": "add", "path": f"/{name}", "value": value})

    def remove_property(self, image: str, name: str) -> None:
        """Takes a property away from an image."""
        self._patch(image, {"op": "remove", "path": f"/{name}"})

    def _patch(self, image: str, change: dict[str, str]) -> None:
        kind = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
        self.api.image.patch(f"/images/{image}", json=[change], headers=kind).raise_for_status()

    # -- servers

    def create(self, name: str, image: str) -> str:
        """The id of a new server whose guest is up."""
        server = self.created(name, image)
        self.await_guest(server)
        return server

    def created(self, name: str, image: str) -> str:
        """The id of a new server that runs, whatever its guest does."""
        reply = self._post_server(name, image)
        reply.raise_for_status()
        server: str = reply.json()["server"]["id"]
        self.await_status(server, "ACTIVE")
        return server

    def refused(self, name: str, image: str) -> int:
        """The HTTP status with which Nova answers a wish for a server."""
        status: int = self._post_server(name, image).status_code
        return status

    def _post_server(self, name: str, image: str) -> Any:
        wish = {"name": self.prefix + name, "imageRef": image, "flavorRef": self._flavor}
        return self.api.compute.post("/servers", json={"server": wish | {"networks": "none"}})

    @cached_property
    def _flavor(self) -> str:
        return str(next(one.id for one in self.api.compute.flavors() if one.name == "tiny"))

    def await_status(self, server: str, status: str) -> None:
        """Waits until a server is at rest in that state."""
        for _ in iterate_timeout(PATIENCE, f"{server} did not become {status}", wait=0.4):
            found = self.api.compute.get(f"/servers/{server}").json()["server"]
            if (found["status"], found["OS-EXT-STS:task_state"]) == (status, None):
                return
            assert found["status"] != "ERROR", found.get("fault")

    def await_guest(self, server: str, times: int = 1) -> None:
        """Waits until the guest has said so often in this QEMU that it listens to its button."""
        for _ in iterate_timeout(PATIENCE, f"the guest of {server} did not come up", wait=0.2):
            if self._greetings(server) >= times:
                return

    def _greetings(self, server: str) -> int:
        log = self.bed.folder / f"nova/instances/{server}/console.log"
        return log.read_text(errors="replace").count(GREETING) if log.exists() else 0

    def act(self, server: str, action: str, status: str, **arguments: object) -> None:
        """Has Nova do something with a server, and waits until it is at rest in that state."""
        body = {action: arguments or None}
        self.api.compute.post(f"/servers/{server}/action", json=body).raise_for_status()
        self.await_status(server, status)

    def snapshot(self, server: str, name: str) -> str:
        """The id of a new image of a server."""
        made = self.api.compute.create_server_image(server, self.prefix + name)
        for _ in iterate_timeout(PATIENCE, f"the snapshot of {server} is not there", wait=0.4):
            if self.api.image.get(f"/images/{made.id}").json()["status"] == "active":
                break
        self.await_status(server, "ACTIVE")
        return str(made.id)

    def set_column(self, server: str, os_type: str | None) -> None:
        """Writes instances.os_type, which no API does."""
        self.bed.sql(
            "UPDATE nova.instances SET os_type = :os_type WHERE uuid = :server",
            os_type=os_type,
            server=server,
        )

    # -- what runs

    def domain(self, server: str) -> libvirt.virDomain:
        """libvirt's side of a server."""
        return self._hypervisor.lookupByUUIDString(server)

    def define_clock(self, server: str, clock: str) -> None:
        """Puts another clock into the inactive definition, as `virsh edit` does."""
        domain = self.domain(server)
        text = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        before, rest = text.split("<clock", 1)
        after = rest.split(">", 1)[1].removeprefix("\n")
        after = after.split("</clock>", 1)[-1] if not rest.split(">", 1)[0].endswith("/") else after
        self._hypervisor.defineXML(f"{before}{clock}\n{after}")

    def reset(self, server: str) -> None:
        """Reboots the guest inside the same QEMU, as its own restart does."""
        self.await_guest(server)
        before = self._greetings(server)
        self._monitor(server, {"execute": "system_reset"})
        self.await_guest(server, before + 1)

    def rtc_offset(self, server: str) -> float:
        """What QEMU's real-time clock is ahead of true UTC, in seconds."""
        query = {"execute": "qom-get", "arguments": {"path": "/machine", "property": "rtc-time"}}
        tm = self._monitor(server, query)["return"]
        reading = datetime(
            tm["tm_year"] + 1900,
            tm["tm_mon"] + 1,
            tm["tm_mday"],
            tm["tm_hour"],
            tm["tm_min"],
            tm["tm_sec"],
            tzinfo=UTC,
        )
        return reading.timestamp() - time.time()

    def write_rtc(self, server: str, ahead: int) -> None:
        """Sets the real-time clock to UTC plus so many seconds, as a guest does that is set."""
        wanted = datetime.fromtimestamp(time.time() + ahead, UTC)
        century, year = divmod(wanted.year, 100)
        values = {0x00: wanted.second, 0x02: wanted.minute, 0x04: wanted.hour}
        values |= {0x07: wanted.day, 0x08: wanted.month, 0x09: year, 0x32: century}
        # Register B: the clock stands still while it is set, and counts 24 hours, in BCD.
        self._write_cmos(server, 0x0B, 0x82)
        for register, value in values.items():
            self._write_cmos(server, register, value // 10 << 4 | value % 10)
        self._write_cmos(server, 0x0B, 0x02)

    def _write_cmos(self, server: str, register: int, value: int) -> None:
        domain, by_hand = self.domain(server), libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
        for port, byte in ((0x70, register), (0x71, value)):
            libvirt_qemu.qemuMonitorCommand(domain, f"o /b {port:#x} {byte:#x}", by_hand)

    def _monitor(self, server: str, command: Mapping[str, object]) -> Any:
        answer = libvirt_qemu.qemuMonitorCommand(self.domain(server), json.dumps(command), 0)
        return json.loads(answer)

    # -- the end

    def names(self) -> dict[str, str]:
        """The names of all servers and images, by id."""
        servers = {one.id: f"server {one.name}" for one in self.api.compute.servers()}
        return servers | {one.id: f"image {one.name}" for one in self.api.image.images()}

    def clean(self) -> None:
        """Deletes everything of this prefix."""
        servers = [one.id for one in self.api.compute.servers() if self._is_ours(one.name)]
        for server in servers:
            self.api.compute.delete_server(server, force=True)
        self._await_gone(servers)
        for image in self.api.image.images():
            if self._is_ours(image.name):
                self.api.image.delete_image(image.id)

    def _await_gone(self, servers: Iterable[str]) -> None:
        for server in servers:
            for _ in iterate_timeout(PATIENCE, f"{server} is not deleted", wait=0.4):
                if self.api.compute.get(f"/servers/{server}").status_code == 404:
                    break

    def _is_ours(self, name: str) -> bool:
        return name.startswith(self.prefix)
