"""Other systems: their name, and how they take the RTC where that is certain."""

from __future__ import annotations

import pytest

from tests.disks.systems.asking import gap_of, system_of, systems_of

PLIST = b"""<plist><dict>
<key>ProductName</key>\n\t<string>macOS</string>
<key>ProductVersion</key><string>14.5</string></dict></plist>"""


@pytest.mark.parametrize(
    ("config", "rtc", "zone"),
    [
        (b"zone_info=US/Pacific\nzone_lag=28800\n", "local", "US/Pacific"),
        (b"zone_info=UTC\n", "utc", "UTC"),
        (None, "utc", None),
    ],
)
def test_solaris_and_illumos_go_by_rtc_config(
    config: bytes | None, rtc: str, zone: str | None
) -> None:
    files = {"etc/driver_aliases": b"", "etc/release": b"       OmniOS v11 r151050\n"}
    system = system_of({**files, **({"etc/rtc_config": config} if config else {})})
    assert (system.family, system.id, system.rtc, system.zone) == ("other", "illumos", rtc, zone)


def test_macos_and_android_are_named_and_their_rtc_is_not_known() -> None:
    mac = system_of({"System/Library/CoreServices/SystemVersion.plist": PLIST})
    assert (mac.name, mac.version, mac.rtc) == ("macOS 14.5", "14.5", "unknown")
    android = system_of({"system/build.prop": b"ro.build.version.release=14\n"})
    assert (android.name, android.rtc) == ("Android 14", "unknown")
    assert gap_of(android, "rtc")[0] == "not-recorded"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"IO.SYS": b"MZ", "MSDOS.SYS": b"MZ"}, "DOS"),
        ({"KERNEL.SYS": b"MZ"}, "FreeDOS"),
        ({"IO.SYS": b"MZ", "WINDOWS/SYSTEM.DAT": b"CREG"}, "Windows 95, 98 or Me"),
    ],
)
def test_dos_keeps_the_walls_time_and_no_zone(files: dict[str, bytes], name: str) -> None:
    ((_, system),) = systems_of({"COMMAND.COM": b"MZ", **files}, "fat16", folded=True)
    assert (system.family, system.name, system.rtc, system.zone) == ("other", name, "local", None)
    assert gap_of(system, "zone")[0] == "not-recorded"


def test_the_empty_files_of_windows_nt_are_no_dos() -> None:
    assert systems_of({"IO.SYS": b"", "MSDOS.SYS": b"", "COMMAND.COM": b""}, "fat32") == []
