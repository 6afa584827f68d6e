"""The hops before the definition: the image's property, the volume's, the server's os_type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from guestclock.clock import Base
from guestclock.evidence import Fact, Inferred, Observed, Unknown, value_of
from guestclock.findings.finding import Evidence, cite
from guestclock.hops import Hop
from guestclock.machine import Facts, outlook
from guestclock.platforms.openstack.records import Cloud, Image, OsType, Server, Volume
from guestclock.platforms.openstack.rule import nova_clock
from guestclock.platforms.text import clean
from guestclock.words import instant
from guestclock.zones import Zones


def server_hops(
    server: Server, cloud: Cloud, facts: Facts, at: datetime, zones: Zones
) -> tuple[Hop, ...]:
    """All hops of a server before its definition; what was not read says why."""
    return tuple(_server_hops(server, cloud, facts, at, zones))


def _server_hops(
    server: Server, cloud: Cloud, facts: Facts, at: datetime, zones: Zones
) -> Iterator[Hop]:
    if server.image:
        image = cloud.images.get(server.image)
        told = _image_says(image) if image else _no_image(server, cloud)
        hop = os_type_hop("image", told, facts, at, zones)
        yield replace(hop, evidence=(*hop.evidence, *_about_image(image)))
    else:
        volume = cloud.volumes.get(server.volume)
        yield os_type_hop("volume", _volume_says(volume), facts, at, zones)
    yield os_type_hop("server", server.column, facts, at, zones)
    yield os_type_hop("server metadata", server.metadata, facts, at, zones)
    if not isinstance(server.spec, Unknown):
        yield os_type_hop("request spec", server.spec, facts, at, zones)


def _image_says(image: Image) -> OsType:
    return Observed(image.os_type, f"property os_type of image {image.id} {clean(image.name)}")


def _no_image(server: Server, cloud: Cloud) -> OsType:
    if cloud.images_read:
        return Unknown(f"image {server.image} is gone, or not ours to see")
    return Unknown("images were not read", "give --os-cloud or --glance-db")


def _about_image(image: Image | None) -> Iterator[Evidence]:
    if image is None:
        return
    set_at = value_of(image.os_type_set_at)
    if set_at is not None:
        yield cite(f"set at {instant(set_at)}", image.os_type_set_at)


def _volume_says(volume: Volume | None) -> OsType:
    if volume is None:
        return Unknown("the root volume's metadata were not read", "ask Cinder with --os-cloud")
    where = f"volume_image_metadata of volume {volume.id} {clean(volume.name)}"
    return Observed(volume.properties.get("os_type"), where)


def os_type_hop(name: str, told: OsType, facts: Facts, at: datetime, zones: Zones) -> Hop:
    """What one place says of os_type, and the value at which Nova would write a right clock.

    `should` is empty where no value would do: Nova knows UTC and the compute host's local time.
    """
    if isinstance(told, Unknown):
        return Hop(name, "unknown", "", (cite("os_type", told),))
    says = said(told.value)
    if is_right(told.value, facts, at, zones):
        return Hop(name, says, says, (cite(says, told),))
    evidence = [cite(says, told)]
    if isinstance(facts.guest.kind, Unknown):
        return Hop(name, says, "", tuple(evidence))
    better = right_os_type(facts, at, zones)
    if better is None and _hangs_on_zones(facts, at, zones):
        where = "right where the host is in the guest's zone, which is not known"
        evidence.append(Evidence("os_type=windows", "inferred", where))
        better = "windows"
    elif better is None:
        evidence.append(Evidence("should", "inferred", "no os_type gives this guest a right clock"))
    return Hop(name, says, said(better) if better else "", tuple(evidence))


def _hangs_on_zones(facts: Facts, at: datetime, zones: Zones) -> bool:
    """Whether it is for want of a zone alone that `windows` is not known to be right."""
    if facts.guest.system != "windows":
        return False
    return isinstance(error_with("windows", facts, at, zones), Unknown)


def best_base(facts: Facts, at: datetime, zones: Zones) -> Base | None:
    """The best clock that Nova can write for a guest, None where none is right."""
    best = right_os_type(facts, at, zones)
    if best is None and _hangs_on_zones(facts, at, zones):
        best = "windows"
    return None if best is None else nova_clock(best, facts.hardware.virt or "kvm").base


def right_os_type(facts: Facts, at: datetime, zones: Zones) -> str | None:
    """The os_type for which Nova writes a clock that is right for a guest, None if none is."""
    for value in ("linux", "windows"):
        if is_right(value, facts, at, zones):
            return value
    return None


def said(os_type: str | None) -> str:
    """An os_type in words: "os_type=windows", "no os_type"."""
    return "no os_type" if os_type is None else f"os_type={clean(os_type)}"


def is_right(os_type: str | None, facts: Facts, at: datetime, zones: Zones) -> bool:
    """Whether a hard reboot with that os_type would be right."""
    error = value_of(error_with(os_type, facts, at, zones))
    return error is not None and abs(error) < 5


def error_with(os_type: str | None, facts: Facts, at: datetime, zones: Zones) -> Fact[int]:
    """The clock error in seconds after a hard reboot of a server that has that os_type."""
    hardware = facts.hardware
    clock = nova_clock(os_type, hardware.virt or "kvm", hardware.arch or "x86_64")
    tried = replace(facts, definition=Inferred(clock, "Nova's rule"))
    return outlook(tried, at, zones).after_cold_start
