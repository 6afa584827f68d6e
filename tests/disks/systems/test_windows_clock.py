"""What Control\\TimeZoneInformation says, and nothing that it does not say."""

from __future__ import annotations

import pytest

from tests.disks.builders.hive import (
    REG_DWORD_BIG_ENDIAN,
    Value,
    binary,
    dword,
    make_hive,
    qword,
    sz,
    tree,
)
from tests.disks.builders.windows import CLOCK, CONFIG, windows_files
from tests.disks.systems.asking import codes_of, gap_of, trace_of
from tests.disks.systems.windows_asking import windows_of

NAME = "RealTimeIsUniversal"


@pytest.mark.parametrize(
    ("value", "universal", "unusual"),
    [
        (dword(NAME, 1), True, False),
        (qword(NAME, 1), True, False),
        (dword(NAME, 0), False, False),
        (dword(NAME, 2), True, True),
        (dword(NAME, 0xFFFFFFFF), True, True),
        (qword(NAME, 1 << 32), False, True),
        (qword(NAME, 1 << 32 | 1), True, True),
        (sz(NAME, "1"), True, True),
        (sz(NAME, ""), False, False),
        (sz(NAME, "0"), True, True),
        (binary(NAME, b"\1"), True, True),
        (binary(NAME, bytes(4) + b"\1"), False, True),
        (binary(NAME, bytes(20_000) + b"\1"), False, True),
        (Value(NAME, 0, b""), False, False),
        (Value(NAME, REG_DWORD_BIG_ENDIAN, b"\0\0\0\1"), True, True),
        (Value(NAME, 77, b"\1\0\0\0"), True, True),
        (dword(NAME.upper(), 1), True, False),
    ],
)
def test_the_kernel_looks_at_four_bytes(value: Value, universal: bool, unusual: bool) -> None:
    system = windows_of(windows_files(universal=value))
    assert system.real_time_is_universal is universal
    assert system.rtc == ("utc" if universal else "local")
    assert ("universal-unusual" in codes_of(system)) is unusual
    assert trace_of(system, "rtc").type


def test_a_value_that_is_not_there_is_zero() -> None:
    system = windows_of(windows_files())
    assert (system.rtc, trace_of(system, "rtc").raw) == ("local", "not set")


def test_the_first_of_two_values_of_a_name_counts() -> None:
    system = windows_of(windows_files(clock=[dword(NAME, 0), dword(NAME.lower(), 1)]))
    assert system.rtc == "local"


def test_the_control_set_that_boots_is_read() -> None:
    system = windows_of(windows_files(current=2, default=2))
    assert system.active_time_bias_minutes == 0
    assert system.details["control_set"] == "ControlSet002"
    assert codes_of(system) == set()


def test_another_default_is_told() -> None:
    system = windows_of(windows_files(current=2, default=1))
    assert system.active_time_bias_minutes == 0
    assert "control-sets-differ" in codes_of(system)


@pytest.mark.parametrize("current", [None, 0, 7, 0xFFFFFFFF])
def test_without_a_current_set_nothing_is_guessed(current: int | None) -> None:
    system = windows_of(windows_files(current=current))
    assert (system.rtc, system.zone, system.active_time_bias_minutes) == ("unknown", None, None)
    for what in ("rtc", "real_time_is_universal", "active_time_bias_minutes", "zone"):
        reason, detail = gap_of(system, what)
        assert reason == "no-current-control-set"
        assert "Default is 1, LastKnownGood is 1" in detail
    assert system.name == "Windows Server 2022 Standard"


def test_a_current_set_that_is_no_number_is_none() -> None:
    hive = make_hive(tree({"Select": [sz("Current", "1")], f"ControlSet001\\{CLOCK}": []}))
    system = windows_of({f"{CONFIG}/SYSTEM": hive})
    assert gap_of(system, "rtc")[0] == "no-current-control-set"


def test_without_its_key_the_clock_is_not_recorded() -> None:
    hive = make_hive(tree({"Select": [dword("Current", 1)], "ControlSet001\\Control": []}))
    system = windows_of({f"{CONFIG}/SYSTEM": hive})
    assert (system.rtc, system.real_time_is_universal) == ("unknown", None)
    assert gap_of(system, "rtc")[0] == "not-recorded"


@pytest.mark.parametrize("active", [None, -1])
def test_bias_stands_in_for_an_active_bias_that_was_never_saved(active: int | None) -> None:
    system = windows_of(windows_files(active_bias=active, bias=-60))
    assert system.active_time_bias_minutes == -60
    assert trace_of(system, "active_time_bias_minutes").key.endswith("\\Bias")


@pytest.mark.parametrize("minutes", [0, -840, 720, -345, 210, 60, 1439])
def test_biases_east_and_west_are_read(minutes: int) -> None:
    system = windows_of(windows_files(active_bias=minutes))
    assert system.active_time_bias_minutes == minutes


@pytest.mark.parametrize(
    "value",
    [
        dword("ActiveTimeBias", 1440),
        dword("ActiveTimeBias", -100_000),
        binary("ActiveTimeBias", b"\x20\xfe"),
        sz("ActiveTimeBias", "-480"),
    ],
)
def test_what_is_no_bias_is_not_taken_and_has_no_stand_in(value: Value) -> None:
    system = windows_of(windows_files(active_bias=None, clock=[value]))
    assert system.active_time_bias_minutes is None
    assert gap_of(system, "active_time_bias_minutes")[0] == "damaged"
    assert system.rtc == "local"


def test_a_bias_of_another_type_is_what_the_kernel_takes() -> None:
    value = binary("ActiveTimeBias", (-330).to_bytes(4, "little", signed=True))
    system = windows_of(windows_files(active_bias=None, clock=[value]))
    assert system.active_time_bias_minutes == -330
    assert trace_of(system, "active_time_bias_minutes").type == "REG_BINARY"


def test_without_any_bias_it_is_not_recorded() -> None:
    hive = make_hive(tree({"Select": [dword("Current", 1)], f"ControlSet001\\{CLOCK}": []}))
    system = windows_of({f"{CONFIG}/SYSTEM": hive})
    assert gap_of(system, "active_time_bias_minutes")[0] == "not-recorded"
    # The key is there, and RealTimeIsUniversal is not in it.
    assert system.rtc == "local"


def test_all_of_the_key_is_in_the_details() -> None:
    details = windows_of(windows_files()).details
    assert (details["bias"], details["standard_bias"], details["daylight_bias"]) == (-480, 0, -60)
    assert details["daylight_disabled"] is False
    assert details["standard_name"] == "@tzres.dll,-572"
    assert details["daylight_start"] == {
        "year": None,
        "month": 3,
        "weekday": 0,
        "day": 5,
        "seconds": 7200,
    }


def test_a_saved_rule_that_cannot_be_is_told_and_hides_nothing() -> None:
    value = binary("StandardStart", b"\0\0\x0d\0" + bytes(12))
    system = windows_of(windows_files(clock=[value]))
    assert gap_of(system, "saved_rule")[0] == "damaged"
    assert (system.rtc, system.active_time_bias_minutes) == ("local", -480)
