"""What a system is called elsewhere, and what cannot be said there."""

from __future__ import annotations

from typing import Any

import pytest

from guestclock.disks.found import System
from guestclock.disks.systems.names import names
from guestclock.zones import Zones
from tests.disks.builders.bsd import freebsd_files, openbsd_files
from tests.disks.builders.linux import linux_files
from tests.disks.systems.asking import system_of


def named(system: System) -> Any:
    return names(system)


def windows(**more: Any) -> System:
    return System("windows", "Windows Server 2022", "10.0.20348", "win2k22", **more)


def test_a_windows_in_local_time() -> None:
    found = named(windows(rtc="local", zone="W. Europe Standard Time"))
    assert (found["nova"]["os_type"], found["nova"]["os_distro"]) == ("windows", "windows")
    assert "cannot" not in found["nova"]
    assert found["libosinfo"] == {"id": "win2k22", "url": "http://microsoft.com/win/2k22"}
    assert (found["proxmox"]["ostype"], found["proxmox"]["localtime"]) == ("win11", 1)
    assert found["kubevirt"]["clock"] == {"timezone": "Europe/Berlin"}


def test_a_windows_in_utc_cannot_be_said_to_nova() -> None:
    found = named(windows(rtc="utc", zone="W. Europe Standard Time"))
    assert found["nova"]["os_type"] is None
    assert "cannot" in found["nova"]
    assert (found["proxmox"]["ostype"], found["proxmox"]["localtime"]) == ("win11", 0)
    assert found["kubevirt"] == {"clock": {"utc": {}}}


@pytest.mark.parametrize("zone", [None, "My Own Standard Time"])
def test_a_zone_without_an_iana_name_cannot_be_said_to_kubevirt(zone: str | None) -> None:
    assert set(named(windows(rtc="local", zone=zone))["kubevirt"]) == {"cannot"}


def test_an_unknown_rtc_is_said_nowhere() -> None:
    found = named(windows())
    assert found["nova"]["os_type"] is None
    assert found["proxmox"]["localtime"] is None
    assert all("cannot" in found[one] for one in ("nova", "proxmox", "kubevirt"))


def test_a_linux_in_utc_fits_everywhere() -> None:
    found = named(system_of(linux_files()))
    assert found["nova"] == {"os_type": "linux", "os_distro": "debian"}
    assert found["libosinfo"] == {"id": "debian12", "url": "http://debian.org/debian/12"}
    assert found["proxmox"] == {"ostype": "l26", "localtime": 0}
    assert found["kubevirt"] == {"clock": {"utc": {}}}


def test_a_linux_in_local_time_cannot_be_said_to_nova() -> None:
    found = named(system_of(linux_files(rtc="local")))
    assert "local time" in found["nova"]["cannot"]
    assert found["proxmox"]["localtime"] == 1
    assert found["kubevirt"]["clock"] == {"timezone": "Europe/Berlin"}


def test_the_bsds_have_no_os_type() -> None:
    found = named(system_of(freebsd_files()))
    assert (found["nova"]["os_type"], found["nova"]["os_distro"]) == (None, "freebsd")
    assert found["libosinfo"]["id"] == "freebsd14.1"
    assert found["proxmox"]["ostype"] == "other"


def test_a_fixed_offset_is_said_in_seconds() -> None:
    found = named(system_of(openbsd_files(utc_offset_minutes=-300)))
    assert found["kubevirt"] == {"clock": {"utc": {"offsetSeconds": -18000}}}
    assert "cannot" in found["nova"]


@pytest.mark.parametrize(
    ("id", "version", "short", "url"),
    [
        ("ubuntu", "24.04", "ubuntu24.04", "ubuntu.com/ubuntu/24.04"),
        ("rhel", "9.4", "rhel9.4", "redhat.com/rhel/9.4"),
        ("centos", "7", "centos7.0", "centos.org/centos/7.0"),
        ("almalinux", "9.3", "almalinux9", "almalinux.org/almalinux/9"),
        ("sles", "15.5", "sle15sp5", "suse.com/sle/15.5"),
        ("sles", "12.5", "sles12sp5", "suse.com/sles/12.5"),
        ("opensuse-leap", "15.6", "opensuse15.6", "opensuse.org/opensuse/15.6"),
        (
            "opensuse-tumbleweed",
            "20261101",
            "opensusetumbleweed",
            "opensuse.org/opensuse/tumbleweed",
        ),
        ("alpine", "3.20.3", "alpinelinux3.20", "alpinelinux.org/alpinelinux/3.20"),
        ("arch", None, "archlinux", "archlinux.org/archlinux/rolling"),
        ("debian", None, "debiantesting", "debian.org/debian/testing"),
        ("nixos", "24.05", "nixos-24.05", "nixos.org/nixos/24.05"),
    ],
)
def test_libosinfo_by_distribution(id: str, version: str | None, short: str, url: str) -> None:
    found = named(System("linux", "Linux", version, id, rtc="utc"))
    assert found["libosinfo"] == {"id": short, "url": f"http://{url}"}


def test_centos_stream_is_not_centos() -> None:
    found = named(System("linux", "CentOS Stream 9", "9", "centos", rtc="utc"))
    assert found["libosinfo"]["id"] == "centos-stream9"


@pytest.mark.parametrize(("id", "version"), [("mylinux", "1"), ("ubuntu", None), ("ubuntu", "x")])
def test_what_osinfo_db_has_not_is_said(id: str, version: str | None) -> None:
    found = named(System("linux", "Linux", version, id, rtc="utc"))["libosinfo"]
    assert found["id"] is None
    assert "cannot" in found


@pytest.mark.parametrize(
    ("id", "ostype"), [("winxp", "wxp"), ("win2k8r2", "win7"), ("win2k19", "win10"), ("", "other")]
)
def test_proxmox_by_windows(id: str, ostype: str) -> None:
    assert named(System("windows", "Windows", None, id, rtc="local"))["proxmox"]["ostype"] == ostype


def test_each_windows_zone_has_the_iana_name_of_the_map(zones: Zones) -> None:
    for zone in zones.windows.ids():
        told = named(System("windows", rtc="local", zone=zone))["kubevirt"]
        assert told["clock"] == {"timezone": zones.windows.to_iana(zone).name}
