"""Nova's operations on a server, and one that its guest does by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tests.real.openstack.cloud import Cloud

Operation: TypeAlias = Callable[[Cloud, str], None]
"""Does something to the server of that id, and returns when it is done."""


def nothing(cloud: Cloud, server: str) -> None:
    """The server stays as it was made."""


def soft_reboot(cloud: Cloud, server: str) -> None:
    """A reboot by the power button, which the guest obeys."""
    cloud.await_guest(server)
    cloud.act(server, "reboot", "ACTIVE", type="SOFT")


def hard_reboot(cloud: Cloud, server: str) -> None:
    cloud.act(server, "reboot", "ACTIVE", type="HARD")


def stop(cloud: Cloud, server: str) -> None:
    cloud.act(server, "os-stop", "SHUTOFF")


def start(cloud: Cloud, server: str) -> None:
    cloud.act(server, "os-start", "ACTIVE")


def stop_start(cloud: Cloud, server: str) -> None:
    stop(cloud, server)
    start(cloud, server)


def pause_unpause(cloud: Cloud, server: str) -> None:
    cloud.act(server, "pause", "PAUSED")
    cloud.act(server, "unpause", "ACTIVE")


def suspend_resume(cloud: Cloud, server: str) -> None:
    cloud.act(server, "suspend", "SUSPENDED")
    cloud.act(server, "resume", "ACTIVE")


def shelve_unshelve(cloud: Cloud, server: str) -> None:
    cloud.act(server, "shelve", "SHELVED_OFFLOADED")
    cloud.act(server, "unshelve", "ACTIVE")


def unrescue(cloud: Cloud, server: str) -> None:
    cloud.act(server, "unrescue", "ACTIVE")


def reset(cloud: Cloud, server: str) -> None:
    """The guest's own restart."""
    cloud.reset(server)


def rescue_with(image: str) -> Operation:
    """A rescue with one of the bed's images."""

    def rescue(cloud: Cloud, server: str) -> None:
        image_id = cloud.public_images[image]
        cloud.act(server, "rescue", "RESCUE", rescue_image_ref=image_id)

    return rescue


def rebuild(cloud: Cloud, server: str) -> None:
    """A rebuild from the image that the server has already, whatever it says by now."""
    image = cloud.api.compute.get(f"/servers/{server}").json()["server"]["image"]["id"]
    cloud.act(server, "rebuild", "ACTIVE", imageRef=image)


def column(os_type: str | None) -> Operation:
    """Corrects instances.os_type in Nova's database."""
    return lambda cloud, server: cloud.set_column(server, os_type)


def property_of_image(os_type: str) -> Operation:
    """Corrects the image that a server was made of."""

    def correct(cloud: Cloud, server: str) -> None:
        image = cloud.api.compute.get(f"/servers/{server}").json()["server"]["image"]["id"]
        cloud.set_property(image, "os_type", os_type)

    return correct


def nova_manage(os_type: str) -> Operation:
    """`nova-manage image_property set`, which Nova allows of a server that is stopped."""

    def correct(cloud: Cloud, server: str) -> None:
        stop(cloud, server)
        setting = f"os_type={os_type}"
        cloud.bed.nova_manage("image_property", "set", server, "--property", setting)
        start(cloud, server)

    return correct


def virsh_define(clock: str) -> Operation:
    """Another clock in libvirt's inactive definition."""
    return lambda cloud, server: cloud.define_clock(server, clock)


def write_rtc(ahead: int) -> Operation:
    """The guest's user sets the time, and the guest writes it into its RTC: UTC plus seconds."""

    def write(cloud: Cloud, server: str) -> None:
        cloud.await_guest(server)
        cloud.write_rtc(server, ahead)

    return write
