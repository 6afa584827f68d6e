"""Servers and images as Nova and Glance write them, any number of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Json = dict[str, Any]
PROJECT = "0" * 31 + "a"


class Numbered(Sequence[Json]):
    """Any number of items, each made when it is asked for; the end of its id is its place."""

    def __init__(self, length: int, make: Callable[[int], Json]) -> None:
        self._length = length
        self._make = make

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        if not 0 <= place < self._length:
            raise IndexError(place)
        return self._make(place)

    def after(self, marker: str) -> int:
        """The place after that of an id."""
        return int(marker[-12:], 16) + 1


def identity(kind: int, place: int) -> str:
    """The id of the item at a place."""
    return f"{kind:08x}-0000-4000-8000-{place:012x}"


def server(place: int, **other: Any) -> Json:
    """A server with all that Nova 2.98 shows to an admin, about 2 KB as Nova's own."""
    name = f"server-{place}"
    links = [
        {"rel": rel, "href": f"http://controller/compute/v2.1/servers/{identity(1, place)}"}
        for rel in ("self", "bookmark")
    ]
    address = f"10.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"
    return {
        "id": identity(1, place),
        "name": name,
        "status": "ACTIVE",
        "tenant_id": PROJECT,
        "user_id": "f" * 32,
        "metadata": {},
        "hostId": f"{place:056x}",
        "image": {
            "id": identity(2, place % 10),
            "links": links[1:],
            "properties": {"os_type": "windows", "os_distro": "windows", "hw_disk_bus": "virtio"},
        },
        "flavor": {
            "vcpus": 2,
            "ram": 4096,
            "disk": 40,
            "ephemeral": 0,
            "swap": 0,
            "original_name": "m1.medium",
            "extra_specs": {"hw:cpu_policy": "shared"},
        },
        "created": "2026-11-01T08:00:00Z",
        "updated": "2026-11-02T08:00:00Z",
        "addresses": {
            "private": [
                {
                    "version": 4,
                    "addr": address,
                    "OS-EXT-IPS:type": "fixed",
                    "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:00",
                }
            ]
        },
        "accessIPv4": "",
        "accessIPv6": "",
        "links": links,
        "OS-DCF:diskConfig": "AUTO",
        "progress": 0,
        "OS-EXT-AZ:availability_zone": "nova",
        "config_drive": "",
        "key_name": None,
        "OS-SRV-USG:launched_at": "2026-11-01T08:00:20.000000",
        "OS-SRV-USG:terminated_at": None,
        "OS-EXT-SRV-ATTR:host": f"compute-{place % 200}",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": f"compute-{place % 200}.example.org",
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{place:08x}",
        "OS-EXT-SRV-ATTR:hostname": name,
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
        "OS-EXT-SRV-ATTR:user_data": None,
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "os-extended-volumes:volumes_attached": [],
        "host_status": "UP",
        "locked": False,
        "locked_reason": None,
        "description": None,
        "tags": [],
        "trusted_image_certificates": None,
        "server_groups": [],
        "security_groups": [{"name": "default"}],
        **other,
    }


def image(place: int, **other: Any) -> Json:
    """An image; `other` may be properties and attributes alike, as Glance mixes them."""
    return {
        "id": identity(2, place),
        "name": f"image-{place}",
        "status": "active",
        "visibility": "public",
        "os_hidden": False,
        "owner": PROJECT,
        "protected": False,
        "tags": [],
        "size": 1 << 30,
        "virtual_size": None,
        "min_disk": 0,
        "min_ram": 0,
        "disk_format": "qcow2",
        "container_format": "bare",
        "checksum": "d" * 32,
        "os_hash_algo": "sha512",
        "os_hash_value": "e" * 128,
        "created_at": "2026-10-01T08:00:00Z",
        "updated_at": "2026-10-02T08:00:00Z",
        "file": f"/v2/images/{identity(2, place)}/file",
        "self": f"/v2/images/{identity(2, place)}",
        "schema": "/v2/schemas/image",
        **other,
    }


def servers(length: int) -> Numbered:
    return Numbered(length, server)


def images(length: int) -> Numbered:
    return Numbered(length, image)
