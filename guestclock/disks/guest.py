"""A system that was found on a disk as the law knows it: a Guest, each value observed."""

from __future__ import annotations

from datetime import UTC, datetime

from guestclock.disk import Disk, OnDisk, ZoneOnDisk
from guestclock.disks.record import ImageRecord, SystemRecord
from guestclock.evidence import Fact, Inferred, Observed, Unknown
from guestclock.guest import Guest
from guestclock.zones import UnknownZone, Zones


def disk_of(image: ImageRecord, told: Guest, zones: Zones) -> Disk:
    """What an image says; `told` is the guest as everything but the disk has it."""
    systems = tuple(_on_disk(one, image["path"], zones) for one in image["systems"])
    return Disk(image["path"], told, systems, image["unknown"] or "", image["detail"])


def _on_disk(system: SystemRecord, image: str, zones: Zones) -> OnDisk:
    guest = guest_of(system, image, zones)
    return OnDisk(
        system["name"] or system["family"],
        guest,
        system["place"]["volume"],
        sealed=system["details"].get("sealed") is True,
        rules=_rules(system, image, zones),
        remarks=tuple((one["code"], one["text"]) for one in system["remarks"]),
    )


def guest_of(system: SystemRecord, image: str, zones: Zones) -> Guest:
    """The guest that a system is. What was not read stays unknown, with the reader's reason."""
    kind = _kind(system, image)
    return Guest(
        "unknown" if isinstance(kind, Unknown) else kind.value,
        zone=_zone(system, image, zones),
        bias_minutes=_number(system, "active_time_bias_minutes", image),
        utc_offset_minutes=system["utc_offset_minutes"] or 0,
        kind=kind,
    )


_KINDS = {
    ("windows", "local"): "windows",
    ("windows", "utc"): "windows-universal",
    ("linux", "utc"): "linux",
    ("linux", "local"): "linux-local",
    ("freebsd", "utc"): "freebsd",
    ("freebsd", "local"): "freebsd-local",
    ("openbsd", "utc"): "openbsd",
    ("openbsd", "local"): "openbsd",
    ("netbsd", "utc"): "netbsd",
}


def _kind(system: SystemRecord, image: str) -> Fact[str]:
    family, rtc = system["family"], system["rtc"]
    # DOS has no idea of UTC; what else is `other` has a rule of its own, which is not known.
    kind = "dos" if system["id"] in ("dos", "freedos") else _KINDS.get((family, rtc))
    if kind is not None:
        return Observed(kind, _where(system, "rtc", image))
    if rtc == "unknown":
        return Unknown(_why(system, "rtc") or f"how its {family} takes the RTC was not found")
    name = system["name"] or family
    return Unknown(f"{image}: how {name} with its RTC in {rtc} time reads it is not known here")


def _zone(system: SystemRecord, image: str, zones: Zones) -> Fact[str]:
    name = system["zone"]
    if name is None:
        return Unknown(_why(system, "zone") or f"{image} says nothing of a zone")
    where = _where(system, "zone", image)
    try:
        iana = zones.iana(name)
    except UnknownZone as problem:
        return Unknown(f"{where}: {problem}", "name the zone with --guests")
    if iana == name:
        return Observed(name, where)
    return Inferred(iana, f"{name!r}, {where}")


def _number(system: SystemRecord, what: str, image: str) -> Fact[int]:
    value = system["active_time_bias_minutes"]
    if value is None:
        return Unknown(_why(system, what) or f"{image} has no saved bias")
    return Observed(value, _where(system, what, image))


def _where(system: SystemRecord, what: str, image: str) -> str:
    """Image, volume, path and key, as far as the reader said."""
    for one in system["evidence"]:
        if one["what"] == what:
            place = f"{image}: {system['place']['volume']}: {one['path']}"
            return f"{place}: {one['key']}" if one["key"] else place
    return f"{image}: {system['place']['volume']}"


def _why(system: SystemRecord, what: str) -> str:
    return next((one["detail"] for one in system["unknown"] if one["what"] == what), "")


def _rules(system: SystemRecord, image: str, zones: Zones) -> ZoneOnDisk | None:
    rules, zone = system["zone_rules"], _zone(system, image, zones)
    if rules is None or isinstance(zone, Unknown) or not rules["offsets"]:
        return None
    try:
        offsets = tuple((datetime.fromtimestamp(at, UTC), one) for at, one in rules["offsets"])
        until = datetime.fromtimestamp(rules["until"], UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return ZoneOnDisk(zone.value, offsets, until, f"{image}: {system['place']['volume']}")
