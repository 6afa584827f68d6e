"""FreeBSD and its kin."""

from __future__ import annotations

import pytest

from tests.disks.builders.bsd import freebsd_files
from tests.disks.builders.linux import ZONES, zone_bytes
from tests.disks.builders.tree import Link
from tests.disks.systems.asking import gap_of, system_of, trace_of


@pytest.mark.parametrize("rtc", ["utc", "local"])
@pytest.mark.parametrize("how", ["copy", "symlink"])
def test_the_file_wall_cmos_clock_means_local_time(rtc: str, how: str) -> None:
    system = system_of(freebsd_files(rtc=rtc, how=how))
    assert (system.family, system.rtc, system.zone) == ("freebsd", rtc, "Europe/Berlin")
    assert system.version == "14.1-RELEASE-p5"
    assert trace_of(system, "rtc").path == "/etc/wall_cmos_clock"
    assert system.rules is not None


def test_a_link_to_nothing_is_no_wall_cmos_clock() -> None:
    # adjkerntz asks access(2), which follows links.
    files = freebsd_files(more={"etc/wall_cmos_clock": Link("/nowhere")})
    assert system_of(files).rtc == "utc"


def test_the_remembered_name_counts_only_where_it_agrees() -> None:
    berlin = zone_bytes("Europe/Berlin")
    both = {f"{ZONES}/Europe/Oslo": berlin, "var/db/zoneinfo": b"Europe/Oslo\n"}
    assert system_of(freebsd_files(more=both)).zone == "Europe/Oslo"
    stale = {"var/db/zoneinfo": b"Asia/Tokyo\n", f"{ZONES}/Asia/Tokyo": zone_bytes("Asia/Tokyo")}
    assert system_of(freebsd_files(more=stale)).zone == "Europe/Berlin"


def test_no_localtime_is_utc() -> None:
    assert system_of(freebsd_files(zone=None)).zone == "UTC"


def test_a_script_that_does_not_say_its_version() -> None:
    system = system_of(freebsd_files(more={"bin/freebsd-version": b"#!/bin/sh\nexit 1\n"}))
    assert gap_of(system, "version")[0] == "not-recorded"
    assert system.rtc == "utc"


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"usr/local/opnsense/version/core": b""}, "OPNsense on FreeBSD 14.1-RELEASE-p5"),
        ({"etc/platform": b"pfSense\n"}, "pfSense on FreeBSD 14.1-RELEASE-p5"),
        ({"etc/os-release": b"NAME=GhostBSD\nID=ghostbsd\n"}, "GhostBSD 14.1-RELEASE-p5"),
        ({}, "FreeBSD 14.1-RELEASE-p5"),
    ],
)
def test_its_kin_has_a_name_of_its_own(more: dict[str, bytes], name: str) -> None:
    assert system_of(freebsd_files(more=more)).name == name


def test_what_keeps_its_time() -> None:
    rc = b'ntpd_enable="YES"\nntpd_sync_on_start=YES\n'
    details = system_of(freebsd_files(more={"etc/rc.conf": rc})).details
    assert (details["time_services_enabled"], details["steps_at_boot"]) == (["ntpd"], True)
