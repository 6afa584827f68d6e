from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.platforms.libvirt.monitor import offset_of, reading_of


def test_qemus_answer_is_a_struct_tm() -> None:
    fields = {"year": 126, "mon": 10, "mday": 23, "hour": 19, "min": 31, "sec": 18}
    answer = {"return": {f"tm_{key}": value for key, value in fields.items()}}
    assert reading_of(answer) == datetime(2026, 11, 23, 19, 31, 18)


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"class": "GenericError", "desc": "Property 'rtc-time' not found"}},
        {},
        {"return": {}},
        {"return": {"tm_year": 126, "tm_mon": 12, "tm_mday": 1}},
        {"return": 5},
    ],
)
def test_what_is_no_date_is_none(answer: dict[str, object]) -> None:
    assert reading_of(answer) is None


@given(
    st.integers(-(2**31), 2**31 - 1),
    st.floats(0, 4e9),
    st.floats(0, 0.5),
    st.floats(0, 1),
)
def test_an_offset_of_whole_seconds_is_found_through_a_round_trip(
    offset: int, before: float, trip: float, moment: float
) -> None:
    # The RTC is read somewhere within the trip and shows whole seconds only.
    shown = floor(before + trip * moment + offset)
    reading = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=shown)
    found = offset_of(reading.replace(tzinfo=None), before, before + trip)
    assert abs(found - offset) <= 1


def test_the_middle_of_the_trip_counts() -> None:
    reading = datetime(1970, 1, 1, 0, 1, 40)
    assert offset_of(reading, 99.9, 100.3) == 0
    assert offset_of(reading, 100.5, 101.1) == 0
    assert offset_of(reading, 101.5, 102.1) == -1
