"""An inspection as JSON has it: the documented names of docs/guide/inspect.md."""

from __future__ import annotations

from typing import TypedDict

from guestclock.disks.found import FoundSystem, Inspection, Seen, System, ZoneRules
from guestclock.disks.systems.names import names


class PlaceRecord(TypedDict):
    """Where a system is on its disk."""

    volume: str
    filesystem: str
    base: str


class SeenRecord(TypedDict):
    """Where a value was read; `what` is its name in the answer."""

    what: str
    path: str
    key: str
    type: str
    raw: str


class GapRecord(TypedDict):
    """Why a value is not known."""

    what: str
    reason: str
    detail: str


class RemarkRecord(TypedDict):
    """Something worth a warning."""

    code: str
    text: str


class RulesRecord(TypedDict):
    """A zone's rules on the disk: pairs of an instant and the offset in seconds from it on."""

    offsets: list[list[int]]
    until: int


class SystemRecord(TypedDict):
    """One system. Biases are in minutes, UTC minus local time; `rtc` is utc, local or unknown."""

    family: str
    name: str
    version: str | None
    id: str
    rtc: str
    zone: str | None
    active_time_bias_minutes: int | None
    real_time_is_universal: bool | None
    utc_offset_minutes: int | None
    reason: str | None
    place: PlaceRecord
    details: dict[str, object]
    zone_rules: RulesRecord | None
    evidence: list[SeenRecord]
    unknown: list[GapRecord]
    remarks: list[RemarkRecord]
    names: dict[str, object]


class UnreadRecord(TypedDict):
    """A part of the disk that was not read."""

    volume: str
    reason: str
    detail: str


class ImageRecord(TypedDict):
    """One image; `unknown` is why nothing of it is known, None where something is."""

    path: str
    format: str | None
    systems: list[SystemRecord]
    unread: list[UnreadRecord]
    remarks: list[RemarkRecord]
    unknown: str | None
    detail: str


def record(inspection: Inspection) -> ImageRecord:
    """One image as plain JSON values."""
    return {
        "path": inspection.path,
        "format": inspection.format,
        "systems": [_system(one) for one in inspection.systems],
        "unread": [
            {"volume": one.volume, "reason": one.reason.value, "detail": one.detail}
            for one in inspection.unread
        ],
        "remarks": [{"code": one.code, "text": one.text} for one in inspection.remarks],
        "unknown": inspection.unknown.value if inspection.unknown else None,
        "detail": inspection.detail,
    }


def nothing_read(path: str, reason: str, detail: str) -> ImageRecord:
    """The record of an image of which nothing could be read."""
    return {
        "path": path,
        "format": None,
        "systems": [],
        "unread": [],
        "remarks": [],
        "unknown": reason,
        "detail": detail,
    }


def _system(found: FoundSystem) -> SystemRecord:
    system, place, rules = found.system, found.place, found.system.rules
    return {
        "family": system.family,
        "name": system.name,
        "version": system.version,
        "id": system.id,
        "rtc": system.rtc,
        "zone": system.zone,
        "active_time_bias_minutes": system.active_time_bias_minutes,
        "real_time_is_universal": system.real_time_is_universal,
        "utc_offset_minutes": system.utc_offset_minutes,
        "reason": _first_reason(system),
        "place": {"volume": place.volume, "filesystem": place.filesystem, "base": place.base},
        "details": system.details,
        "zone_rules": None if rules is None else _rules(rules),
        "evidence": [_seen(one) for one in system.seen],
        "unknown": [
            {"what": one.what, "reason": one.reason.value, "detail": one.detail}
            for one in system.gaps
        ],
        "remarks": [{"code": one.code, "text": one.text} for one in system.remarks],
        "names": names(system),
    }


def _rules(rules: ZoneRules) -> RulesRecord:
    return {"offsets": [list(pair) for pair in rules.offsets], "until": rules.until}


# What an answer is about, the weightiest first.
_WEIGHTY = ("rtc", "active_time_bias_minutes", "zone", "real_time_is_universal")


def _first_reason(system: System) -> str | None:
    """The reason of the weightiest value that is not known, None where all are."""
    gaps = {one.what: one.reason.value for one in reversed(system.gaps)}
    return next((gaps[what] for what in _WEIGHTY if what in gaps), None)


def _seen(one: Seen) -> SeenRecord:
    trace = one.trace
    return {
        "what": one.what,
        "path": trace.path,
        "key": trace.key,
        "type": trace.type,
        "raw": trace.raw,
    }
