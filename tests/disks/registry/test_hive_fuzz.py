"""Hives and logs that lie: only DiskProblem comes of them, and no value that is not there."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Limits
from guestclock.disks.problem import DiskProblem
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.registry.timezone_rule import offsets, saved_rule
from tests.disks.builders.hive import binary, dword, make_hive, make_log, patched, sealed, sz, tree
from tests.disks.registry.reading import opened

ZONE = "ControlSet001\\Control\\TimeZoneInformation"
LIMITS = Limits(timeout=5.0, depth=32)
START = struct.pack("<8H", 0, 10, 5, 3, 0, 0, 0, 0)


def sample(number: int, lists: str = "lh") -> bytes:
    values = [
        dword("Bias", number),
        dword("StandardBias", 0),
        dword("DaylightBias", -60),
        binary("StandardStart", START),
        binary("DaylightStart", START.replace(b"\n", b"\3")),
        sz("TimeZoneKeyName", "Tokyo Standard Time"),
        binary("Large", bytes(range(256)) * 70),
    ]
    more = {f"ControlSet001\\Services\\S{one}": [dword("Start", one)] for one in range(9)}
    return make_hive(tree({"Select": [dword("Current", 1)], ZONE: values, **more}), lists=lists)


HIVES = {lists: sample(-60, lists) for lists in ("lf", "lh", "li", "ri", "ri-li")}
NUMBERS = st.sampled_from(
    [0, 1, 2, 8, 32, 80, 4096, 0x7FFFFFFF, 0x80000000, 0x80000004, 0xFFFFFFF8, 0xFFFFFFFF]
) | st.integers(0, 2**32 - 1)


def walk(hive: Hive, whole: bytes, step: int) -> None:
    """Reads what there is, a bounded part of it, and asserts that data are in the bytes.

    Only `step` bytes need to lie together: sectors of a log may be elsewhere.
    """
    waiting: list[tuple[int, Key]] = [(0, hive.root)]
    for _ in range(60):
        if not waiting:
            return
        depth, key = waiting.pop()
        try:
            assert -11644473600 <= key.written <= 253402300799
            for count, value in enumerate(key.values()):
                data = value.data
                assert all(data[at : at + step] in whole for at in range(0, len(data), 16344))
                number = value.dword()
                assert number is None or 0 <= number < 2**32
                value.text(), value.texts(), value.type_name
                if count > 50:
                    break
            for count, below in enumerate(key.keys()):
                if depth < 6:
                    waiting.append((depth + 1, below))
                if count > 50:
                    break
            if depth == 3 and (rule := saved_rule(key)):
                found = offsets(dict.fromkeys(range(1960, 2010), rule).__getitem__, 0, 10**9)
                assert all(abs(offset) < 86_400 for _, offset in found)
        except DiskProblem:
            continue


def survives(data: bytes, logs: list[bytes] | None = None) -> None:
    whole = b"".join([data, *(logs or [])])
    try:
        hive = opened(data, logs or [], LIMITS)
        key = hive.key(ZONE)
        if key:
            key.value("Bias")
    except DiskProblem:
        return
    walk(hive, whole, 4 if logs else 256)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(HIVES)), st.data())
def test_fields_of_structures_may_hold_anything(lists: str, data: st.DataObject) -> None:
    hive = HIVES[lists]
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(
            st.sampled_from([b"nk", b"vk", b"hbin", b"regf", b"db", lists[:2].encode()])
        )
        places = [at for at in range(len(hive)) if hive.startswith(kind, at)] or [0]
        at = data.draw(st.sampled_from(places)) + data.draw(st.integers(-4, 76))
        at = min(max(at, 0), len(hive) - 4)
        hive = patched(hive, at, struct.pack("<I", data.draw(NUMBERS)))
    survives(sealed(hive))


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(HIVES)), st.data())
def test_any_bytes_may_be_wrong(lists: str, data: st.DataObject) -> None:
    hive = HIVES[lists]
    for _ in range(data.draw(st.integers(1, 6))):
        new = data.draw(st.binary(min_size=1, max_size=8))
        hive = patched(hive, data.draw(st.integers(0, len(hive) - 8)), new)
    cut = data.draw(st.none() | st.integers(0, len(hive)))
    survives(hive[:cut])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["new", "old"]), st.booleans(), st.data())
def test_logs_may_hold_anything(form: str, sound: bool, data: st.DataObject) -> None:
    main, log = make_log(HIVES["lh"], sample(-120), format=form)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(log), 1200) - 4))
        log = patched(log, at, struct.pack("<I", data.draw(NUMBERS)))
    if not sound:
        main = patched(main, 508, b"xxxx")
    cut = data.draw(st.none() | st.integers(0, len(log)))
    survives(main, [sealed(log) if len(log) >= 512 else log, log[:cut]])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=6000))
def test_noise_is_no_hive(noise: bytes) -> None:
    survives(noise)
    survives(sealed((b"regf" + noise).ljust(4096, b"\0")))
