#!/usr/bin/python3
"""What is inside the bed. Each step does only what is not done yet.

Usage:
  contents.py identity TYPE=URL...  service project and user, services and their endpoints
  contents.py network               make a Neutron that has just started ready for use
  contents.py images DISK           the flavor and the images
  contents.py ready SINCE           wait until all of Nova has reported after SINCE (epoch seconds)

Runs in the system's Python, with its openstacksdk.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openstack
from openstack.utils import iterate_timeout

IMAGES: dict[str, dict[str, str]] = {
    "plain": {},
    "windows": {"os_type": "windows"},
    "Windows-wrong-case": {"os_type": "Windows"},
}
SERVICES = {"nova-conductor", "nova-scheduler", "nova-compute"}
PATIENCE = 120


def identity(cloud: Any, *urls: str) -> None:
    """Make the services known to each other."""
    keystone = cloud.identity
    project = keystone.find_project("service") or keystone.create_project(
        name="service", domain_id="default"
    )
    user = keystone.find_user("bed") or keystone.create_user(
        name="bed",
        password=os.environ["SERVICE_PASSWORD"],
        domain_id="default",
        default_project_id=project.id,
    )
    for name in ("admin", "service"):
        role = keystone.find_role(name) or keystone.create_role(name=name)
        keystone.put(f"/projects/{project.id}/users/{user.id}/roles/{role.id}")
    have = {service.type: service for service in keystone.services()}
    for kind, url in (pair.split("=", 1) for pair in urls):
        service = have.get(kind) or keystone.create_service(name=kind, type=kind)
        there = {one.interface for one in keystone.endpoints(service_id=service.id)}
        for interface in {"public", "internal", "admin"} - there:
            keystone.create_endpoint(
                service_id=service.id, interface=interface, url=url, region_id="RegionOne"
            )


def network(cloud: Any) -> None:
    """Neutron answers a query of ports with 500 until networks were listed once."""
    list(cloud.network.networks())
    list(cloud.network.ports())


def images(cloud: Any, disk: str) -> None:
    """Make the flavor, and the images that are missing."""
    if not cloud.compute.find_flavor("tiny"):
        cloud.compute.create_flavor(name="tiny", ram=64, vcpus=1, disk=1)
    have = set()
    for image in cloud.image.images():
        if image.status == "active":
            have.add(image.name)
        elif image.name in IMAGES:
            cloud.image.delete_image(image.id)
    for name in IMAGES.keys() - have:
        _upload(cloud, name, IMAGES[name], Path(disk).read_bytes())


def _upload(cloud: Any, name: str, properties: dict[str, str], disk: bytes) -> None:
    # Not by create_image(), which adds properties of its own.
    body = {"name": name, "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    made = cloud.image.post("/images", json=body | properties)
    made.raise_for_status()
    kind = {"Content-Type": "application/octet-stream"}
    sent = cloud.image.put(f"/images/{made.json()['id']}/file", data=disk, headers=kind)
    sent.raise_for_status()


def ready(cloud: Any, since: str) -> None:
    """Wait for a report of each of Nova's services, and for the hypervisor."""
    for _ in iterate_timeout(PATIENCE, "Nova's services are not all up", wait=0.5):
        fresh = {
            one.binary
            for one in cloud.compute.services()
            if one.state == "up" and _reported(one) >= float(since)
        }
        if fresh >= SERVICES and any(one.state == "up" for one in cloud.compute.hypervisors()):
            return


def _reported(service: Any) -> float:
    """When a service last reported, in epoch seconds; 0 for never."""
    if not service.updated_at:
        return 0
    return datetime.fromisoformat(service.updated_at).replace(tzinfo=UTC).timestamp()


STEPS: dict[str, Callable[..., None]] = {
    "identity": identity,
    "network": network,
    "images": images,
    "ready": ready,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in STEPS:
        sys.exit(__doc__)
    began = time.monotonic()
    STEPS[sys.argv[1]](openstack.connect(cloud="bed"), *sys.argv[2:])
    print(f"{sys.argv[1]}: done in {time.monotonic() - began:.1f} s")
