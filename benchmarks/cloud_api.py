"""A made-up cloud as the listings of Nova's and Glance's APIs, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from make_cloud import Cloud, Image, Server

from tests.platforms.openstack.stand_in import StandIn
from tests.platforms.openstack.stand_in_items import Json, Numbered


class Named(Numbered):
    """Items whose ids do not tell their places."""

    def __init__(self, ids: Sequence[str], make: Callable[[int], Json]) -> None:
        super().__init__(len(ids), make)
        self._places = {identity: place for place, identity in enumerate(ids)}

    def after(self, marker: str) -> int:
        return self._places[marker] + 1


def stand_in(cloud: Cloud, servers: int, delay: float) -> StandIn:
    """The API of the servers up to a number; `delay` is in seconds, a page."""

    # Nova lists those that are not deleted; they are made again when they are asked for.
    alive = [(one.id, one.number) for one in cloud.servers(1, servers) if not one.deleted]

    def server(place: int) -> Json:
        number = alive[place][1]
        (found,) = cloud.servers(number, number)
        return _server(found)

    return StandIn(
        servers=Named([identity for identity, _ in alive], server),
        images=Named([one.id for one in cloud.images], lambda at: _image(cloud.images[at])),
        hypervisors=[_hypervisor(number, name) for number, name in enumerate(cloud.hosts)],
        aggregates=[{"id": 1, "name": "all", "hosts": list(cloud.hosts), "metadata": {}}],
        delay=delay,
    )


def _server(server: Server) -> Json:
    running = server.vm_state == "active"
    attached = [{"id": server.volume, "delete_on_termination": False}] if server.volume else []
    image = {"id": server.image.id, "properties": dict(server.metadata), "links": []}
    return {
        "id": server.id,
        "name": server.name,
        "status": "ACTIVE" if running else "SHUTOFF",
        "tenant_id": server.project,
        "user_id": server.user,
        "metadata": {},
        "hostId": server.host,
        "image": "" if server.volume else image,
        "flavor": {"vcpus": 2, "ram": 4096, "disk": 20, "original_name": "m1.medium"},
        "created": _time(server.made),
        "updated": _time(server.actions[-1][1]),
        "addresses": {"net": [{"version": 4, "addr": "192.0.2.7", "OS-EXT-IPS:type": "fixed"}]},
        "links": [],
        "key_name": None,
        "OS-EXT-SRV-ATTR:host": server.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.number:08x}",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:power_state": 1 if running else 4,
        "OS-SRV-USG:launched_at": _time(server.made)[:-1],
        "os-extended-volumes:volumes_attached": attached,
        "locked": False,
        "tags": [],
    }


def _image(image: Image) -> Json:
    return {
        **image.properties,
        "id": image.id,
        "name": image.name,
        "status": "active",
        "visibility": "private" if "image_type" in image.properties else "public",
        "owner": image.owner,
        "os_hidden": False,
        "protected": False,
        "size": 2 * 10**9,
        "min_disk": 20,
        "min_ram": 0,
        "disk_format": "qcow2",
        "container_format": "bare",
        "checksum": image.id.replace("-", ""),
        "tags": [],
        "created_at": _time(image.made),
        "updated_at": _time(image.set_at),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }


def _hypervisor(number: int, name: str) -> Json:
    return {
        "id": f"{number:08x}-0000-4000-8000-000000000000",
        "hypervisor_hostname": name,
        "hypervisor_type": "QEMU",
        "service": {"host": name, "id": f"{number:08x}-0000-4000-8000-000000000001"},
        "state": "up",
        "status": "enabled",
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
