"""Windows: what its registry says of the clock, and nothing that it does not say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.windows import detect
from tests.disks.builders.hive import Value, dword, make_hive, qword, sz, tree
from tests.disks.builders.memory import tree_of
from tests.disks.builders.tree import Files
from tests.disks.builders.windows import CONFIG, system_hive, tzi, windows_files

AT = Moment(1_795_435_200)
"""2026-11-23, noon UTC."""


def _system(files: Files) -> System:
    (found,) = detect(tree_of(files, folded=True), Budget(), AT)
    return found


def _gap(system: System, what: str) -> Reason | None:
    return next((gap.reason for gap in system.gaps if gap.what == what), None)


def test_a_usual_server_takes_its_rtc_for_local_time() -> None:
    system = _system(windows_files(agent=True))
    assert (system.family, system.rtc, system.zone) == ("windows", "local", "China Standard Time")
    assert system.active_time_bias_minutes == -480
    assert system.real_time_is_universal is False
    assert (system.name, system.id) == ("Windows Server 2022 Standard", "win2k22")
    assert system.version == "21H2 (20348.2700)"
    assert system.details["agent"] is True
    assert system.details["w32time"] == {
        "start": "on demand",
        "type": "NTP",
        "peers": ["time.windows.com,0x8"],
    }
    assert system.details["sealed"] is False
    assert system.gaps == []


@pytest.mark.parametrize(
    ("value", "universal", "unusual"),
    [
        (dword("RealTimeIsUniversal", 1), True, False),
        (qword("RealTimeIsUniversal", 1), True, False),
        (dword("RealTimeIsUniversal", 0), False, False),
        (dword("RealTimeIsUniversal", 2), True, True),
        (qword("RealTimeIsUniversal", 1 << 32), False, False),
        (sz("RealTimeIsUniversal", "1"), True, True),
        (Value("RealTimeIsUniversal", 3, b"\1"), True, True),
        (Value("RealTimeIsUniversal", 0, b""), False, False),
    ],
)
def test_the_kernel_looks_at_four_bytes(value: Value, universal: bool, unusual: bool) -> None:
    system = _system(windows_files(universal=value))
    assert system.real_time_is_universal is universal
    assert system.rtc == ("utc" if universal else "local")
    assert any(one.code == "universal-unusual" for one in system.remarks) is unusual


def test_the_control_set_that_boots_is_read() -> None:
    assert _system(windows_files(current=2)).active_time_bias_minutes == 0


@pytest.mark.parametrize("current", [None, 7])
def test_without_a_current_set_nothing_is_guessed(current: int | None) -> None:
    system = _system(windows_files(current=current))
    assert (system.rtc, system.zone, system.active_time_bias_minutes) == ("unknown", None, None)
    assert _gap(system, "rtc") is Reason.NO_CURRENT_CONTROL_SET
    assert system.name == "Windows Server 2022 Standard"


def test_bias_stands_in_for_a_missing_active_bias() -> None:
    assert _system(windows_files(active_bias=None, bias=-60)).active_time_bias_minutes == -60


def test_without_its_key_the_clock_is_not_recorded() -> None:
    hive = make_hive(tree({"Select": [dword("Current", 1)], "ControlSet001\\Control": []}))
    system = _system({f"{CONFIG}/SYSTEM": hive})
    assert _gap(system, "rtc") is Reason.NOT_RECORDED
    assert _gap(system, "version") is Reason.NOT_RECORDED


def test_windows_11_is_known_by_its_build() -> None:
    system = _system(windows_files(product="Windows 10 Pro", build=22631))
    assert (system.name, system.id) == ("Windows 11 Pro", "win11")


def test_a_sealed_and_a_hibernated_image_are_told() -> None:
    assert _system(windows_files(sealed=True)).details["sealed"] is True
    system = _system(windows_files(fast_startup=True))
    assert system.details["hibernated"] is True
    assert [one.code for one in system.remarks] == ["hibernated"]


def test_cloudbase_init_may_set_the_value_at_boot() -> None:
    path = "Program Files/Cloudbase Solutions/Cloudbase-Init/conf/cloudbase-init.conf"
    files = dict(windows_files())
    assert _system(files).details["real_time_clock_utc"] is None
    files[path] = b"[DEFAULT]\r\nusername=Admin\r\n"
    assert _system(files).details["real_time_clock_utc"] is False
    files[path] = b"[DEFAULT]\r\nreal_time_clock_utc = True\r\n"
    assert _system(files).details["real_time_clock_utc"] is True


def test_the_zones_rules_are_read_as_the_registry_has_them() -> None:
    rule = tzi(-60, summer=True)
    system = _system(windows_files(zone="W. Europe Standard Time", bias=-60, rule=rule))
    assert system.rules is not None
    assert {offset for _, offset in system.rules.offsets} == {3600, 7200}
    # The last Sunday of March 2027, 01:00 UTC.
    assert (1_806_195_600, 7200) in system.rules.offsets


def test_a_hive_without_its_log_is_said_to_be_unsure() -> None:
    files = dict(windows_files())
    hive = bytearray(files[f"{CONFIG}/SYSTEM"])  # type: ignore[arg-type]
    hive[4] += 1
    files[f"{CONFIG}/SYSTEM"] = bytes(hive)
    system = _system(files)
    assert any(one.code == "hive-unsure" for one in system.remarks)


HIVE = system_hive(universal=dword("RealTimeIsUniversal", 1))
_USED = [at for at in range(len(HIVE)) if HIVE[at]]


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(_USED), st.integers(0, 255)), max_size=5))
def test_a_broken_hive_gives_gaps_and_no_value_that_it_does_not_hold(
    changes: list[tuple[int, int]],
) -> None:
    hive = bytearray(HIVE)
    for at, byte in changes:
        hive[at] = byte
    try:
        (system,) = detect(tree_of({f"{CONFIG}/SYSTEM": bytes(hive)}, folded=True), Budget(), AT)
    except DiskProblem:
        return
    assert (system.rtc == "unknown") == (_gap(system, "rtc") is not None)
    bias = system.active_time_bias_minutes
    if bias is not None:
        assert (bias & 0xFFFFFFFF).to_bytes(4, "little") in hive
    if system.zone is not None:
        assert system.zone.encode("utf-16-le") in hive
