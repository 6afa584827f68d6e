from __future__ import annotations

import calendar
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.clock import Track
from guestclock.rtc import (
    BadRtcArguments,
    RtcArguments,
    date_base,
    parse_arguments,
    start_of_date,
    wrapped_offset,
)


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2020-02-30", "2020-03-01T00:00:00"),
        ("2020-02-29T12:00:00Z", "2020-02-29T12:00:00"),
        ("2020-02-29T12:00", "2020-02-29T00:00:00"),
        ("2020-13-01", "2021-01-01T00:00:00"),
        ("2020-01-01T25:61:61", "2020-01-02T02:02:01"),
        (" 2020-1-2", "2020-01-02T00:00:00"),
    ],
)
def test_dates_are_read_as_qemu_reads_them(text: str, same_as: str) -> None:
    assert date_base(start_of_date(text)) == same_as


@pytest.mark.parametrize("text", ["now", "", "2020-02", "T12:00:00", "1969-12-31T23:59:59"])
def test_dates_that_qemu_refuses_are_refused(text: str) -> None:
    with pytest.raises(BadRtcArguments):
        start_of_date(text)


@given(st.datetimes(min_value=datetime(1, 3, 1), max_value=datetime(9999, 12, 31)))
def test_every_calendar_date_is_the_calendars(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    expected = calendar.timegm(moment.timetuple())
    if expected == -1:
        return
    assert start_of_date(moment.strftime("%Y-%m-%dT%H:%M:%S")) == expected
    assert date_base(expected) == moment.isoformat()


@given(
    st.sampled_from(["utc", "localtime", "2031-05-05T01:02:03"]),
    st.sampled_from(Track),
    st.booleans(),
)
def test_arguments_survive_a_round_trip(base: str, track: Track, slew: bool) -> None:
    arguments = RtcArguments(base, track, slew)
    assert parse_arguments(str(arguments)) == arguments


def test_a_key_given_twice_counts_as_given_last() -> None:
    assert parse_arguments("base=localtime,clock=vm,base=utc") == RtcArguments("utc", Track.VM)


@pytest.mark.parametrize("text", ["base=lokaltime", "clock=tsc", "driftfix=yes", "zone=UTC"])
def test_arguments_that_qemu_refuses_are_refused(text: str) -> None:
    with pytest.raises(BadRtcArguments):
        parse_arguments(text)


def test_a_date_beyond_68_years_wraps_with_the_host_clock_alone() -> None:
    now = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())
    far = start_of_date("2150-01-01")
    assert wrapped_offset(far, now, Track.HOST) == far - now - 2**32
    assert wrapped_offset(far, now, Track.VM) == far - now


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(0, 2**32))
def test_within_68_years_nothing_wraps(difference: int, now: int) -> None:
    assert wrapped_offset(now + difference, now, Track.HOST) == difference
