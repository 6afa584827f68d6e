"""Facts of a machine whose disk was read."""

from __future__ import annotations

from datetime import timedelta

from guestclock.disk import Disk, OnDisk, ZoneOnDisk
from guestclock.evidence import Observed
from guestclock.guest import NO_BIAS, NO_ZONE, Guest
from guestclock.inside import with_disk
from guestclock.machine import Facts
from tests.findings.build import AT

IMAGE = "/images/w1.qcow2"


def found(
    kind: str,
    zone: str | None = None,
    *,
    bias: int | None = None,
    sealed: bool = False,
    rules: ZoneOnDisk | None = None,
) -> OnDisk:
    """A system of that kind on the first partition."""
    guest = Guest(
        kind,
        NO_ZONE if zone is None else Observed(zone, IMAGE),
        NO_BIAS if bias is None else Observed(bias, IMAGE),
        kind=Observed(kind, IMAGE),
    )
    return OnDisk(f"a {kind}", guest, "partition 1 (MBR)", sealed, rules)


def rules(zone: str, offset: int) -> ZoneOnDisk:
    """A zone that is `offset` seconds east of UTC from a year ago on, for two years."""
    year = timedelta(days=365)
    return ZoneOnDisk(zone, ((AT - year, offset),), AT + year, IMAGE)


def with_systems(facts: Facts, *systems: OnDisk, unknown: str = "") -> Facts:
    """Those facts, and what is on the disk."""
    detail = "partition 2: LUKS" if unknown else ""
    return with_disk(facts, Disk(IMAGE, facts.guest, systems, unknown, detail))
