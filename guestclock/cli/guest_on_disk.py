"""The guest that is on a disk image, as `predict` takes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from guestclock.disks.budget import Limits
from guestclock.disks.guest import disk_of
from guestclock.disks.worker import Inspector
from guestclock.errors import Unreadable, UsageProblem
from guestclock.evidence import Unknown, value_of
from guestclock.guest import Guest
from guestclock.zones import Zones


@dataclass(frozen=True, slots=True)
class FoundGuest:
    """Its kind, zone (IANA), saved bias in minutes and OpenBSD's offset in minutes east."""

    kind: str
    zone: str | None
    bias: int | None
    utc_offset: int | None


def guest_on_disk(image: str, at: datetime, zones: Zones) -> FoundGuest:
    """The only system on an image. Raises Unreadable, UsageProblem where there are several."""
    with Inspector(Limits(), at=int(at.timestamp())) as inspector:
        record = inspector.inspect(image, None)
    disk = disk_of(record, Guest("unknown"), zones)
    if not disk.systems:
        raise Unreadable(f"{image}: {disk.unknown}: {disk.detail}")
    if disk.system is None:
        named = ", ".join(f"{one.name} ({one.where})" for one in disk.systems)
        raise UsageProblem(f"{image} holds several systems: {named}", "say which with --guest")
    guest = disk.system.guest
    if isinstance(guest.kind, Unknown):
        raise Unreadable(f"{image}: {guest.kind.reason}")
    return FoundGuest(
        guest.kind.value,
        value_of(guest.zone),
        value_of(guest.bias_minutes),
        guest.utc_offset_minutes or None,
    )
