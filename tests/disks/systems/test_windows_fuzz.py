"""Windows with broken hives: gaps, and no value that the bytes do not hold."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem
from guestclock.disks.systems.windows import detect
from tests.disks.builders.hive import dword, make_hive, tree
from tests.disks.builders.memory import tree_of
from tests.disks.builders.windows import (
    CLOCK,
    CONFIG,
    clock_values,
    software_hive,
    windows_files,
)
from tests.disks.systems.asking import codes_of
from tests.disks.systems.windows_asking import AT

NAME = "RealTimeIsUniversal"
HIVE = make_hive(
    tree(
        {
            "Select": [dword("Current", 2), dword("Default", 2)],
            f"ControlSet002\\{CLOCK}": clock_values(universal=dword(NAME, 1)),
            f"ControlSet001\\{CLOCK}": clock_values(zone="Tokyo Standard Time", active_bias=-540),
        }
    )
)
SOFTWARE = software_hive()
_WORDS = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF8, 32, 4096)


def _used(hive: bytes) -> list[int]:
    return [at for at in range(len(hive)) if hive[at]]


def _found(system: bytes, software: bytes) -> System | None:
    files = {f"{CONFIG}/SYSTEM": system, f"{CONFIG}/SOFTWARE": software}
    budget = Budget(Limits(max_read=64 << 20, timeout=10))
    try:
        (found,) = detect(tree_of(files, folded=True), budget, AT)
    except DiskProblem:
        return None
    return found


def _holds(found: System, hive: bytes) -> None:
    """Each value is where its evidence says, and each that is missing has a reason."""
    gaps = {gap.what for gap in found.gaps}
    seen = {one.what: one.trace for one in found.seen}
    for what, value in (
        ("rtc", None if found.rtc == "unknown" else found.rtc),
        ("real_time_is_universal", found.real_time_is_universal),
        ("active_time_bias_minutes", found.active_time_bias_minutes),
        ("zone", found.zone),
    ):
        assert (value is None) == (what in gaps)
        assert (value is not None) == (what in seen)
    assert (found.rtc == "utc") == (found.real_time_is_universal is True)
    bias = found.active_time_bias_minutes
    if bias is not None:
        assert struct.pack("<i", bias) in hive
    if found.zone is not None:
        # Without TimeZoneKeyName the zone is the key of SOFTWARE that has the StandardName.
        assert found.zone.encode("utf-16-le") in hive or found.zone.encode() in SOFTWARE
    if found.rtc == "utc":
        assert NAME.upper().encode() in hive.upper()
        assert seen["rtc"].raw not in ("not set", "0")


@settings(max_examples=400, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(_used(HIVE)), st.integers(0, 255)), max_size=4))
def test_a_broken_system_hive_gives_gaps_and_no_value_that_it_does_not_hold(
    changes: list[tuple[int, int]],
) -> None:
    hive = bytearray(HIVE)
    for at, byte in changes:
        hive[at] = byte
    found = _found(bytes(hive), SOFTWARE)
    if found is not None:
        _holds(found, bytes(hive))


@settings(max_examples=400, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(4096 // 4, len(HIVE) // 4 - 1), st.sampled_from(_WORDS)), max_size=3
    ),
    length=st.one_of(st.just(len(HIVE)), st.integers(0, len(HIVE))),
)
def test_broken_offsets_and_sizes_are_only_gaps(
    changes: list[tuple[int, int]], length: int
) -> None:
    hive = bytearray(HIVE)
    for at, word in changes:
        struct.pack_into("<I", hive, 4 * at, word)
    found = _found(bytes(hive[:length]), SOFTWARE)
    if found is not None:
        _holds(found, bytes(hive[:length]))


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.sampled_from(_used(SOFTWARE)), st.integers(0, 255)), max_size=6)
)
def test_a_broken_software_hive_leaves_the_clock_as_it_is(changes: list[tuple[int, int]]) -> None:
    software = bytearray(SOFTWARE)
    for at, byte in changes:
        software[at] = byte
    found = _found(HIVE, bytes(software))
    assert found is not None
    assert (found.rtc, found.active_time_bias_minutes) == ("utc", -480)
    assert found.zone == "China Standard Time"
    gaps = {gap.what for gap in found.gaps}
    assert (found.version is None) == ("version" in gaps)
    assert (found.rules is None) == ("zone_rules" in gaps)


@settings(max_examples=150, deadline=None)
@given(text=st.binary(max_size=300), head=st.binary(max_size=8))
def test_files_beside_the_registry_may_have_any_bytes(text: bytes, head: bytes) -> None:
    files = {
        f"{CONFIG}/SYSTEM": HIVE,
        f"{CONFIG}/SOFTWARE": software_hive(sealed=True),
        "hiberfil.sys": head,
        "Windows/Panther/unattend.xml": text,
        "Program Files/Cloudbase Solutions/Cloudbase-Init/conf/cloudbase-init.conf": text,
    }
    (found,) = detect(tree_of(files, folded=True), Budget(), AT)
    assert found.rtc == "utc"
    assert all(one.what in ("hibernated", "real_time_clock_utc") for one in found.gaps)


LOGGED = windows_files(logs=True)
LOG = LOGGED[f"{CONFIG}/SYSTEM.LOG1"]


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(LOG) - 1), st.integers(0, 255)), min_size=1, max_size=3
    ),
    length=st.one_of(st.just(len(LOG)), st.integers(0, len(LOG))),
)
def test_a_broken_log_is_applied_as_a_whole_or_not_at_all(
    changes: list[tuple[int, int]], length: int
) -> None:
    log = bytearray(LOG)
    for at, byte in changes:
        log[at] = byte
    files = {**LOGGED, f"{CONFIG}/SYSTEM.LOG1": bytes(log[:length])}
    (found,) = detect(tree_of(files, folded=True), Budget(), AT)
    if "hive-unsure" in codes_of(found):
        assert (found.zone, found.active_time_bias_minutes) == ("Tokyo Standard Time", -540)
    else:
        assert (found.zone, found.active_time_bias_minutes) == ("China Standard Time", -480)
        assert "hive-recovered" in codes_of(found)
