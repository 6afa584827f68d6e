"""The zone of a Windows, and the rules that its registry has for it."""

from __future__ import annotations

import pytest

from tests.disks.builders.hive import Value, binary, dword, expand, sz
from tests.disks.builders.windows import CONFIG, CURRENT, software_hive, system_hive, tzi
from tests.disks.builders.windows import windows_files as files_of
from tests.disks.systems.asking import codes_of, gap_of, trace_of
from tests.disks.systems.windows_asking import windows_of

BERLIN = "W. Europe Standard Time"
SPRING_2027, AUTUMN_2027 = 1_806_195_600, 1_824_944_400
"""The last Sundays of March and October, 01:00 UTC."""


def test_a_name_ends_at_its_first_nul() -> None:
    data = BERLIN.encode("utf-16-le").ljust(256, b"\0")
    garbage = data[:60] + b"G\0a\0r\0b\0a\0g\0e\0" + data[74:]
    value = Value("TimeZoneKeyName", 1, garbage)
    assert windows_of(files_of(zone=None, clock=[value])).zone == BERLIN


def test_a_name_without_a_nul_is_whole() -> None:
    value = Value("TimeZoneKeyName", 1, BERLIN.encode("utf-16-le"))
    assert windows_of(files_of(zone=None, clock=[value])).zone == BERLIN


@pytest.mark.parametrize(
    "value",
    [
        sz("TimeZoneKeyName", "x" * 128),
        sz("TimeZoneKeyName", "China\x1b[2J"),
        Value("TimeZoneKeyName", 1, b"C\0\x00\xd8X\0"),
    ],
)
def test_what_cannot_be_a_name_is_none(value: Value) -> None:
    system = windows_of(files_of(zone=None, clock=[value]))
    assert system.zone is None
    assert gap_of(system, "zone")[0] == "damaged"


@pytest.mark.parametrize(
    "value", [sz("TimeZoneKeyName", ""), binary("TimeZoneKeyName", b"C\0"), dword("X", 1)]
)
def test_without_a_name_the_zone_is_not_recorded(value: Value) -> None:
    name = sz("StandardName", "Nowhere")
    system = windows_of(files_of(zone=None, clock=[value, name]))
    assert system.zone is None
    reason, detail = gap_of(system, "zone")
    assert reason == "not-recorded"
    assert "'Nowhere'" in detail


@pytest.mark.parametrize(
    "standard", [sz("StandardName", "Mitteleuropäische Zeit"), expand("StandardName", "@t,-3")]
)
def test_an_older_windows_is_asked_for_the_zone_of_its_standard_name(standard: Value) -> None:
    names = [sz("Std", "Mitteleuropäische Zeit"), sz("MUI_Std", "@t,-3")]
    zones = {f"{CURRENT}\\Time Zones\\{BERLIN}": [binary("TZI", tzi(-60, True)), *names]}
    hive = system_hive(zone=None, clock=[standard])
    software = software_hive(more=zones)
    files = {f"{CONFIG}/SYSTEM": hive, f"{CONFIG}/SOFTWARE": software}
    system = windows_of(files)
    assert system.zone == BERLIN
    assert trace_of(system, "zone").key.endswith("\\StandardName")


def test_a_standard_name_of_two_zones_is_ambiguous() -> None:
    zones = {f"{CURRENT}\\Time Zones\\{one}": [sz("Std", "Ours")] for one in ("One", "Two")}
    files = {
        f"{CONFIG}/SYSTEM": system_hive(zone=None, clock=[sz("StandardName", "Ours")]),
        f"{CONFIG}/SOFTWARE": software_hive(more=zones),
    }
    system = windows_of(files)
    assert gap_of(system, "zone") == ("ambiguous", "'Ours' is the standard name of 'One, Two'")


def test_the_zones_rules_are_read_as_the_registry_has_them() -> None:
    system = windows_of(files_of(zone=BERLIN, bias=-60, rule=tzi(-60, summer=True)))
    assert system.rules is not None
    assert {offset for _, offset in system.rules.offsets} == {3600, 7200}
    assert (SPRING_2027, 7200) in system.rules.offsets
    assert (AUTUMN_2027, 3600) in system.rules.offsets
    assert trace_of(system, "zone_rules").key.endswith(f"{BERLIN}\\TZI")


def test_each_year_has_its_own_rule() -> None:
    years = {2026: tzi(-60, summer=True), 2027: tzi(-120)}
    system = windows_of(files_of(zone=BERLIN, rule=tzi(-60, summer=True), years=years))
    assert system.rules is not None
    # Midnight of new year in the time of the year before.
    assert system.rules.offsets[-1] == (1_798_758_000, 7200)


def test_rules_that_are_not_followed_are_left_out() -> None:
    disabled = [dword("DynamicDaylightTimeDisabled", 1)]
    system = windows_of(files_of(zone=BERLIN, rule=tzi(-60, summer=True), clock=disabled))
    assert system.rules is None
    assert "daylight-disabled" in codes_of(system)
    assert system.details["daylight_disabled"] is True


def test_a_zone_without_changes_has_the_same_rules_all_the_same() -> None:
    system = windows_of(files_of(clock=[dword("DynamicDaylightTimeDisabled", 1)]))
    assert system.rules is not None
    assert [offset for _, offset in system.rules.offsets] == [28_800]
    assert codes_of(system) == set()


def test_a_zone_that_the_registry_does_not_have_keeps_its_name() -> None:
    files = {
        f"{CONFIG}/SYSTEM": system_hive(zone="Atlantis Standard Time"),
        f"{CONFIG}/SOFTWARE": software_hive(),
    }
    system = windows_of(files)
    assert (system.zone, system.rules) == ("Atlantis Standard Time", None)
    assert gap_of(system, "zone_rules")[0] == "not-recorded"


def test_rules_that_cannot_be_are_damaged() -> None:
    system = windows_of(files_of(rule=b"\0" * 20))
    assert system.rules is None
    assert gap_of(system, "zone_rules")[0] == "damaged"
