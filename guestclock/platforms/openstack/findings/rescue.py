"""CLK609: a rescued server runs on its own os_type's clock, whatever it is rescued with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from guestclock.evidence import Fact, Unknown, value_of
from guestclock.findings.finding import Finding, Severity, cite
from guestclock.findings.sides import host_evidence
from guestclock.guest import Guest
from guestclock.machine import outlook
from guestclock.platforms.openstack.findings.fault import WINDOWS, fault_of, label
from guestclock.platforms.openstack.findings.view import ServerView
from guestclock.platforms.openstack.findings.wrong import evidence_of
from guestclock.platforms.openstack.hops import said
from guestclock.platforms.openstack.kinds import kind_of_image
from guestclock.platforms.openstack.records import Image
from guestclock.platforms.text import clean
from guestclock.words import duration

_EXPECTED = "a rescue image of the system that the server's os_type is for"
_CURE = (
    "set the time by hand inside the rescue system, or take an image of the server's own system; "
    "do not trust the times of files that it writes"
)


def rescue_mismatch(view: ServerView) -> Iterator[Finding]:
    """A warning where the rescue system takes its RTC for another time than it is given."""
    column = view.server.column
    if isinstance(column, Unknown):
        return
    image = _rescue_image(view)
    kind: Fact[str] = Unknown("which image it is rescued with is not known")
    if image is not None:
        kind = kind_of_image(image.name, image.properties)
    if not isinstance(kind, Unknown):
        if fault_of(column.value, kind.value) is None or _is_right(view, kind.value):
            return
        assert image is not None
        name = clean(image.name) or image.id
        observed = (
            f"rescued with image {name}, which is {label(kind.value)}, on the clock of "
            f"{said(column.value)}{_off(view)}"
        )
    elif column.value == WINDOWS and value_of(view.case.outlook.offset) != 0:
        observed = f"rescued on the clock of os_type=windows: a Linux there is{_off(view)[1:]}"
    else:
        return
    yield Finding(
        "CLK609",
        Severity.WARNING,
        "server",
        _EXPECTED,
        f"{observed}; unrescue starts the definition that was saved at the rescue",
        (
            *evidence_of(view),
            cite("rescue image", kind) if image is None else cite(f"rescue image {image.id}", kind),
            *host_evidence(view.case),
        ),
        _CURE,
    )


def _rescue_image(view: ServerView) -> Image | None:
    told = view.cloud.notified.get(view.server.id)
    if told is None or told.rescue_image is None:
        return None
    return view.cloud.images.get(told.rescue_image)


def _is_right(view: ServerView, system: str) -> bool:
    """Whether the rescue system is right on the server's clock, in the server's zone."""
    case = view.case
    guest = Guest(system, zone=case.facts.guest.zone)
    error = outlook(replace(case.facts, guest=guest), case.at, case.zones).after_cold_start
    seconds = value_of(error)
    return seconds is not None and abs(seconds) < case.tolerance


def _off(view: ServerView) -> str:
    """By how much a system is wrong on a clock that is not for it: by an offset from UTC."""
    offset = value_of(view.case.outlook.offset)
    if offset == 0:
        return ", wrong by its own zone's offset"
    return ", wrong by the host's offset" + (f", {duration(offset)}" if offset else "")
