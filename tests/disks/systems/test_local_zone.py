"""The zone of a Unix system: a link, a copy, a file that remembers it."""

from __future__ import annotations

import pytest

from tests.disks.builders.linux import ZONES, linux_files, zone_bytes
from tests.disks.builders.tree import Files, Link
from tests.disks.systems.asking import AT, codes_of, gap_of, system_of, trace_of

TABLE = b"""# comment
DE,DK,NO,SE,SJ\t+5230+01322\tEurope/Berlin\tmost of it
FR,MC\t+4852+00220\tEurope/Paris
"""


def without_zone(more: Files | None = None) -> Files:
    return linux_files(zone=None, more=more)


@pytest.mark.parametrize(
    ("target", "zone"),
    [
        ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("../usr/share/zoneinfo/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/usr/share/zoneinfo/posix/Asia/Tokyo", "Asia/Tokyo"),
        ("/usr/share/zoneinfo/right/Asia/Tokyo", "Asia/Tokyo"),
        ("/usr/share/zoneinfo/uclibc/Asia/Tokyo", "Asia/Tokyo"),
        ("/etc/zoneinfo/Etc/GMT+5", "Etc/GMT+5"),
        ("/usr/share/zoneinfo/UTC", "UTC"),
        ("/run/x/zoneinfo-leaps/Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_the_text_of_the_link_names_the_zone_even_where_it_leads_nowhere(
    target: str, zone: str
) -> None:
    system = system_of(without_zone({"etc/localtime": Link(target)}))
    assert system.zone == zone
    trace = trace_of(system, "zone")
    assert (trace.path, trace.key, trace.raw) == ("/etc/localtime", "link", target)
    if zone != "UTC":
        assert gap_of(system, "zone_rules")[0] == "not-recorded"


def test_a_link_to_a_link_is_followed_to_the_one_that_names_a_zone() -> None:
    files = without_zone(
        {
            "etc/localtime": Link("static/localtime"),
            "etc/static": Link("/nix/store/abc-etc"),
            "nix/store/abc-etc/localtime": Link("/etc/zoneinfo/Asia/Kolkata"),
            "etc/zoneinfo/Asia/Kolkata": zone_bytes("Asia/Kolkata"),
        }
    )
    system = system_of(files)
    assert system.zone == "Asia/Kolkata"
    assert system.rules is not None
    assert system.rules.offsets == ((system.rules.offsets[0][0], 19800),)


def test_the_databases_own_link_back_is_no_zone() -> None:
    back: Files = {"etc/localtime": Link("/usr/share/zoneinfo/localtime")}
    files = without_zone({**back, f"{ZONES}/localtime": Link("/etc/localtime")})
    assert gap_of(system_of(files), "zone")[0] == "damaged"


@pytest.mark.parametrize("target", ["localtime", "/etc/./localtime", "../etc/localtime"])
def test_a_loop_is_damaged(target: str) -> None:
    system = system_of(without_zone({"etc/localtime": Link(target)}))
    assert system.zone is None
    assert gap_of(system, "zone")[0] == "damaged"


@pytest.mark.parametrize("target", ["/usr/share/zoneinfo/../../x", "/tmp/localtime", "x" * 300])
def test_a_link_that_names_no_zone_and_leads_nowhere_tells_nothing(target: str) -> None:
    reason, detail = gap_of(system_of(without_zone({"etc/localtime": Link(target)})), "zone")
    assert reason == "not-recorded"
    assert len(detail) < 250


def test_a_copied_file_is_the_zone_that_another_file_names_if_it_agrees() -> None:
    named = {"etc/timezone": b"Europe/Stockholm\n"}
    berlin = zone_bytes("Europe/Berlin")
    more: Files = {f"{ZONES}/Europe/Stockholm": berlin, f"{ZONES}/Europe/Berlin": berlin}
    system = system_of(linux_files(how="copy", more={**named, **more}))
    assert system.zone == "Europe/Stockholm"
    stale = {"etc/timezone": b"Asia/Tokyo\n", f"{ZONES}/Asia/Tokyo": zone_bytes("Asia/Tokyo")}
    system = system_of(linux_files(how="copy", more=stale))
    assert system.zone == "Europe/Berlin"
    assert codes_of(system) == {"zone-names-differ"}


def test_a_copied_file_is_found_among_the_zones_of_the_disk() -> None:
    more: Files = {f"{ZONES}/Asia/Tokyo": zone_bytes("Asia/Tokyo"), f"{ZONES}/posix/x": b""}
    system = system_of(linux_files(how="copy", more=more))
    assert system.zone == "Europe/Berlin"
    assert trace_of(system, "zone").key == "content"


def test_of_zones_that_are_alike_the_one_in_the_table_is_taken() -> None:
    berlin = zone_bytes("Europe/Berlin")
    more: Files = {f"{ZONES}/Arctic/Longyearbyen": berlin, f"{ZONES}/zone1970.tab": TABLE}
    system = system_of(linux_files(how="copy", more=more))
    assert system.zone == "Europe/Berlin"
    assert system.details["zones_alike"] == ["Arctic/Longyearbyen", "Europe/Berlin"]


def test_zones_that_are_alike_without_a_table_are_ambiguous() -> None:
    more: Files = {f"{ZONES}/Europe/Copenhagen": zone_bytes("Europe/Berlin")}
    system = system_of(linux_files(how="copy", more=more))
    assert system.zone is None
    reason, detail = gap_of(system, "zone")
    assert reason == "ambiguous"
    assert "Europe/Copenhagen" in detail
    # The rules do not hang on the name.
    assert system.rules is not None


def test_utc_is_utc_by_all_its_names() -> None:
    data = zone_bytes("UTC")
    more: Files = {f"{ZONES}/{name}": data for name in ("UTC", "Etc/UTC", "Zulu", "Etc/Universal")}
    assert system_of(without_zone({**more, **{"etc/localtime": data}})).zone == "UTC"


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Kolkata", "America/New_York"])
def test_a_copy_without_a_database_on_the_disk_is_found_in_the_packaged_one(name: str) -> None:
    system = system_of(without_zone({"etc/localtime": zone_bytes(name)}))
    assert system.zone == name
    assert "tzdata" in trace_of(system, "zone").raw


def test_a_copy_without_a_database_goes_by_the_name_that_fits_it() -> None:
    more: Files = {"etc/localtime": zone_bytes("Europe/Berlin"), "etc/timezone": b"Europe/Oslo\n"}
    assert system_of(without_zone(more)).zone == "Europe/Oslo"


def test_no_localtime_is_utc() -> None:
    system = system_of(without_zone())
    assert (system.zone, system.rules) == ("UTC", None)
    assert trace_of(system, "zone").raw == "there is no such file"
    told = system_of(without_zone({"etc/timezone": b"Asia/Tokyo\n"}))
    assert told.zone == "UTC"
    assert codes_of(told) == {"zone-names-differ"}


@pytest.mark.parametrize("data", [b"", b"hello", b"TZif2" + bytes(8), b"TZif" * 100])
def test_a_file_that_is_no_zone_is_damaged(data: bytes) -> None:
    system = system_of(without_zone({"etc/localtime": data}))
    assert system.zone is None
    assert gap_of(system, "zone")[0] == "damaged"


def test_openwrt_names_its_zone_in_its_own_settings() -> None:
    settings = b"config system\n\toption zonename 'America/New York'\n\toption timezone 'EST5EDT'\n"
    more: Files = {"etc/localtime": Link("/tmp/localtime"), "etc/config/system": settings}
    assert system_of(without_zone(more)).zone == "America/New_York"


def test_a_rule_without_a_name_is_a_rule() -> None:
    more: Files = {
        "etc/localtime": Link("/tmp/localtime"),
        "etc/TZ": b"CET-1CEST,M3.5.0,M10.5.0/3\n",
    }
    system = system_of(without_zone(more))
    assert system.zone is None
    assert system.rules is not None
    assert [offset for _, offset in system.rules.offsets][:3] == [7200, 3600, 7200]


def test_void_makes_its_localtime_at_boot() -> None:
    rc = {"etc/rc.conf": b'TIMEZONE="Asia/Tokyo"\n', "etc/runit/1": b"#!/bin/sh\n"}
    assert system_of(linux_files(distribution="void", zone=None, more=rc)).zone == "Asia/Tokyo"


def test_the_rules_are_those_on_the_disk_around_the_moment() -> None:
    system = system_of(linux_files())
    assert system.rules is not None
    assert system.rules.offsets[0][0] < AT.seconds < system.rules.until
    assert (1_792_890_000, 3600) in system.rules.offsets
    assert trace_of(system, "zone_rules").path == "/etc/localtime"
