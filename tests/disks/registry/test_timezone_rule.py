"""Rules of zones, against what tzdata says of the same places."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.problem import Damaged, DiskProblem
from guestclock.disks.registry.timezone_rule import (
    YearRule,
    offsets,
    saved_rule,
    tzi_rule,
    zone_rules,
)
from tests.disks.builders.hive import Key, Value, binary, dword, make_hive
from tests.disks.registry.reading import opened

NEVER = (0,) * 8
HOUR = 3600


def tzi(
    bias: int,
    standard: tuple[int, ...] = NEVER,
    daylight: tuple[int, ...] = NEVER,
    standard_bias: int = 0,
    daylight_bias: int = -60,
) -> bytes:
    """A TZI; dates are year, month, day of the week, day, hour, minute, second, millisecond."""
    return struct.pack("<iii8H8H", bias, standard_bias, daylight_bias, *standard, *daylight)


BERLIN = tzi(-60, (0, 10, 0, 5, 3, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0))
NEW_YORK = tzi(300, (0, 11, 0, 1, 2, 0, 0, 0), (0, 3, 0, 2, 2, 0, 0, 0))
NEW_YORK_BEFORE_2007 = tzi(300, (0, 10, 0, 5, 2, 0, 0, 0), (0, 4, 0, 1, 2, 0, 0, 0))
SYDNEY = tzi(-600, (0, 4, 0, 1, 3, 0, 0, 0), (0, 10, 0, 1, 2, 0, 0, 0))
LORD_HOWE = tzi(-630, (0, 4, 0, 1, 2, 0, 0, 0), (0, 10, 0, 1, 2, 0, 0, 0), daylight_bias=-30)
KOLKATA = tzi(-330)
# How Windows tells that a zone moved for good: with a summer that begins at new year.
VOLGOGRAD = {
    2017: tzi(-180),
    2018: tzi(-240, (0, 10, 0, 5, 2, 0, 0, 0), (0, 1, 1, 1, 0, 0, 0, 0), daylight_bias=60),
    2019: tzi(-240),
    2020: tzi(-180, (0, 12, 0, 5, 2, 0, 0, 0), (0, 1, 3, 1, 0, 0, 0, 0)),
    2021: tzi(-180),
}


def instant(year: int, month: int = 1, day: int = 1, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def in_tzdata(name: str, begin: int, until: int) -> tuple[tuple[int, int], ...]:
    """The same pairs from tzdata, by looking every half hour."""
    zone = ZoneInfo(name)
    found: list[tuple[int, int]] = []
    for at in range(begin, until, HOUR // 2):
        delta = datetime.fromtimestamp(at, zone).utcoffset()
        assert delta is not None
        offset = int(delta.total_seconds())
        if not found or found[-1][1] != offset:
            found.append((at, offset))
    return tuple(found)


def zone_key(name: str, usual: bytes, years: dict[int, bytes] | None = None) -> Key:
    values = [binary("TZI", usual)]
    if not years:
        return Key(name, values)
    entries: list[Value] = [dword("FirstEntry", min(years)), dword("LastEntry", max(years))]
    entries += [binary(str(year), one) for year, one in years.items()]
    return Key(name, values, [Key("Dynamic DST", entries)])


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (BERLIN, "Europe/Berlin"),
        (NEW_YORK, "America/New_York"),
        (SYDNEY, "Australia/Sydney"),
        (LORD_HOWE, "Australia/Lord_Howe"),
        (KOLKATA, "Asia/Kolkata"),
    ],
)
@pytest.mark.parametrize("begin", [instant(2019), instant(2020, 7, 1), instant(2021, 12, 31, 23)])
def test_one_rule_for_all_years_is_what_tzdata_has(data: bytes, name: str, begin: int) -> None:
    rule, until = tzi_rule(data), instant(2024, 6, 1)
    assert offsets(lambda year: rule, begin, until) == in_tzdata(name, begin, until)


def test_years_have_their_own_rules() -> None:
    years = {2006: NEW_YORK_BEFORE_2007, 2007: NEW_YORK}
    rules = zone_rules(opened(make_hive(zone_key("Eastern", NEW_YORK, years))).root)
    begin, until = instant(2004), instant(2011)
    assert offsets(rules, begin, until) == in_tzdata("America/New_York", begin, until)


def test_a_zone_that_moved_for_good_moves_once() -> None:
    rules = zone_rules(opened(make_hive(zone_key("Volgograd", VOLGOGRAD[2021], VOLGOGRAD))).root)
    begin, until = instant(2016), instant(2023)
    assert offsets(rules, begin, until) == in_tzdata("Europe/Volgograd", begin, until)


def test_a_year_may_end_in_summer_time_and_the_next_begin_in_another_zone() -> None:
    # Samoa-like: until the last millisecond of 2011 in summer, from then on a day ahead.
    rules = {
        2011: tzi_rule(tzi(660, (0, 12, 6, 5, 23, 59, 59, 999), (0, 9, 6, 4, 3, 0, 0, 0))),
        2012: tzi_rule(tzi(-780)),
    }
    found = offsets(rules.__getitem__, instant(2011, 3, 1), instant(2012, 6, 1))
    assert found == (
        (instant(2011, 3, 1), -11 * HOUR),
        (instant(2011, 9, 24, 14), -10 * HOUR),
        (instant(2012, 1, 1, 10), 13 * HOUR),
    )


def test_the_end_of_a_day_is_the_next_midnight() -> None:
    rule = tzi_rule(tzi(-120, (0, 10, 6, 5, 23, 59, 59, 999), (0, 3, 4, 5, 23, 59, 59, 999)))
    found = offsets(lambda year: rule, instant(2019), instant(2020))
    assert found == (
        (instant(2019), 2 * HOUR),
        (instant(2019, 3, 28, 22), 3 * HOUR),
        (instant(2019, 10, 26, 21), 2 * HOUR),
    )


def test_a_date_with_a_year_happens_once() -> None:
    rule = tzi_rule(tzi(-60, (2014, 10, 0, 26, 3, 0, 0, 0), (2014, 3, 0, 30, 2, 0, 0, 0)))
    assert offsets(lambda year: rule, instant(2010), instant(2020)) == (
        (instant(2010), HOUR),
        (instant(2014, 3, 30, 1), 2 * HOUR),
        (instant(2014, 10, 26, 1), HOUR),
    )


def test_dates_with_years_may_span_several() -> None:
    rule = tzi_rule(tzi(-60, (2016, 10, 0, 30, 3, 0, 0, 0), (2014, 3, 0, 30, 2, 0, 0, 0)))
    for begin in (instant(2013), instant(2015, 6, 1)):
        found = offsets(lambda year: rule, begin, instant(2018))
        assert found[-2:] == (
            (max(begin, instant(2014, 3, 30, 1)), 2 * HOUR),
            (instant(2016, 10, 30, 1), HOUR),
        )


def test_without_summer_time_there_is_none() -> None:
    rule = tzi_rule(BERLIN).without_daylight()
    assert offsets(lambda year: rule, instant(2020), instant(2022)) == ((instant(2020), HOUR),)
    half = tzi_rule(tzi(-60, NEVER, (0, 3, 0, 5, 2, 0, 0, 0)))
    assert offsets(lambda year: half, instant(2020), instant(2022)) == ((instant(2020), HOUR),)


def test_two_changes_at_once_are_none() -> None:
    same = (0, 3, 0, 5, 2, 0, 0, 0)
    rule = tzi_rule(tzi(-60, same, same))
    assert offsets(lambda year: rule, instant(2020), instant(2022)) == ((instant(2020), HOUR),)


def test_the_saved_rule_has_the_day_of_the_week_last() -> None:
    values = (
        dword("Bias", -60),
        dword("StandardBias", 0),
        dword("DaylightBias", -60),
        binary("StandardStart", bytes.fromhex("00000a00050003000000000000000000")),
        binary("DaylightStart", bytes.fromhex("00000300050002000000000000000000")),
    )
    assert saved_rule(opened(make_hive(Key("R", values))).root) == tzi_rule(BERLIN)
    for missing in range(5):
        some = values[:missing] + values[missing + 1 :]
        assert saved_rule(opened(make_hive(Key("R", some))).root) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        BERLIN[:43],
        tzi(1440),
        tzi(-1400, daylight_bias=-60),
        tzi(2**31 - 1, standard_bias=2**31 - 1),
        tzi(0, (0, 13, 0, 1, 0, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (0, 10, 7, 1, 0, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (0, 10, 0, 6, 0, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (0, 10, 0, 0, 0, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (0, 10, 0, 1, 24, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (0, 10, 0, 1, 3, 60, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (0, 10, 0, 1, 3, 0, 60, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (0, 10, 0, 1, 3, 0, 0, 1000), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (2019, 2, 0, 29, 3, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
        tzi(0, (60000, 2, 0, 1, 3, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)),
    ],
)
def test_what_no_zone_can_have_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        tzi_rule(data)


def test_zones_that_contradict_themselves_are_damage() -> None:
    with pytest.raises(Damaged, match="no TZI"):
        zone_rules(opened(make_hive(Key("Nowhere"))).root)
    backwards = Key("Dynamic DST", [dword("FirstEntry", 2010), dword("LastEntry", 2009)])
    with pytest.raises(Damaged, match="from 2010 to 2009"):
        zone_rules(opened(make_hive(Key("Z", [binary("TZI", BERLIN)], [backwards]))).root)
    empty = Key("Z", [binary("TZI", BERLIN)], [Key("Dynamic DST")])
    with pytest.raises(Damaged, match="FirstEntry"):
        zone_rules(opened(make_hive(empty)).root)
    gap = zone_key("Z", BERLIN, {2006: BERLIN, 2008: BERLIN})
    with pytest.raises(Damaged, match="2007"):
        offsets(zone_rules(opened(make_hive(gap)).root), instant(2005), instant(2010))


_DATES = st.tuples(
    st.sampled_from([0, 0, 0, 1999, 2020, 2021, 9999]),
    st.integers(0, 12),
    st.integers(0, 6),
    st.integers(1, 5) | st.just(28),
    st.integers(0, 23),
    st.sampled_from([0, 30, 59]),
    st.sampled_from([0, 59]),
    st.sampled_from([0, 999]),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.builds(
            tzi,
            st.integers(-900, 900),
            _DATES,
            _DATES,
            st.integers(-120, 120),
            st.integers(-120, 120),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 2**31) | st.integers(-(2**36), 2**38),
)
def test_any_rule_gives_rising_instants_and_offsets_of_its_own(
    data: list[bytes], begin: int
) -> None:
    rules: list[YearRule] = []
    for one in data:
        try:
            rules.append(tzi_rule(one))
        except DiskProblem:
            return
    until = begin + 4 * 366 * 86_400
    found = offsets(lambda year: rules[year % len(rules)], begin, until)
    assert found[0][0] == begin
    assert [at for at, _ in found] == sorted({at for at, _ in found})
    assert all(at < until for at, _ in found)
    assert {offset for _, offset in found} <= {
        rule.offset(summer) for rule in rules for summer in (False, True)
    }
