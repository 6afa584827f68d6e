"""What is right at the next hard reboot, and would not be in a rebuild, a snapshot, another host.

A snapshot of a server with an image takes the column if it is not empty, else the metadata; one
of a server with a volume takes the metadata alone (nova/virt/libvirt/driver.py,
`_create_snapshot_metadata`; nova/compute/api.py, `snapshot_volume_backed`). A rebuild takes what
the image then says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from guestclock.evidence import Known, Unknown, value_of
from guestclock.findings.finding import Evidence, Finding, Severity, cite
from guestclock.findings.sides import guest_evidence, host_evidence, keeps_local
from guestclock.platforms.openstack.column import made_at
from guestclock.platforms.openstack.findings import cure
from guestclock.platforms.openstack.findings.fault import WINDOWS, fault_of, gives_localtime
from guestclock.platforms.openstack.findings.host import is_utc_all_year
from guestclock.platforms.openstack.findings.view import ServerView
from guestclock.platforms.openstack.findings.wrong import RIGHT, evidence_of, how_long
from guestclock.platforms.openstack.hops import error_with, said
from guestclock.platforms.openstack.records import Image
from guestclock.platforms.text import clean
from guestclock.words import behind_or_ahead, instant

Carried: TypeAlias = tuple[list[Finding], tuple[str, ...]]
"""Findings, and the ids of the general rules that they replace."""


def carried(view: ServerView) -> Carried:
    """The warnings and notes of a server whose next hard reboot no os_type makes wrong."""
    server, case = view.server, view.case
    guest = case.facts.guest.system
    if isinstance(server.column, Unknown):
        return list(_unknown(view)) if guest == WINDOWS else [], ()
    local = server.column.value == WINDOWS
    metadata, image = server.metadata, view.image
    found: list[Finding] = []
    if image is not None and (image.os_type == WINDOWS) != local:
        found += _rebuild(view, image)
    if not isinstance(metadata, Unknown) and (metadata.value == WINDOWS) != local:
        found += _metadata(view, server.column, metadata, bool(found))
    if case.cause is not None:
        return found, ()
    if local:
        if guest == WINDOWS:
            if not value_of(case.outlook.offset) and _host_is_utc(view):
                return [*found, _on_utc_host(view)], ("CLK104",)
        elif keeps_local(case.facts.guest) is False:
            return [*found, _on_utc_guest(view)], ("CLK102", "CLK103")
    elif guest == WINDOWS and not found:
        found.append(_snapshot(view))
    return found, ()


def _rebuild(view: ServerView, image: Image) -> Iterator[Finding]:
    """The server was repaired and its image was not: a rebuild makes it wrong again."""
    case, system = view.case, view.case.facts.guest.system
    rule = fault_of(image.os_type, system)
    if case.cause is not None or rule is None:
        return
    error = value_of(error_with(image.os_type, case.facts, case.at, case.zones))
    if error is not None and abs(error) < case.tolerance:
        return
    off = "wrong" if error is None else behind_or_ahead(error, case.tolerance)
    wanted = WINDOWS if system == WINDOWS else "linux"
    name = clean(image.name) or image.id
    yield Finding(
        rule,
        Severity.WARNING,
        "image",
        "an image that says of os_type what its server does",
        f"the server has {said(value_of(view.server.column))} and its image {name} has "
        f"{said(image.os_type)}: after a rebuild it would be {off}",
        (*evidence_of(view), *guest_evidence(case)),
        f"{cure.set_image(image.id, wanted)}; servers keep what they have until they are rebuilt",
    )


def _metadata(
    view: ServerView, column: Known[str | None], metadata: Known[str | None], told: bool
) -> Iterator[Finding]:
    """CLK604 where the clock is right, or is nobody's fault here."""
    server, system = view.server, view.case.facts.guest.system
    by_metadata = server.volume_backed or not column.value
    snapshot = metadata.value if by_metadata else column.value
    known = keeps_local(view.case.facts.guest) is not None
    if known:
        harm = fault_of(snapshot, system) is not None
    else:
        harm = gives_localtime(snapshot) != gives_localtime(column.value)
    if told and not harm:
        return
    ends = f"a snapshot of it says {said(snapshot)}"
    if not by_metadata:
        ends += ", and the API from 2.98 on shows the metadata"
    right = (system == WINDOWS) if known else gives_localtime(column.value)
    yield Finding(
        "CLK604",
        Severity.WARNING if harm else Severity.NOTE,
        "server metadata",
        "metadata that say what the server's os_type is",
        f"the server has {said(column.value)}, which its clock follows, and its metadata have "
        f"{said(metadata.value)}: {ends}",
        (*evidence_of(view), *guest_evidence(view.case)),
        f"stop the server, nova-manage image_property set {server.id} --property "
        f"os_type={WINDOWS if right else 'linux'}, and start it: that changes the metadata alone, "
        "which are what is wrong here",
    )


