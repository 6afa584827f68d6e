"""Windows: a whole system, and what is left of one that is not whole."""

from __future__ import annotations

import pytest

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.problem import OverLimit
from guestclock.disks.systems.windows import detect
from tests.disks.builders.hive import Value, dword, make_hive, patched, tree
from tests.disks.builders.memory import MemoryFiles, tree_of
from tests.disks.builders.windows import CONFIG, system_hive, windows_files
from tests.disks.systems.asking import codes_of, gap_of, trace_of
from tests.disks.systems.windows_asking import AT, windows_of


def test_a_usual_server_takes_its_rtc_for_local_time() -> None:
    system = windows_of(windows_files(agent=True))
    assert (system.family, system.rtc, system.zone) == ("windows", "local", "China Standard Time")
    assert system.active_time_bias_minutes == -480
    assert system.real_time_is_universal is False
    assert (system.name, system.id) == ("Windows Server 2022 Standard", "win2k22")
    assert system.version == "21H2 (20348.2700)"
    assert (system.gaps, system.remarks) == ([], [])
    assert system.details["registry"] == {"SYSTEM": "clean", "SOFTWARE": "clean"}
    assert system.details["sealed"] is False


def test_each_value_has_the_place_where_it_was_read() -> None:
    system = windows_of(windows_files(universal=dword("RealTimeIsUniversal", 1)))
    where = "ControlSet001\\Control\\TimeZoneInformation\\"
    for what, name, kind, raw in (
        ("rtc", "RealTimeIsUniversal", "REG_DWORD", "1"),
        ("real_time_is_universal", "RealTimeIsUniversal", "REG_DWORD", "1"),
        ("active_time_bias_minutes", "ActiveTimeBias", "REG_DWORD", "-480"),
        ("zone", "TimeZoneKeyName", "REG_SZ", "'China Standard Time'"),
    ):
        trace = trace_of(system, what)
        assert trace.path == "/Windows/System32/config/SYSTEM"
        assert (trace.key, trace.type, trace.raw) == (where + name, kind, raw)
    trace = trace_of(system, "version")
    assert trace.path == "/Windows/System32/config/SOFTWARE"
    assert trace.key.endswith("\\CurrentBuild")


@pytest.mark.parametrize("folder", ["WINDOWS", "windows", "WINNT", "winnt"])
def test_folders_and_hives_have_names_in_any_case(folder: str) -> None:
    usual = windows_files()
    files = {
        f"{folder}/system32/Config/system": usual[f"{CONFIG}/SYSTEM"],
        f"{folder}/system32/Config/software": usual[f"{CONFIG}/SOFTWARE"],
    }
    assert windows_of(files).zone == "China Standard Time"


def test_what_an_upgrade_left_is_no_system() -> None:
    usual = windows_files()
    old = {f"Windows.old/{path}": content for path, content in usual.items()}
    assert "windows-old" in codes_of(windows_of({**usual, **old}))
    assert list(detect(tree_of(old, folded=True), Budget(), AT)) == []


def test_two_systems_of_one_volume_are_both_told() -> None:
    hive = system_hive(zone="Tokyo Standard Time", active_bias=-540)
    files = {**windows_files(), "WINNT/System32/config/SYSTEM": hive}
    found = list(detect(tree_of(files, folded=True), Budget(), AT))
    assert [one.zone for one in found] == ["China Standard Time", "Tokyo Standard Time"]


def test_logs_are_laid_over_the_registry() -> None:
    system = windows_of(windows_files(logs=True, universal=dword("RealTimeIsUniversal", 1)))
    assert (system.rtc, system.zone) == ("utc", "China Standard Time")
    assert system.active_time_bias_minutes == -480
    assert codes_of(system) == {"hive-recovered"}
    assert system.details["registry"] == {"SYSTEM": "recovered", "SOFTWARE": "clean"}


def test_a_hive_without_its_log_is_said_to_be_unsure_of_the_clock() -> None:
    files = dict(windows_files(logs=True))
    del files[f"{CONFIG}/SYSTEM.LOG1"]
    system = windows_of(files)
    assert system.zone == "Tokyo Standard Time"
    (remark,) = system.remarks
    assert remark.code == "hive-unsure"
    assert "how it takes the RTC too" in remark.text


def test_without_software_the_clock_is_still_known() -> None:
    files = dict(windows_files())
    del files[f"{CONFIG}/SOFTWARE"]
    system = windows_of(files)
    assert (system.rtc, system.zone) == ("local", "China Standard Time")
    assert gap_of(system, "version")[0] == gap_of(system, "name")[0] == "not-recorded"


def test_a_broken_software_hive_does_not_hide_the_clock() -> None:
    system = windows_of({**windows_files(), f"{CONFIG}/SOFTWARE": b"regf" + bytes(8192)})
    assert system.active_time_bias_minutes == -480
    assert gap_of(system, "version")[0] == "unread-format"


@pytest.mark.parametrize("content", [b"", b"not a hive" * 800, b"regf"])
def test_a_broken_system_hive_tells_no_clock_but_the_version(content: bytes) -> None:
    system = windows_of({**windows_files(), f"{CONFIG}/SYSTEM": content})
    assert (system.rtc, system.zone, system.active_time_bias_minutes) == ("unknown", None, None)
    assert system.real_time_is_universal is None
    assert gap_of(system, "rtc")[0] == "damaged"
    assert system.id == "win2k22"


def test_a_link_in_the_place_of_the_key_is_not_followed() -> None:
    hive = bytearray(make_hive(tree({"Select": [dword("Current", 1)], "ControlSet001": []})))
    at = hive.index(b"ControlSet001") - 76
    assert hive[at : at + 2] == b"nk"
    hive[at + 2] |= 0x10
    system = windows_of({f"{CONFIG}/SYSTEM": bytes(hive)})
    assert gap_of(system, "rtc")[0] == "refused-reference"


def test_a_limit_that_is_reached_before_the_clock_is_known_is_raised() -> None:
    huge = Value("RealTimeIsUniversal", 3, bytes(200_000))
    files = windows_files(universal=huge)
    budget = Budget(Limits(file=100_000))
    with pytest.raises(OverLimit):
        list(detect(tree_of(files, folded=True), budget, AT))


def test_a_limit_that_is_reached_later_leaves_what_is_known() -> None:
    files = windows_files(cloudbase="#" * 100_000)
    system = windows_of(files)
    assert system.rtc == "local"
    assert gap_of(system, "real_time_clock_utc")[0] == "limit"


def test_a_folder_in_the_place_of_the_hive_is_no_system() -> None:
    files = MemoryFiles({f"{CONFIG}/SYSTEM/": b""}, folded=True)
    assert files.lookup(files.root(), "windows") is not None
    assert list(detect(tree_of({f"{CONFIG}/SYSTEM/": b""}, True), Budget(), AT)) == []


def test_a_damaged_value_hides_no_other_and_guesses_nothing() -> None:
    hive = system_hive(universal=dword("RealTimeIsUniversal", 1))
    at = hive.index(b"RealTimeIsUniversal") - 20
    # Its data is said to be elsewhere, where there is none.
    broken = patched(hive, at + 4, b"\x04\0\0\0" + b"\xf0\xff\xff\x7f")
    system = windows_of({f"{CONFIG}/SYSTEM": broken})
    assert (system.rtc, system.real_time_is_universal) == ("unknown", None)
    assert gap_of(system, "rtc")[0] == "damaged"
    assert system.active_time_bias_minutes == -480
