from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.databases import packaged_database
from guestclock.evidence import Assumed, Fact, Unknown, value_of
from guestclock.guest import NO_BIAS, NO_ZONE, SYSTEMS, Guest, bias_at, system_of
from guestclock.zones import local_at, offset_at

RULES = packaged_database()
READING = datetime(2026, 1, 10, 12)
READINGS = st.datetimes(datetime(1975, 1, 1), datetime(2035, 12, 31))
ZONES = st.sampled_from(sorted(RULES.names()))


def guest(system: str, zone: str | None = None, bias: int | None = None) -> Guest:
    return Guest(
        system,
        Assumed(zone, "test") if zone else NO_ZONE,
        Assumed(bias, "test") if bias is not None else NO_BIAS,
    )


def assumed(one: Guest, reading: datetime = READING) -> Fact[int]:
    return system_of(one).assumed_offset(one, reading, RULES)


@pytest.mark.parametrize("system", ["windows-universal", "linux", "freebsd", "openbsd"])
def test_systems_that_take_the_rtc_for_utc_assume_nothing(system: str) -> None:
    assert value_of(assumed(guest(system, "Asia/Shanghai", -480))) == 0
    assert system_of(guest(system)).keeps_local is False


def test_openbsd_takes_its_fixed_number_of_minutes() -> None:
    assert value_of(assumed(Guest("openbsd", utc_offset_minutes=-300))) == -18000


@given(st.integers(-840, 840), READINGS, ZONES)
def test_windows_takes_its_saved_bias_whatever_the_date(
    bias: int, reading: datetime, zone: str
) -> None:
    assert value_of(assumed(guest("windows", zone, bias), reading)) == -60 * bias


@pytest.mark.parametrize("system", ["linux-local", "freebsd-local"])
def test_a_local_guest_takes_its_zones_offset(system: str) -> None:
    assert value_of(assumed(guest(system, "Asia/Shanghai"))) == 28800


def test_linux_takes_the_wrong_side_in_the_hours_before_a_change() -> None:
    """Berlin's change of 2026-03-29 is at 01:00Z; from 01:00 local time on systemd sees it past."""
    berlin = guest("linux-local", "Europe/Berlin")
    assert value_of(assumed(berlin, datetime(2026, 3, 29, 0, 59, 59))) == 3600
    assert value_of(assumed(berlin, datetime(2026, 3, 29, 1, 0))) == 7200
    new_york = guest("linux-local", "America/New_York")
    assert value_of(assumed(new_york, datetime(2026, 3, 8, 6, 59, 59))) == -18000
    assert value_of(assumed(new_york, datetime(2026, 3, 8, 7, 0))) == -14400


@given(READINGS, ZONES)
def test_freebsd_is_right_wherever_its_local_time_is_unambiguous(
    reading: datetime, name: str
) -> None:
    zone = RULES.get(name)
    assert zone is not None
    instant = reading.replace(microsecond=0, tzinfo=UTC)
    offsets = {offset_at(zone, instant + timedelta(hours=hours)) for hours in (-27, 0, 27)}
    if len(offsets) > 1:
        return
    found = value_of(assumed(guest("freebsd-local", name), local_at(zone, instant)))
    assert found == offset_at(zone, instant)


def test_dos_and_the_unknown_assume_nothing_anyone_could_know() -> None:
    assert isinstance(assumed(guest("dos", "Asia/Shanghai", 0)), Unknown)
    assert isinstance(assumed(guest("unknown", "Asia/Shanghai", 0)), Unknown)


@pytest.mark.parametrize("system", ["linux-local", "freebsd-local", "windows"])
def test_a_missing_zone_or_bias_is_unknown_with_what_would_settle_it(system: str) -> None:
    found = assumed(guest(system))
    assert isinstance(found, Unknown)
    assert found.settle


def test_a_zone_that_no_database_has_is_unknown() -> None:
    found = assumed(guest("linux-local", "Europe/Berlni"))
    assert isinstance(found, Unknown)
    assert "Europe/Berlni" in found.reason


def test_the_bias_of_a_zone_is_utc_minus_local_time() -> None:
    new_york = guest("windows", "America/New_York")
    assert value_of(bias_at(new_york, datetime(2026, 7, 1, tzinfo=UTC), RULES)) == 240


def test_every_system_has_a_label_and_says_how_it_takes_the_rtc() -> None:
    assert set(SYSTEMS) == {
        "windows",
        "windows-universal",
        "linux",
        "linux-local",
        "freebsd",
        "freebsd-local",
        "openbsd",
        "netbsd",
        "dos",
        "unknown",
    }
    assert all(system.label for system in SYSTEMS.values())
    assert [name for name, system in SYSTEMS.items() if system.keeps_local is None] == ["unknown"]
