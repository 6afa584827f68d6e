"""Zones as they are given to the lab: IANA or Windows names, kept as IANA ones."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from guestclock.databases import zones_at_hand
from guestclock.lab.cloud.problems import BadValue
from guestclock.lab.errors import LabError
from guestclock.zones import UnknownZone, ZoneDatabase


def host_zone(name: str) -> str:
    """Return the IANA name of a host's zone.

    Raises BadValue with near names, LabError for a zone this machine does not have: QEMU would
    take UTC, silently.
    """
    return _found(name, zones_at_hand().host).key


def guest_zone(name: str) -> ZoneInfo:
    """Return a guest's zone, by which its true local time goes. Raises BadValue, LabError."""
    return _found(name, zones_at_hand().truth)


def _found(name: str, database: ZoneDatabase) -> ZoneInfo:
    try:
        iana = zones_at_hand().iana(name)
    except UnknownZone as error:
        raise BadValue(str(error), "use a name such as Asia/Shanghai") from None
    zone = database.get(iana)
    if zone is None:
        raise LabError(
            f"{database.name} has no zone {iana!r}", "Debian keeps old names in tzdata-legacy"
        )
    return zone
