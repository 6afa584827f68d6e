from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.clock import (
    Absolute,
    Base,
    Basis,
    Clock,
    Localtime,
    Timer,
    Utc,
    Variable,
    Zone,
)
from guestclock.evidence import Assumed, value_of
from guestclock.guest import Guest
from guestclock.law import Host
from guestclock.lifecycle import (
    HostClockStep,
    ImpossibleStep,
    Migrate,
    Pause,
    PowerOn,
    Redefine,
    Reset,
    Restore,
    Resume,
    Save,
    State,
    Step,
    Stop,
    WriteBias,
    WriteRtc,
    apply,
)
from guestclock.zones import Zones

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TRACKS = {"host": None, "rt": "realtime", "vm": "guest"}


def machine(base: Base, track: str = "host", zone: str = "Asia/Shanghai") -> State:
    timers = (Timer("rtc", track=TRACKS[track]),) if TRACKS[track] else ()
    guest = Guest("windows", Assumed("Asia/Shanghai", "test"), kind=Assumed("windows", "test"))
    return State(Clock(base, timers), Host(Assumed(zone, "test")), guest)


def after(state: State, zones: Zones, *steps: Step) -> State:
    for step in steps:
        state = apply(state, step, zones)
    return state


def offset(state: State, at: datetime) -> int:
    assert state.process is not None
    reading = value_of(state.process.reading(at))
    assert reading is not None
    return int((reading - at.replace(tzinfo=None)).total_seconds())


def written(at: datetime, hours: int) -> WriteRtc:
    return WriteRtc(at, at.replace(tzinfo=None) + hours * HOUR)


def test_a_guests_write_survives_resets_and_ends_with_the_process(zones: Zones) -> None:
    state = after(machine(Utc()), zones, PowerOn(NOON), written(NOON, 8), Reset(NOON + HOUR))
    assert offset(state, NOON + HOUR) == 28800
    state = after(state, zones, PowerOn(NOON + 2 * HOUR))
    assert offset(state, NOON + 2 * HOUR) == 0


@pytest.mark.parametrize("base", [Utc(), Localtime(), Variable(3600), Variable(5, Basis.LOCALTIME)])
def test_a_write_is_lost_at_the_cold_start_whatever_the_clock(base: Base, zones: Zones) -> None:
    fresh = after(machine(base), zones, PowerOn(NOON))
    worn = after(fresh, zones, written(NOON, 5), PowerOn(NOON))
    assert offset(worn, NOON) == offset(fresh, NOON)


@pytest.mark.parametrize(("track", "lost"), [("host", 0), ("rt", 0), ("vm", -3600)])
def test_only_clock_vm_stands_still_in_a_pause(track: str, lost: int, zones: Zones) -> None:
    state = after(
        machine(Utc(), track), zones, PowerOn(NOON), Pause(NOON + HOUR), Resume(NOON + 2 * HOUR)
    )
    assert offset(state, NOON + 3 * HOUR) == lost


def test_a_paused_clock_vm_shows_the_moment_of_the_pause(zones: Zones) -> None:
    state = after(machine(Utc(), "vm"), zones, PowerOn(NOON), Pause(NOON + HOUR))
    assert offset(state, NOON + 3 * HOUR) == -7200


@pytest.mark.parametrize(("track", "lost"), [("host", 0), ("rt", -3600), ("vm", -3600)])
def test_clock_rt_and_vm_stand_still_while_saved(track: str, lost: int, zones: Zones) -> None:
    state = after(
        machine(Utc(), track),
        zones,
        PowerOn(NOON),
        written(NOON, 8),
        Save(NOON + HOUR),
        Restore(NOON + 2 * HOUR),
    )
    assert offset(state, NOON + 3 * HOUR) == 28800 + lost


@pytest.mark.parametrize("base", [Utc(), Localtime(), Zone("Asia/Tokyo"), Absolute(1577836800)])
def test_restore_and_migration_keep_the_rtc_and_ignore_the_new_zone(
    base: Base, zones: Zones
) -> None:
    begun = after(machine(base), zones, PowerOn(NOON))
    moved = after(begun, zones, Migrate(NOON, "America/New_York"), Reset(NOON))
    restored = after(begun, zones, Save(NOON), Restore(NOON, "America/New_York"))
    assert offset(moved, NOON) == offset(restored, NOON) == offset(begun, NOON)


