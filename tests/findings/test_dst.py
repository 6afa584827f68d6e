from __future__ import annotations

from datetime import UTC, datetime

import pytest

from guestclock.clock import Base, Localtime, Utc, Variable, Zone
from tests.findings.build import AT, facts, only, rules_found

SPRING = "2027-03-28T01:00:00Z"
SUMMER = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize("base", [Zone("Europe/Berlin"), Localtime()])
def test_windows_that_was_off_over_the_change_is_an_hour_ahead(base: Base) -> None:
    given = facts(base, zone="Europe/Berlin", host="Europe/Berlin")
    finding = only(given, "CLK401")
    assert rules_found(given) == {"CLK401w"}
    assert finding.observed.endswith(
        f": if it is off over the change of Europe/Berlin at {SPRING}, "
        "its first boot after it is 1 h ahead"
    )
    assert "RealTimeIsUniversal" in finding.cure


def test_in_autumn_it_is_an_hour_behind() -> None:
    given = facts(Zone("Europe/Berlin"), zone="Europe/Berlin")
    observed = only(given, "CLK401", at=SUMMER).observed
    assert "2026-10-25T01:00:00Z, its first boot after it is 1 h behind" in observed


@pytest.mark.parametrize("base", [Variable(3600), Variable(3602)])
def test_a_fixed_adjustment_is_wrong_for_a_machine_that_ran_over_the_change(base: Base) -> None:
    finding = only(facts(base, zone="Europe/Berlin"), "CLK401")
    behind = f": from the change of Europe/Berlin at {SPRING} on, a cold start is"
    assert behind in finding.observed
    assert "timezone='Europe/Berlin'" in finding.cure


def test_utc_is_a_fixed_adjustment_for_a_guest_in_london() -> None:
    assert rules_found(facts(Utc(), zone="Europe/London")) == {"CLK401w"}
    assert rules_found(facts(Utc(), zone="Europe/London"), at=SUMMER) == {"CLK101e"}


def test_zones_that_are_equal_in_winter_part_in_spring() -> None:
    finding = only(facts(Zone("America/Phoenix"), zone="America/Denver"), "CLK401")
    assert "America/Denver at 2027-03-14T09:00:00Z on, a cold start is 1 h behind" in (
        finding.observed
    )


def test_linux_that_follows_its_zone_errs_only_in_the_hours_around_a_change() -> None:
    east = only(facts(Zone("Europe/Berlin"), "linux-local", "Europe/Berlin"), "CLK401")
    assert east.severity.value == "note"
    assert f"in the 1 h before the change of Europe/Berlin at {SPRING}" in east.observed
    assert "timedatectl set-local-rtc 0" in east.cure
    west = only(facts(Zone("America/New_York"), "linux-local", "America/New_York"), "CLK401")
    assert "in the 4 h after the change of America/New_York" in west.observed


def test_linux_on_a_fixed_adjustment_is_wrong_from_the_change_on() -> None:
    finding = only(facts(Variable(-18000), "linux-local", "America/New_York"), "CLK401")
    assert finding.severity.value == "warning"
    assert "from the change of America/New_York at 2027-03-14T07:00:00Z on" in finding.observed


def test_a_utc_guest_on_londons_time_is_right_until_spring() -> None:
    finding = only(facts(Zone("Europe/London"), "linux"), "CLK401")
    assert f"from the change of Europe/London at {SPRING} on, a cold start is 1 h ahead" in (
        finding.observed
    )
    assert finding.cure.startswith("virsh edit: <clock offset='utc'/>")


def test_a_saved_bias_of_the_other_season_is_an_error() -> None:
    given = facts(Zone("Europe/Berlin"), zone="Europe/Berlin", bias=-120)
    assert rules_found(given) == {"CLK401e"}
    assert "the guest will be 1 h behind" in only(given, "CLK401").observed


def test_a_saved_bias_of_another_part_of_the_world_is_no_summer_time() -> None:
    given = facts(Zone("Europe/Berlin"), zone="Europe/Berlin", bias=300)
    assert rules_found(given) == {"CLK104e"}


@pytest.mark.parametrize(("system", "severity"), [("windows", "warning"), ("unknown", "note")])
def test_without_the_guests_zone_the_step_alone_is_known(system: str, severity: str) -> None:
    finding = only(facts(Zone("Europe/Berlin"), system, zone=None), "CLK401")
    assert finding.severity.value == severity
    assert "1 h ahead of where it was" in finding.observed


def test_a_known_bias_is_enough_for_a_machine_that_is_off() -> None:
    finding = only(facts(Zone("Europe/Berlin"), zone=None, bias=-60), "CLK401")
    assert "if it is off over" in finding.observed


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Kolkata", "UTC"])
def test_a_zone_without_summer_time_is_not_exposed(zone: str) -> None:
    assert rules_found(facts(Zone(zone), zone=zone)) == set()


@pytest.mark.parametrize(
    ("system", "base"),
    [("linux", Utc()), ("windows-universal", Utc()), ("dos", Zone("Asia/Tokyo"))],
)
def test_a_guest_that_is_right_for_good_is_not_exposed(system: str, base: Base) -> None:
    zone = "Asia/Tokyo" if system == "dos" else "Europe/Berlin"
    assert rules_found(facts(base, system, zone)) == set()


def test_a_machine_that_is_wrong_already_has_one_fault_not_two() -> None:
    assert rules_found(facts(Zone("Europe/Berlin"), zone="Asia/Shanghai"), at=AT) == {"CLK104e"}


def test_the_cure_of_the_other_season_s_bias_is_no_clock_that_is_as_wrong() -> None:
    given = facts(Localtime(), zone="Europe/Berlin", host="Europe/Berlin", bias=-120)
    assert only(given, "CLK401").cure == (
        "set the time in the guest once after the start, which NTP does; "
        "set RealTimeIsUniversal in the guest with <clock offset='utc'/>"
    )


def test_linux_in_the_wrong_hour_is_taught_utc() -> None:
    hour = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    given = facts(Localtime(), "linux-local", "Europe/Berlin", "Europe/Berlin")
    finding = only(given, "CLK401", at=hour)
    assert finding.severity.value == "error"
    assert finding.cure.endswith(
        "; let the guest keep UTC (timedatectl set-local-rtc 0) with offset='utc'"
    )
    assert "virsh" not in finding.cure
