"""The one OpenStack rule that explains why a server's next hard reboot will be wrong."""

from __future__ import annotations

from datetime import datetime

from guestclock.evidence import Known, Unknown, value_of
from guestclock.findings.finding import Case, Evidence, Finding, Severity, cite
from guestclock.findings.sides import gap, guest_evidence, host_evidence
from guestclock.platforms.openstack.column import made_at
from guestclock.platforms.openstack.findings import cure
from guestclock.platforms.openstack.findings.fault import WINDOWS, fault_of
from guestclock.platforms.openstack.findings.host import is_utc_all_year
from guestclock.platforms.openstack.findings.view import ServerView
from guestclock.platforms.openstack.hops import said
from guestclock.platforms.openstack.records import Image
from guestclock.platforms.text import clean
from guestclock.words import behind_or_ahead, duration, instant

RIGHT = "os_type=windows, at which Nova gives Windows the host's local time"


def wrong_start(view: ServerView) -> Finding | None:
    """The error, None where no os_type explains `case.cause`, or where none is known.

    The causes that a missing `windows` has are CLK101 alone: the definition is then utc. Where it
    is given, the guest takes UTC (CLK102, CLK103), or the host has no local time (CLK104).
    """
    case, column = view.case, view.server.column
    if isinstance(column, Unknown):
        return None
    guest = case.facts.guest.system
    if column.value == WINDOWS:
        if case.cause in ("CLK102", "CLK103"):
            return _on_utc_guest(view, column)
        if case.cause == "CLK104" and guest == WINDOWS and _is_by_utc_host(case):
            return _on_utc_host(view, column)
        return None
    if case.cause != "CLK101" or guest != WINDOWS:
        return None
    return _without_windows(view, column)


def _without_windows(view: ServerView, column: Known[str | None]) -> Finding:
    """What is told depends on where the right value was lost."""
    metadata, image = view.server.metadata, view.image
    if fault_of(column.value, WINDOWS) == "CLK602":
        observed = f"{said(column.value)} is not exactly `windows`"
        return _finding(view, "CLK602", "server", observed)
    if value_of(metadata) == WINDOWS:
        observed = f"its metadata say windows, and it has {said(column.value)} all the same"
        return _finding(view, "CLK604", "server metadata", observed)
    if image is not None and image.os_type == WINDOWS:
        return _finding(view, "CLK603", "image", _too_late(view, image), _set_at(image))
    if view.server.volume_backed:
        observed = f"{said(column.value)}: {_volume_says(view)}"
        return _finding(view, "CLK606", "volume", observed)
    return _finding(view, "CLK601", "server", f"the server has {said(column.value)}")


def _finding(
    view: ServerView, rule: str, hop: str, observed: str, *more: Evidence | None
) -> Finding:
    case = view.case
    return Finding(
        rule,
        Severity.ERROR,
        hop,
        RIGHT,
        f"{observed}, so Nova writes utc: {ends(case)}",
        (
            *evidence_of(view),
            *(one for one in more if one is not None),
            *guest_evidence(case),
        ),
        cure.wants_windows(view),
    )


def evidence_of(view: ServerView) -> tuple[Evidence, ...]:
    """The server's os_type at each place that was read."""
    server, image, volume = view.server, view.image, view.volume
    found = [cite(_named("server", server.column), server.column)]
    if not isinstance(server.metadata, Unknown):
        found.append(cite(_named("server metadata", server.metadata), server.metadata))
    if image is not None:
        where = f"properties of image {image.id}"
        found.append(Evidence(f"image: {said(image.os_type)}", "observed", where))
    if volume is not None:
        told = said(volume.properties.get("os_type"))
        where = f"volume_image_metadata of volume {volume.id}"
        found.append(Evidence(f"volume: {told}", "observed", where))
    return tuple(found)


def _named(place: str, fact: Known[str | None] | Unknown) -> str:
    return f"{place}: os_type" if isinstance(fact, Unknown) else f"{place}: {said(fact.value)}"


def _too_late(view: ServerView, image: Image) -> str:
    """When the image was corrected against when Nova read it, as far as anyone recorded it."""
    column, made, changed = view.server.column, made_at(view.server), value_of(image.os_type_set_at)
    has = said(value_of(column))
    name = clean(image.name) or image.id
    if changed is None or made is None:
        last = image.updated_at
        since = ""
        if made is not None and last is not None and last > made:
            since = f", last changed {how_long(made, last)} after this server was made,"
        return f"image {name}{since} has os_type=windows now, and the server still has {has}"
    if changed > made:
        later = f"{how_long(made, changed)} after this server was made"
        return f"the property os_type=windows was set {later}, which still has {has}"
    return f"image {name} has os_type=windows since {instant(changed)}, and the server has {has}"


def how_long(since: datetime, until: datetime) -> str:
    """The time between two instants in words."""
    return duration(int((until - since).total_seconds()))


def _set_at(image: Image) -> Evidence | None:
    changed = value_of(image.os_type_set_at)
    if changed is None:
        return None
    return cite(f"property os_type set at {instant(changed)}", image.os_type_set_at)


def _volume_says(view: ServerView) -> str:
    volume = view.volume
    if volume is None:
        return "it was booted from a volume, and Nova read no os_type of it"
    name, has = clean(volume.name) or volume.id, volume.properties.get("os_type")
    if has == WINDOWS:
        return f"volume {name} says windows now, and Nova reads it only when it makes a server"
    return f"the metadata of volume {name}, which it was booted from, have {said(has)}"


def _on_utc_guest(view: ServerView, column: Known[str | None]) -> Finding:
    case = view.case
    return Finding(
        "CLK610",
        Severity.ERROR,
        "server",
        "no os_type, or linux: the guest takes its RTC for UTC",
        f"{said(column.value)}, so Nova writes localtime: {ends(case)}",
        (*evidence_of(view), *host_evidence(case), *guest_evidence(case)),
        cure.wants_utc(view),
    )


def _on_utc_host(view: ServerView, column: Known[str | None]) -> Finding:
    case = view.case
    zone = clean(value_of(case.facts.host.zone) or "")
    return Finding(
        "CLK614",
        Severity.ERROR,
        "host zone",
        "a host in the zone of its Windows guest",
        f"{said(column.value)} gives localtime, which is UTC on a host in {zone}: {ends(case)}",
        (*evidence_of(view), *host_evidence(case), *guest_evidence(case)),
        cure.wants_windows(view),
    )


def _is_by_utc_host(case: Case) -> bool:
    """Whether the host has no local time, and its own clock is not what is wrong."""
    zone, skew = value_of(case.facts.host.zone), case.facts.host.clock_error
    error = value_of(case.outlook.after_cold_start)
    if zone is None or (skew and error is not None and abs(error - skew) < case.tolerance):
        return False
    return is_utc_all_year(zone, case.at, case.zones)


def ends(case: Case) -> str:
    """The error after the next hard reboot in words."""
    seconds = gap(case.facts, case.outlook, case)
    if seconds is None:
        return "the guest will be wrong in every zone that has an offset from UTC"
    off = behind_or_ahead(seconds, case.tolerance)
    return f"the guest will be {off} after its next hard reboot"