def test_a_cold_start_after_a_migration_takes_the_new_hosts_zone(zones: Zones) -> None:
    state = after(
        machine(Localtime()), zones, PowerOn(NOON), Migrate(NOON, "America/New_York"), PowerOn(NOON)
    )
    assert offset(state, NOON) == -5 * 3600


def test_a_skew_between_two_hosts_shifts_the_rtc_by_itself(zones: Zones) -> None:
    state = after(machine(Utc()), zones, PowerOn(NOON), Migrate(NOON, clock_error=30))
    assert offset(state, NOON) == 30


@pytest.mark.parametrize(("track", "moved"), [("host", 3600), ("rt", 0), ("vm", 0)])
def test_a_step_of_the_hosts_clock_moves_clock_host_alone(
    track: str, moved: int, zones: Zones
) -> None:
    state = after(machine(Utc(), track), zones, PowerOn(NOON), HostClockStep(NOON, 3600))
    assert offset(state, NOON) == moved
    assert offset(after(state, zones, PowerOn(NOON)), NOON) == 3600


def test_another_definition_waits_for_the_next_cold_start(zones: Zones) -> None:
    state = after(machine(Utc()), zones, PowerOn(NOON), Redefine(NOON, Clock(Localtime())))
    assert offset(after(state, zones, Reset(NOON)), NOON) == 0
    assert offset(after(state, zones, PowerOn(NOON)), NOON) == 28800


def test_the_live_definition_of_a_variable_clock_follows_the_guest(zones: Zones) -> None:
    state = after(machine(Variable(60, Basis.LOCALTIME)), zones, PowerOn(NOON))
    assert state.process is not None
    assert state.process.clock.base == Variable(28860)
    state = after(state, zones, written(NOON, 2))
    assert state.process is not None
    assert state.process.clock.base == Variable(7200)
    assert state.clock.base == Variable(60, Basis.LOCALTIME)


def test_an_unknown_bias_is_that_of_the_last_instant_the_guest_ran(zones: Zones) -> None:
    winter, summer = NOON, datetime(2026, 7, 1, tzinfo=UTC)
    berlin = replace(machine(Utc()).guest, zone=Assumed("Europe/Berlin", "test"))
    state = replace(machine(Utc()), guest=berlin)
    started = after(state, zones, PowerOn(winter))
    assert value_of(started.guest.bias_minutes) == -60
    off_over_it = after(started, zones, Stop(winter), PowerOn(summer))
    assert value_of(off_over_it.guest.bias_minutes) == -60
    ran_over_it = after(started, zones, Stop(summer), PowerOn(summer))
    assert value_of(ran_over_it.guest.bias_minutes) == -120
    told = after(started, zones, WriteBias(winter, -90), PowerOn(summer))
    assert value_of(told.guest.bias_minutes) == -90


@pytest.mark.parametrize(
    "steps",
    [
        (Reset(NOON),),
        (Resume(NOON),),
        (Restore(NOON),),
        (Stop(NOON),),
        (PowerOn(NOON), Pause(NOON), written(NOON, 1)),
        (PowerOn(NOON), Save(NOON), written(NOON, 1)),
        (PowerOn(NOON), Resume(NOON)),
    ],
)
def test_a_step_that_cannot_be_taken_says_what_must_come_first(
    steps: tuple[Step, ...], zones: Zones
) -> None:
    with pytest.raises(ImpossibleStep, match="put a"):
        after(machine(Utc()), zones, *steps)


IN_PROCESS = st.lists(
    st.sampled_from(["reset", "pause", "migrate", "save", "redefine"]), max_size=8
)


@given(IN_PROCESS, st.sampled_from(["Asia/Tokyo", "America/New_York", "Australia/Lord_Howe"]))
def test_nothing_but_a_write_or_a_new_process_moves_an_rtc_on_clock_host(
    names: list[str], zone: str
) -> None:
    from guestclock.databases import zones_at_hand

    zones = zones_at_hand()
    at = NOON
    state = after(machine(Localtime(), zone=zone), zones, PowerOn(at))
    begun = offset(state, at)
    for name in names:
        at += HOUR
        pairs: dict[str, tuple[Step, ...]] = {
            "reset": (Reset(at),),
            "pause": (Pause(at), Resume(at + HOUR)),
            "migrate": (Migrate(at, "Europe/Paris"),),
            "save": (Save(at), Restore(at + HOUR, "Asia/Kolkata")),
            "redefine": (Redefine(at, Clock(Absolute(0))),),
        }
        state = after(state, zones, *pairs[name])
        at += HOUR
        assert offset(state, at) == begun
