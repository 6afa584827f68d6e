"""NetBSD: rtclocaltime, or minutes west of UTC in sysctl.conf."""

from __future__ import annotations

import pytest

from tests.disks.builders.bsd import netbsd_files
from tests.disks.systems.asking import gap_of, system_of, trace_of


def test_it_takes_utc_unless_told_otherwise() -> None:
    system = system_of(netbsd_files())
    assert (system.family, system.version, system.zone) == ("netbsd", "10.0", "Europe/Berlin")
    assert (system.rtc, system.utc_offset_minutes) == ("utc", None)
    assert trace_of(system, "rtc").path == "/etc/defaults/rc.conf"


def test_rtclocaltime_means_local_time() -> None:
    system = system_of(netbsd_files(rtc="local"))
    assert system.rtc == "local"
    assert trace_of(system, "rtc").path == "/etc/rc.conf"


@pytest.mark.parametrize(("west", "rtc", "east"), [(300, "local", -300), (0, "utc", 0)])
def test_the_offset_is_in_minutes_west(west: int, rtc: str, east: int) -> None:
    system = system_of(netbsd_files(rtc_offset=west))
    assert (system.rtc, system.utc_offset_minutes) == (rtc, east)


@pytest.mark.parametrize(
    "more", [{"etc/rc.conf": b"rtclocaltime=maybe\n"}, {"etc/sysctl.conf": b"kern.rtc_offset=x\n"}]
)
def test_what_says_neither_is_unclear(more: dict[str, bytes]) -> None:
    assert gap_of(system_of(netbsd_files(more=more)), "rtc")[0] == "ambiguous"
