from __future__ import annotations

import itertools
import struct
from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.databases import packaged_database
from guestclock.zones import (
    Ambiguous,
    Skipped,
    Unambiguous,
    UnknownZone,
    Zones,
    local_at,
    next_transition,
    offset_at,
    posix_zone,
    process_zone,
    resolve_local,
)

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
INSTANTS = st.datetimes(datetime(1975, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("CST-8", 28800),
        ("Asia/Kolkata", 19800),
        (":Asia/Tokyo", 32400),
        ("/usr/share/zoneinfo/Asia/Tokyo", 32400),
        ("GMT+8", -28800),
        ("<+0330>-3:30", 12600),
        ("EST5EDT,M3.2.0,M11.1.0", -18000),
    ],
)
def test_a_process_sees_the_zone_that_glibc_makes_of_tz(name: str, seconds: int) -> None:
    found = process_zone(name, packaged_database())
    assert offset_at(found.zone, datetime(2026, 1, 10, tzinfo=UTC)) == seconds
    assert found.silently is None


@pytest.mark.parametrize("name", ["Bogus/Zone", "Europe/Berlni", "Europe", "X", "../etc", "ABC"])
def test_a_name_that_is_no_zone_is_utc_and_says_so(name: str) -> None:
    found = process_zone(name, packaged_database())
    assert offset_at(found.zone, datetime(2026, 7, 1, tzinfo=UTC)) == 0
    assert found.silently is not None
    assert name in found.silently


def test_an_empty_tz_is_utc_on_purpose() -> None:
    assert process_zone("", packaged_database()).silently is None


def test_a_posix_rule_without_dates_has_those_of_the_united_states() -> None:
    zone = posix_zone("EST5EDT")
    assert zone is not None
    change = next_transition(
        zone, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    )
    assert change is not None
    assert change.at == datetime(2026, 3, 8, 7, tzinfo=UTC)


@given(INSTANTS, st.sampled_from(sorted(packaged_database().names())))
def test_every_instant_is_among_those_of_its_local_time(instant: datetime, name: str) -> None:
    zone = packaged_database().get(name)
    assert zone is not None
    instant = instant.replace(microsecond=0)
    match resolve_local(zone, local_at(zone, instant)):
        case Unambiguous(utc):
            assert utc == instant
        case Ambiguous(earlier, later):
            assert instant in (earlier, later)
            assert earlier < later
        case Skipped():
            pytest.fail("a local time that was just shown cannot be skipped")


def test_local_times_around_a_change_are_values_of_their_own() -> None:
    assert resolve_local(BERLIN, datetime(2026, 3, 29, 2, 30)) == Skipped(
        datetime(2026, 3, 29, 1, tzinfo=UTC)
    )
    assert resolve_local(BERLIN, datetime(2026, 10, 25, 2, 30)) == Ambiguous(
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    )
    assert isinstance(resolve_local(LORD_HOWE, datetime(2026, 10, 4, 2, 15)), Skipped)
    assert isinstance(resolve_local(LORD_HOWE, datetime(2026, 4, 5, 1, 45)), Ambiguous)


def test_a_day_that_a_zone_left_out_is_skipped() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert isinstance(resolve_local(apia, datetime(2011, 12, 30, 12)), Skipped)


def changes_in_file(name: str) -> list[datetime]:
    """The changes of offset from 1974 to 2037 that a zone's file lists, read here anew."""
    data = resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    counts = struct.unpack(">6l", data[20:44])
    isutc, isstd, leap, times, types, chars = counts
    start = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isutc
    isutc, isstd, leap, times, types, chars = struct.unpack(">6l", data[start + 20 : start + 44])
    at = start + 44
    instants = struct.unpack(f">{times}q", data[at : at + 8 * times])
    kinds = data[at + 8 * times : at + 9 * times]
    offsets = [
        struct.unpack(">l", data[at + 9 * times + 6 * kind :][:4])[0] for kind in range(types)
    ]
    found, before = [], offsets[0]
    for instant, kind in zip(instants, kinds, strict=True):
        if offsets[kind] != before and 126230400 < instant < 2114380800:
            found.append(datetime.fromtimestamp(instant, UTC))
        before = offsets[kind]
    return found


def test_no_zone_changes_twice_within_a_day() -> None:
    """What lets transitions be looked for day by day."""
    for name in packaged_database().names():
        found = changes_in_file(name)
        assert all(b - a > timedelta(days=1) for a, b in itertools.pairwise(found)), name


@pytest.mark.parametrize(
    "name",
    ["Africa/Casablanca", "Asia/Gaza", "America/Argentina/San_Luis", "Africa/Cairo", "Asia/Tehran"],
)
def test_transitions_are_those_of_the_zones_own_file(name: str) -> None:
    zone = packaged_database().get(name)
    assert zone is not None
    after, end, found = datetime(1974, 1, 1, tzinfo=UTC), datetime(2036, 12, 31, tzinfo=UTC), []
    while change := next_transition(zone, after, end):
        found.append(change.at)
        after = change.at
    # Slim files end where their rule begins: what they list comes first.
    listed = [at for at in changes_in_file(name) if at < end]
    assert found[: len(listed)] == listed


@pytest.mark.parametrize(
    ("windows", "iana"),
    [
        ("China Standard Time", "Asia/Shanghai"),
        ("w. europe standard time", "Europe/Berlin"),
        ("Alberta Standard Time", "America/Edmonton"),
        ("British Columbia Standard Time", "America/Vancouver"),
        ("Manitoba Standard Time", "America/Winnipeg"),
    ],
)
def test_windows_zones_map_to_iana_with_their_source(zones: Zones, windows: str, iana: str) -> None:
    mapped = zones.windows.to_iana(windows)
    assert mapped.name == iana
    assert mapped.source


def test_iana_zones_map_to_windows_through_territories_and_aliases(zones: Zones) -> None:
    assert zones.windows.to_windows("Europe/Paris").name == "Romance Standard Time"
    assert zones.windows.to_windows("Asia/Kolkata").name == "India Standard Time"
    assert zones.windows.to_windows("Asia/Calcutta").name == "India Standard Time"


def test_an_unknown_zone_proposes_near_names(zones: Zones) -> None:
    with pytest.raises(UnknownZone, match="Europe/Berlin"):
        zones.iana("Europe/Berlni")
    with pytest.raises(UnknownZone, match="China Standard Time"):
        zones.windows.to_iana("Chin Standard Time")