def _on_utc_guest(view: ServerView) -> Finding:
    """CLK610 where the host has no offset now, or nobody knows its zone."""
    case = view.case
    zone = value_of(case.facts.host.zone)
    only = "right only where the host is on UTC, and this host's zone is not known"
    if zone is not None:
        only = f"right only as long as its host is at UTC, as {clean(zone)} is now"
    return Finding(
        "CLK610",
        Severity.WARNING,
        "server",
        "no os_type, or linux: the guest takes its RTC for UTC",
        f"os_type=windows, so Nova writes localtime: {only}",
        (*evidence_of(view), *host_evidence(case), *guest_evidence(case)),
        cure.wants_utc(view),
    )


def _host_is_utc(view: ServerView) -> bool:
    """Whether the server's Windows, of a zone that nobody knows, gets UTC for a local time."""
    case = view.case
    zone = value_of(case.facts.host.zone)
    if zone is None or not isinstance(case.outlook.after_cold_start, Unknown):
        return False
    return is_utc_all_year(zone, case.at, case.zones)


def _on_utc_host(view: ServerView) -> Finding:
    case = view.case
    zone = clean(value_of(case.facts.host.zone) or "")
    return Finding(
        "CLK614",
        Severity.WARNING,
        "host zone",
        "a host in the zone of its Windows guest",
        f"os_type=windows gives localtime, which is UTC on a host in {zone}: right only for a "
        "guest in a zone without an offset",
        (*evidence_of(view), *host_evidence(case), *guest_evidence(case)),
        f"{cure.wants_windows(view)}; give the guest's zone with --guests to know the error",
    )


def _snapshot(view: ServerView) -> Finding:
    """CLK612: Windows that is right on utc, for its own zone has no offset now."""
    case = view.case
    has = said(value_of(view.server.column))
    return Finding(
        "CLK612",
        Severity.WARNING,
        "snapshot",
        RIGHT,
        f"{has}: its clock is right because its zone is at UTC, and a snapshot of it says {has} "
        "to Windows servers anywhere",
        (*evidence_of(view), *guest_evidence(case)),
        f"{cure.set_image('SNAPSHOT')} once it is made, where its servers are in other zones",
    )


def _unknown(view: ServerView) -> Iterator[Finding]:
    """What can be said of a Windows server whose os_type nobody read: how it came to be."""
    server, image, volume = view.server, view.image, view.volume
    made = made_at(server)
    if image is not None and image.os_type == WINDOWS:
        changed = value_of(image.os_type_set_at)
        if changed is not None and made is not None and changed > made:
            name = clean(image.name) or image.id
            observed = (
                f"os_type=windows of image {name} was set {how_long(made, changed)} after this "
                "server was made; what the server itself has was not read"
            )
            set_at = cite(f"property os_type set at {instant(changed)}", image.os_type_set_at)
            yield _perhaps(view, "CLK603", "image", observed, set_at)
    elif volume is not None and not gives_localtime(volume.properties.get("os_type")):
        has = said(volume.properties.get("os_type"))
        observed = (
            f"the metadata of volume {clean(volume.name) or volume.id}, which it was booted "
            f"from, have {has}; what the server itself has was not read"
        )
        yield _perhaps(view, "CLK606", "volume", observed)


def _perhaps(view: ServerView, rule: str, hop: str, observed: str, *more: Evidence) -> Finding:
    column = view.server.column
    settle = column.settle if isinstance(column, Unknown) else ""
    return Finding(
        rule,
        Severity.WARNING,
        hop,
        RIGHT,
        observed,
        (*evidence_of(view), *more, *guest_evidence(view.case)),
        f"{settle or 'read instances.os_type'}; if it is not windows: {cure.wants_windows(view)}",
    )
