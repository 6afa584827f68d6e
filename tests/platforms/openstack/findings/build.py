"""A server of a cloud in a line, and what OpenStack's rules find at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from guestclock.clock import Base, Clock
from guestclock.evidence import Inferred, Observed, Unknown
from guestclock.findings.cause import case_of
from guestclock.findings.finding import Finding
from guestclock.machine import Facts
from guestclock.platforms.interface import Own
from guestclock.platforms.openstack.findings.server import server_findings
from guestclock.platforms.openstack.findings.view import ServerView
from guestclock.platforms.openstack.records import Cloud, Image, OsType, Server, Volume
from guestclock.platforms.openstack.rule import nova_clock
from tests.findings.build import AT, ZONES, facts

ID = "5e4f3a2b-0000-4000-8000-000000000001"
IMAGE = "1a2b3c4d-0000-4000-8000-000000000002"
VOLUME = "9f8e7d6c-0000-4000-8000-000000000003"
MADE = datetime(2026, 1, 2, tzinfo=UTC)
LATER = datetime(2026, 1, 5, tzinfo=UTC)
NOT_READ = Unknown("not read")


def image(os_type: str | None = None, identity: str = IMAGE, name: str = "", **more: Any) -> Image:
    """An image; `more` are other fields, `properties` other properties."""
    properties: Mapping[str, str] = more.pop("properties", {})
    given = {} if os_type is None else {"os_type": os_type}
    return Image(identity, name, {**properties, **given}, **more)


def volume(os_type: str | None = None, name: str = "root", **more: Any) -> Volume:
    """A bootable volume; `properties` are other metadata."""
    properties: Mapping[str, str] = more.pop("properties", {})
    given = {} if os_type is None else {"os_type": os_type}
    return Volume(VOLUME, name, {**properties, **given}, bootable=True, **more)


def cloud(*objects: Image | Volume) -> Cloud:
    """A cloud of these images and volumes."""
    images = {one.id: one for one in objects if isinstance(one, Image)}
    volumes = {one.id: one for one in objects if isinstance(one, Volume)}
    return Cloud("test", images=images, volumes=volumes, images_read=True)


def read(os_type: str | Unknown | None, where: str) -> OsType:
    """An os_type as it was read, or not."""
    return os_type if isinstance(os_type, Unknown) else Observed(os_type, where)


def facts_of(
    column: OsType,
    system: str = "windows",
    zone: str | None = "Asia/Shanghai",
    host: str | None = "Asia/Shanghai",
    stored: Base | Clock | None = None,
    **more: Any,
) -> Facts:
    """A server's facts as Nova's rule makes them of its column."""
    given = facts(None, system, zone, host, **more)
    definition: Any = column
    if not isinstance(column, Unknown):
        definition = Inferred(nova_clock(column.value, "qemu"), "Nova's rule")
    there = stored if isinstance(stored, Clock) or stored is None else Clock(stored)
    known = NOT_READ if there is None else Observed(there, "inactive domain/clock")
    return replace(given, definition=definition, stored=known)


def view(
    column: str | Unknown | None = None,
    metadata: str | Unknown | None = NOT_READ,
    *,
    inside: Cloud | None = None,
    boots: str = IMAGE,
    vm_state: str = "active",
    **more: Any,
) -> ServerView:
    """A server of the cloud `inside`, made of `boots`: an image's id, or VOLUME."""
    its = read(column, "instances.os_type")
    server = Server(
        ID,
        "w1",
        image="" if boots == VOLUME else boots,
        volume=boots if boots == VOLUME else "",
        column=its,
        metadata=read(metadata, "instance_system_metadata"),
        vm_state=vm_state,
        created_at=MADE,
    )
    return ServerView(case_of(facts_of(its, **more), AT, ZONES), server, inside or Cloud())


def own(*given: Any, **more: Any) -> Own:
    """What the rules say of the server that `view` makes of the same."""
    return server_findings(view(*given, **more))


def rules(*given: Any, **more: Any) -> set[str]:
    """The ids of what is found, each with the first letter of its severity."""
    return {f"{one.rule}{one.severity.value[0]}" for one in own(*given, **more).findings}


def only(*given: Any, **more: Any) -> Finding:
    """The one finding."""
    [finding] = own(*given, **more).findings
    return finding
