from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.cases import BadCase, read_case, read_step, result_of, unread_keys
from guestclock.clock import Clock, Timer
from guestclock.databases import zones_at_hand
from guestclock.evidence import value_of
from guestclock.lifecycle import ImpossibleStep, Pause, Resume, WriteBias, WriteRtc
from guestclock.prediction import predict
from guestclock.zones import Zones

CASE: dict[str, Any] = {
    "clock": {"offset": "utc", "timers": [{"name": "rtc", "track": "guest"}]},
    "host_zone": "UTC",
    "libvirtd_zone": None,
    "guest": "windows",
    "guest_zone": "China Standard Time",
    "active_time_bias_minutes": None,
    "steps": [
        {"do": "start", "at": "2026-01-10T00:00:00Z"},
        {"do": "pause", "at": "2026-01-10T01:00:00Z", "seconds": 600},
        {"do": "save", "at": "2026-01-10T02:00:00Z"},
        {"do": "restore", "at": "2026-01-10T03:00:00+00:00", "host_zone": "Asia/Tokyo"},
        {"do": "host-clock-step", "at": "2026-01-10T03:00:00Z", "seconds": 5},
        {"do": "redefine", "at": "2026-01-10T03:00:00Z", "clock": {"offset": "localtime"}},
        {"do": "reset", "at": "2026-01-10T03:00:00Z"},
    ],
}


def changed(**keys: object) -> dict[str, Any]:
    return copy.deepcopy(CASE) | keys


def test_a_case_with_every_kind_of_step(zones: Zones) -> None:
    case = read_case(CASE, zones)
    assert case.state.clock.timers == (Timer("rtc", track="guest"),)
    *_, last = predict(case.state, case.steps, zones)
    assert result_of(last) == {
        "rtc_args": "base=utc,clock=vm",
        "process_zone": None,
        "rtc": "2026-01-10T01:50:00",
        "shown": "2026-01-10T01:50:00",
        "true_local": "2026-01-10T11:00:00",
        "error_seconds": -33000,
        "guest_utc": "2026-01-09T17:50:00",
    }


def test_a_pause_of_so_many_seconds_ends_with_a_resume(zones: Zones) -> None:
    pause, resume = read_step({"do": "pause", "at": "2026-01-10T00:00:00Z", "seconds": 60}, zones)
    assert isinstance(pause, Pause)
    assert isinstance(resume, Resume)
    assert (resume.at - pause.at).total_seconds() == 60


@pytest.mark.parametrize(
    "clock",
    [None, {}, {"offset": "utc", "adjustment": None, "basis": None}, {"offset": None}],
)
def test_what_is_null_in_a_clock_is_not_there(clock: object, zones: Zones) -> None:
    assert read_case(changed(clock=clock), zones).state.clock == Clock()


def test_a_host_zone_may_be_a_windows_name_or_a_posix_rule(zones: Zones) -> None:
    for name, zone in (("China Standard Time", "Asia/Shanghai"), ("CST-8", "CST-8")):
        assert value_of(read_case(changed(host_zone=name), zones).state.host.zone) == zone


def test_misspelt_keys_are_named() -> None:
    step = {"do": "start", "at": "2026-01-10T00:00:00Z", "hostzone": "UTC"}
    assert unread_keys(changed(active_time_bias_minuts=60, steps=[step, step])) == [
        "active_time_bias_minuts",
        "hostzone",
    ]
    assert unread_keys(CASE) == []


def test_any_step_may_save_another_bias(zones: Zones) -> None:
    step = {
        "do": "write-rtc",
        "at": "2026-01-10T00:00:00Z",
        "rtc": "2026-01-10T00:00:00",
        "active_time_bias_minutes": -480,
    }
    write, bias = read_step(step, zones)
    assert isinstance(write, WriteRtc)
    assert isinstance(bias, WriteBias)
    assert bias.bias_minutes == -480


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ([], "is an object"),
        ({}, "steps is empty"),
        (changed(steps={}), "steps is a list"),
        (changed(steps=[1]), "a step is an object"),
        (changed(steps=[{"do": "start"}]), "is not an instant"),
        (changed(steps=[{"do": "start", "at": "2026-01-10T00:00:00"}]), "has no offset"),
        (changed(steps=[{"do": "jump", "at": "2026-01-10T00:00:00Z"}]), "is not one of start"),
        (changed(steps=[{"do": "write-rtc", "at": "2026-01-10T00:00:00Z"}]), "is not a reading"),
        (changed(steps=[{"do": "host-clock-step", "at": "2026-01-10T00:00:00Z"}]), "needs seconds"),
        (changed(steps=[{"do": "start", "at": "0001-01-01T00:00:00Z"}]), "not in the years"),
        (changed(host_clock_error_seconds=10**15), "beyond all sense"),
        (changed(host_zone="Asia/Shangai"), "host_zone: .*did you mean Asia/Shanghai"),
        (changed(clock={"offset": "variable", "adjustment": 3600.0}), "is a text or a whole"),
        (changed(clock={"offset": "utc", "adjustment": True}), "is a text or a whole"),
        (
            changed(steps=[CASE["steps"][2], CASE["steps"][0]]),
            "step 2 goes back in time",
        ),
        (changed(guest="win"), "guest 'win' is not one of"),
        (changed(guest=7), "guest is a text"),
        (changed(guest_zone="Asia/Shangai"), "did you mean Asia/Shanghai"),
        (changed(active_time_bias_minutes="60"), "is a whole number"),
        (changed(active_time_bias_minutes=True), "is a whole number"),
        (changed(clock="utc"), "clock is an object"),
        (changed(clock={"offset": "UTC"}), "unknown clock offset"),
        (changed(clock={"offset": "utc", "timers": [{"name": "hpet2"}]}), "libvirt knows"),
        (changed(clock={"offset": "utc", "timers": [3]}), "a timer is an object"),
    ],
)
def test_a_wrong_case_names_the_key_and_what_belongs_there(
    case: object, says: str, zones: Zones
) -> None:
    with pytest.raises(BadCase, match=says):
        read_case(case, zones)  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(CASE)), JSON))
def test_whatever_json_a_case_holds_it_is_read_or_refused(keys: dict[str, Any]) -> None:
    zones = zones_at_hand()
    try:
        case = read_case(CASE | keys, zones)
        list(predict(case.state, case.steps, zones))
    except (BadCase, ImpossibleStep):
        pass
