"""Defects, each made as an operator makes it, and what an audit has to say of each object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.real.openstack import operations as do
from tests.real.openstack.cloud import Cloud

Found = tuple[str, str]
"""A rule and a severity."""


@dataclass
class Made:
    """What a seed made: objects by id with the findings that are due, and who is inside."""

    due: dict[str, tuple[Found, ...]] = field(default_factory=dict)
    guests: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def server(self, server: str, guest: str, *due: Found) -> str:
        """A server with its guest."""
        self.due[server] = due
        self.guests[server] = guest
        return server

    def image(self, image: str, *due: Found) -> str:
        """An image or a snapshot."""
        self.due[image] = due
        return image


Seed = Callable[[Cloud, Made], None]


def nameless_windows(cloud: Cloud, made: Made) -> None:
    """Its name says Windows, and nothing else does."""
    image = made.image(cloud.image("windows-server-2019"), ("CLK601", "warning"))
    made.server(cloud.created("w2019", image), "windows", ("CLK601", "error"))


def upper_case(cloud: Cloud, made: Made) -> None:
    image = cloud.image("win2022-upper", {"os_type": "Windows"})
    made.image(image, ("CLK602", "warning"))
    made.server(cloud.created("w2022", image), "windows", ("CLK602", "error"))


def corrected_too_late(cloud: Cloud, made: Made) -> None:
    image = made.image(cloud.image("corrected"))
    server = made.server(cloud.created("old", image), "windows", ("CLK603", "error"))
    do.property_of_image("windows")(cloud, server)
    made.server(cloud.created("new", image), "windows")


def by_nova_manage(cloud: Cloud, made: Made) -> None:
    server = cloud.created("managed", cloud.public_images["plain"])
    made.server(server, "windows", ("CLK604", "error"))
    do.nova_manage("windows")(cloud, server)


def by_nova_manage_on_linux(cloud: Cloud, made: Made) -> None:
    """Its own clock is right, and its snapshots would say windows."""
    server = cloud.created("managed-linux", cloud.public_images["plain"])
    made.server(server, "linux", ("CLK604", "warning"))
    do.nova_manage("windows")(cloud, server)


def by_hand(cloud: Cloud, made: Made) -> None:
    """Right at its next hard reboot, wrong at a soft one before it."""
    server = cloud.created("edited", cloud.public_images["windows"])
    made.server(server, "windows", ("CLK607", "warning"))
    cloud.define_clock(server, "<clock offset='timezone' timezone='Asia/Tokyo'/>")


def lineage(cloud: Cloud, made: Made) -> None:
    """An image that says nothing, its server's snapshot, and a server made of that."""
    base = made.image(cloud.image("windows-10-base"), ("CLK605", "warning"))
    parent = made.server(cloud.create("parent", base), "windows", ("CLK601", "error"))
    snapshot = cloud.snapshot(parent, "windows-10-snapshot")
    made.image(snapshot, ("CLK601", "warning"))
    made.server(cloud.created("child", snapshot), "windows", ("CLK601", "error"))


def rescued(cloud: Cloud, made: Made) -> None:
    server = cloud.created("rescued", cloud.public_images["windows"])
    made.server(server, "windows", ("CLK609", "warning"))
    do.rescue_with("plain")(cloud, server)


def windows_on_linux(cloud: Cloud, made: Made) -> None:
    image = made.image(
        cloud.image("debian-12", {"os_type": "windows", "os_distro": "debian"}),
        ("CLK610", "warning"),
    )
    made.server(cloud.created("deb", image), "linux", ("CLK610", "error"))


def not_inherited(cloud: Cloud, made: Made) -> None:
    """A snapshot that lost the property on its way."""
    image = made.image(cloud.image("windows-11", {"os_type": "windows"}))
    server = made.server(cloud.create("w11", image), "windows")
    snapshot = made.image(cloud.snapshot(server, "windows-11-snapshot"), ("CLK613", "warning"))
    cloud.remove_property(snapshot, "os_type")


def repaired_server_only(cloud: Cloud, made: Made) -> None:
    """Right now, and wrong again after a rebuild."""
    image = made.image(cloud.image("windows-2016"), ("CLK601", "warning"))
    server = cloud.created("w2016", image)
    made.server(server, "windows", ("CLK601", "warning"))
    cloud.set_column(server, "windows")
    do.hard_reboot(cloud, server)


def healthy(cloud: Cloud, made: Made) -> None:
    made.server(cloud.created("right-windows", cloud.public_images["windows"]), "windows")
    made.server(cloud.created("right-plain", cloud.public_images["plain"]), "linux")
    ubuntu = made.image(cloud.image("ubuntu-24.04", {"os_type": "linux"}))
    made.server(cloud.created("right-linux", ubuntu), "linux")


def repaired(cloud: Cloud, made: Made) -> None:
    """Repaired at every place, without a rebuild."""
    image = made.image(cloud.image("windows-2025"))
    server = made.server(cloud.created("w2025", image), "windows")
    cloud.set_column(server, "windows")
    do.nova_manage("windows")(cloud, server)
    cloud.set_property(image, "os_type", "windows")


SEEDS: tuple[Seed, ...] = (
    nameless_windows,
    upper_case,
    corrected_too_late,
    by_nova_manage,
    by_nova_manage_on_linux,
    by_hand,
    lineage,
    rescued,
    windows_on_linux,
    not_inherited,
    repaired_server_only,
    healthy,
    repaired,
)
