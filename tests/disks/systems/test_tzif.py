"""Zone files against Python's own reader, and against bytes that are none."""

from __future__ import annotations

import io
import struct
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.problem import Damaged, DiskProblem, UnreadFormat
from guestclock.disks.systems.posix_tz import days_before, posix_rule, year_of
from guestclock.disks.systems.tzif import ZoneFile, zone_file
from tests.disks.builders.linux import zone_bytes

NAMES = files("tzdata").joinpath("zones").read_text("ascii").split()
# zoneinfo takes another type for what lies before the first change, which no moment asks for.
INSTANTS = st.integers(0, 7_258_118_400)


@cache
def both(name: str) -> tuple[ZoneFile, ZoneInfo]:
    data = zone_bytes(name)
    return zone_file(data), ZoneInfo.from_file(io.BytesIO(data), name)


def offset_by_python(zone: ZoneInfo, seconds: int) -> int:
    offset = datetime.fromtimestamp(seconds, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@pytest.mark.parametrize("name", NAMES)
def test_every_zone_is_read_as_python_reads_it(name: str) -> None:
    ours, theirs = both(name)
    for seconds in range(0, 4_102_444_800, 40_003_201):
        assert ours.offset_at(seconds) == offset_by_python(theirs, seconds), seconds
    for at in ours.times:
        for seconds in (at - 1, at):
            if seconds >= 0:
                assert ours.offset_at(seconds) == offset_by_python(theirs, seconds), seconds


@settings(max_examples=400)
@given(st.sampled_from(NAMES), INSTANTS)
def test_the_offset_at_an_instant_is_pythons(name: str, seconds: int) -> None:
    ours, theirs = both(name)
    assert ours.offset_at(seconds) == offset_by_python(theirs, seconds)


@settings(max_examples=200)
@given(st.sampled_from(NAMES), INSTANTS, st.integers(1, 5 * 31_556_952), st.data())
def test_a_window_says_what_holds_at_each_instant_in_it(
    name: str, start: int, length: int, data: st.DataObject
) -> None:
    ours, theirs = both(name)
    rules = ours.between(start, start + length)
    assert rules.offsets[0][0] == start
    assert rules.until == start + length
    assert list(rules.offsets) == sorted(set(rules.offsets))
    seconds = data.draw(st.integers(start, start + length - 1))
    held = [offset for at, offset in rules.offsets if at <= seconds][-1]
    assert held == offset_by_python(theirs, seconds)


def test_a_window_begins_with_what_holds_and_names_each_change() -> None:
    zone, _ = both("Europe/Berlin")
    start = 1_788_220_800  # 2026-09-01
    rules = zone.between(start, start + 365 * 86400)
    assert rules.offsets == ((start, 7200), (1_792_890_000, 3600), (1_806_195_600, 7200))


@pytest.mark.parametrize(
    "text",
    [
        "UTC0",
        "<+0330>-3:30",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "EST5EDT4,M3.2.0,M11.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "XXX3YYY,J60/0,J300/-167",
        "XXX3EDT4,0/0,J365/23",
    ],
)
def test_a_rule_holds_as_python_takes_it(text: str) -> None:
    rule = posix_rule(text)
    head = b"TZif2" + bytes(15) + struct.pack(">6I", 0, 0, 0, 0, 1, 4)
    data = struct.pack(">iBB", rule.standard, 0, 0) + b"XXX\0"
    file = head + data + head + data + f"\n{text}\n".encode()
    theirs = ZoneInfo.from_file(io.BytesIO(file))
    ours = zone_file(file)
    for seconds in range(1_700_000_000, 1_900_000_000, 21_611):
        assert ours.offset_at(seconds) == offset_by_python(theirs, seconds), (text, seconds)


def test_a_day_without_a_letter_is_counted_from_zero_with_the_odd_day() -> None:
    # Python counts it from one; libc as POSIX has it: day 59 of a leap year is 29 February.
    rule = posix_rule("XXX3YYY,59,300/167")
    begins = 1_709_182_800  # 2024-02-29 02:00 at 3 h west
    assert (rule.offset_at(begins - 1), rule.offset_at(begins)) == (-10800, -7200)
    assert rule.changes(2025)[0][0] == 1_740_805_200  # 2025-03-01 02:00


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CET",
        "CE-1",
        "٣CET-1",
        "CET-25",
        "CET-1:60",
        "CET-1\nCEST",
        "CET-1CEST",
        "CET-1CEST,M13.1.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,J0,J365",
        "CET-1CEST,0,366",
    ],
)
def test_a_text_that_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(Damaged):
        posix_rule(text)


@given(st.integers(-(2**62), 2**62))
def test_the_year_of_any_instant_is_found(seconds: int) -> None:
    year = year_of(seconds)
    assert days_before(year, 1, 1) <= seconds // 86400 < days_before(year + 1, 1, 1)


@given(st.dates())
def test_days_are_counted_as_the_calendar_does(day: date) -> None:
    assert days_before(day.year, day.month, day.day) == (day - date(1970, 1, 1)).days


def test_version_one_has_32_bit_times_and_no_rule() -> None:
    whole = zone_bytes("Europe/Berlin")
    head = b"TZif\0" + bytes(15) + struct.pack(">6I", 0, 0, 0, 1, 2, 8)
    data = struct.pack(">iB", 1000, 1) + struct.pack(">iBBiBB", 3600, 0, 0, 7200, 1, 4)
    zone = zone_file(head + data + b"CET\0CEST")
    assert (zone.offset_at(999), zone.offset_at(1000), zone.rule) == (3600, 7200, None)
    assert zone_file(whole).rule is not None


def test_leap_seconds_are_refused_with_their_name() -> None:
    head = b"TZif\0" + bytes(15) + struct.pack(">6I", 0, 0, 1, 0, 1, 4)
    with pytest.raises(UnreadFormat, match="leap seconds"):
        zone_file(head + struct.pack(">iBB", 0, 0, 0) + b"UTC\0" + bytes(8))


@pytest.mark.parametrize(
    ("offset", "value"),
    [(0, b"XZif"), (4, b"9"), (36, b"\0\0\0\0"), (32, b"\xff\xff\xff\xff"), (40, b"\xff" * 4)],
)
def test_a_header_that_lies_is_damaged(offset: int, value: bytes) -> None:
    data = bytearray(zone_bytes("Europe/Berlin"))
    data[offset : offset + len(value)] = value
    with pytest.raises(Damaged):
        zone_file(bytes(data))


@settings(max_examples=400)
@given(st.sampled_from(NAMES), st.data())
def test_changed_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    raw = bytearray(zone_bytes(name))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)) | st.just(len(raw)))
    try:
        zone = zone_file(bytes(raw[:cut]))
    except DiskProblem:
        return
    for _, offset in zone.between(1_700_000_000, 1_900_000_000).offsets:
        assert abs(offset) < 27 * 3600


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for data in (raw, b"TZif2" + raw, b"TZif\0" + bytes(15) + raw):
        try:
            zone_file(data)
        except DiskProblem:
            continue
