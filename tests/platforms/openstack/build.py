"""Servers, images and clouds in a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from guestclock.clock import Base, Clock, Utc
from guestclock.evidence import Assumed, Observed
from guestclock.inventory import Inventory, Row
from guestclock.law import Host as ClockHost
from guestclock.machine import Facts, Hardware, Process
from guestclock.platforms.openstack.domains import Domain, Domains
from guestclock.platforms.openstack.records import Cloud, Image, Server
from guestclock.platforms.surroundings import Surroundings

SERVER = "11111111-1111-4111-8111-111111111111"
IMAGE = "22222222-2222-4222-8222-222222222222"
MADE = datetime(2026, 11, 1, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 4, 9, tzinfo=UTC)
SHANGHAI = Surroundings(
    ClockHost(Assumed("Asia/Shanghai", "--host-zone")),
    Inventory([Row("win*", "windows", "Asia/Shanghai", where="guests.csv:2")]),
)


def server(column: str | None = None, **more: Any) -> Server:
    """A server whose column was read."""
    given = Server(SERVER, "win", host="compute1", image=IMAGE, created_at=MADE, source="cell")
    return replace(given, column=Observed(column, "instances.os_type"), **more)


def image(properties: Mapping[str, str] | None = None, **more: Any) -> Image:
    """An image that was made, and last changed, before the server."""
    given = Image(IMAGE, "an image", properties or {}, created_at=MADE, updated_at=MADE)
    return replace(given, **more)


def cloud(*images: Image, **more: Any) -> Cloud:
    """A cloud whose images were read."""
    return Cloud("c", {one.id: one for one in images}, images_read=True, **more)


def domain(base: Base | None = None, live: Base | None = None, offset: int | None = None) -> Facts:
    """What a host shows of a domain: off, or running where `live` is given."""
    facts = Facts(
        Observed(Clock(base or Utc()), "domain/clock"),
        asked=True,
        hardware=Hardware("qemu", "x86_64", "pc"),
        host=ClockHost(Observed("Asia/Shanghai", "/etc/localtime")),
    )
    if live is None:
        return facts
    process = Process(7)
    if offset is not None:
        process = replace(process, rtc_offset=Observed(offset, "QMP rtc-time"))
    return replace(facts, live=Observed(Clock(live), "live domain/clock"), process=process)


def domains(facts: Facts | None = None) -> Domains:
    """A host that was asked, with one domain or none."""
    found = Domains(asked=True)
    if facts is not None:
        found.by_id[SERVER] = Domain(facts, "qemu:///system")
    return found
