"""A system on a disk as the law knows it."""

from __future__ import annotations

import pytest

from guestclock.disks.found import FoundSystem, Inspection, Place, System
from guestclock.disks.guest import guest_of
from guestclock.disks.problem import Reason
from guestclock.disks.record import record
from guestclock.evidence import Observed, Unknown
from guestclock.guest import Guest
from guestclock.zones import Zones


def _guest(system: System, zones: Zones) -> Guest:
    found = Inspection("image", "raw", (FoundSystem(Place("the whole disk", "fat16"), system),))
    (one,) = record(found)["systems"]
    return guest_of(one, "image", zones)


@pytest.mark.parametrize(
    ("family", "id", "rtc", "kind"),
    [
        ("windows", "win2k22", "local", "windows"),
        ("windows", "win2k22", "utc", "windows-universal"),
        ("linux", "debian", "local", "linux-local"),
        ("freebsd", "freebsd", "local", "freebsd-local"),
        ("netbsd", "netbsd", "utc", "netbsd"),
        ("other", "freedos", "local", "dos"),
    ],
)
def test_its_family_and_its_rtc_say_which_kind_it_is(
    family: str, id: str, rtc: str, kind: str, zones: Zones
) -> None:
    guest = _guest(System(family, id=id, rtc=rtc), zones)
    assert guest.system == kind
    assert isinstance(guest.kind, Observed)


@pytest.mark.parametrize(
    ("family", "id", "rtc"),
    [("other", "illumos", "local"), ("netbsd", "netbsd", "local"), ("other", "macos", "unknown")],
)
def test_what_the_law_does_not_know_stays_unknown(
    family: str, id: str, rtc: str, zones: Zones
) -> None:
    system = System(family, id=id, rtc=rtc)
    if rtc == "unknown":
        system.lacks("rtc", Reason.NOT_RECORDED, "it is not written there")
    guest = _guest(system, zones)
    assert guest.system == "unknown"
    assert isinstance(guest.kind, Unknown)
    assert guest.kind.reason
