"""Transaction logs: applied as Windows does, refused where they are not whole."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget
from guestclock.disks.registry.hive import open_hive
from guestclock.disks.registry.marvin32 import marvin32
from guestclock.disks.source import Memory
from tests.disks.builders.hive import SECTOR, log_entry, make_log, patched, sealed
from tests.disks.registry.reading import bias, opened, told, zone

WINTER, SUMMER, LATER = zone(-60), zone(-120), zone(-180)
GROWN = zone(-120, bytes(range(256)) * 100)


class Untouched(Memory):
    """A log that nobody may read."""

    def read_at(self, offset: int, count: int) -> bytes:
        raise AssertionError("a clean hive needs no log")


@pytest.mark.parametrize("format", ["new", "old"])
def test_a_log_completes_its_hive(format: str) -> None:
    main, log = make_log(WINTER, SUMMER, format=format)
    hive = opened(main, [b"", log])
    assert bias(hive) == -120
    assert hive.recovered
    assert not hive.unsure
    assert "applied" in hive.warnings[0]


@pytest.mark.parametrize("format", ["new", "old"])
def test_a_hive_may_grow_by_its_log(format: str) -> None:
    main, log = make_log(WINTER, GROWN, format=format)
    hive = opened(main, [log])
    assert told(hive.root) == told(opened(GROWN).root)


@pytest.mark.parametrize("format", ["new", "old"])
def test_a_log_restores_the_base_block(format: str) -> None:
    main, log = make_log(WINTER, SUMMER, format=format)
    hive = opened(patched(main, 40, b"\xff\xff\xff\x7f"), [log])
    assert bias(hive) == -120
    assert hive.recovered


def test_a_clean_hive_ignores_its_logs() -> None:
    _, log = make_log(WINTER, SUMMER)
    hive = open_hive(Memory(WINTER), [Untouched(log)], Budget())
    assert bias(hive) == -60
    assert not hive.recovered
    assert not hive.unsure
    assert hive.warnings == ()


@pytest.mark.parametrize("format", ["new", "old"])
def test_a_dirty_hive_without_its_log_is_unsure(format: str) -> None:
    main, _ = make_log(WINTER, SUMMER, format=format)
    for logs in ([], [b""], [bytes(4096)], [SUMMER]):
        hive = opened(main, logs)
        assert hive.unsure
        assert not hive.recovered
        assert bias(hive) == -60
        assert "no log" in hive.warnings[0]


def test_a_wrong_checksum_without_a_log_is_unsure() -> None:
    hive = opened(patched(WINTER, 100, b"x"))
    assert hive.unsure
    assert bias(hive) == -60


def test_entries_are_applied_in_order() -> None:
    main, log = make_log(WINTER, SUMMER, LATER)
    assert bias(opened(main, [log])) == -180


def test_two_logs_are_applied_in_order_of_their_numbers() -> None:
    main, both = make_log(WINTER, SUMMER, LATER)
    size = len(log_entry(WINTER, SUMMER, 1))
    first, entry = both[: SECTOR + size], both[SECTOR + size :]
    second = sealed(patched(both[:SECTOR], 4, struct.pack("<II", 2, 2))) + entry
    for logs in ([first, second], [second, first]):
        assert bias(opened(main, logs)) == -180
    broken = patched(main, 508, b"xxxx")
    assert bias(opened(broken, [second, first])) == -180
    assert bias(opened(broken, [first])) == -120
    alone = opened(main, [second])
    assert alone.unsure
    assert bias(alone) == -60


def test_an_unsound_hive_takes_the_newest_chain() -> None:
    _, old = make_log(WINTER, LATER)
    later = sealed(patched(WINTER, 4, struct.pack("<II", 9, 9)))
    main, log = make_log(later, SUMMER)
    assert bias(opened(patched(main, 508, b"xxxx"), [log, old])) == -120


def test_entries_that_the_hive_has_are_passed_over() -> None:
    main, log = make_log(WINTER, LATER, SUMMER)
    done = sealed(patched(main, 4, struct.pack("<II", 3, 2)))
    assert bias(opened(done, [log])) == -120
    nothing_new = sealed(patched(main, 4, struct.pack("<II", 4, 3)))
    assert opened(nothing_new, [log]).unsure


def test_what_older_entries_left_behind_the_last_is_not_applied() -> None:
    main, log = make_log(sealed(patched(WINTER, 4, struct.pack("<II", 7, 7))), SUMMER)
    assert bias(opened(main, [log + log_entry(WINTER, LATER, 5)])) == -120


def test_at_a_gap_windows_stops_and_so_do_we() -> None:
    main, log = make_log(WINTER, SUMMER)
    hive = opened(main, [log + log_entry(WINTER, LATER, 3)])
    assert bias(hive) == -120
    assert any("where 2 is due" in one for one in hive.warnings)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_wrong_bit_in_an_entry_refuses_it(data: st.DataObject) -> None:
    main, log = make_log(WINTER, SUMMER)
    bit = data.draw(st.integers(8 * SECTOR, 8 * len(log) - 1))
    changed = bytearray(log)
    changed[bit // 8] ^= 1 << bit % 8
    hive = opened(main, [bytes(changed)])
    assert hive.unsure
    assert bias(hive) == -60


def test_a_torn_second_entry_leaves_the_first() -> None:
    main, log = make_log(WINTER, SUMMER, LATER)
    hive = opened(main, [log[:-SECTOR]])
    assert bias(hive) == -120
    assert hive.recovered
    assert "in part" in hive.warnings[1]


def test_a_sealed_entry_with_impossible_pages_is_refused() -> None:
    main, log = make_log(WINTER, SUMMER)
    for at, number in ((0, 4), (0, 1 << 20), (4, 0), (4, 100), (4, 1 << 30)):
        body = patched(log[SECTOR + 40 :], at, struct.pack("<I", number))
        head = log[SECTOR : SECTOR + 24] + struct.pack("<Q", marvin32(body))
        entry = head + struct.pack("<Q", marvin32(head)) + body
        hive = opened(main, [log[:SECTOR] + entry])
        assert hive.unsure
        assert bias(hive) == -60


def test_an_old_log_of_another_time_is_refused() -> None:
    main, log = make_log(WINTER, SUMMER, format="old")
    other = sealed(patched(log, 12, struct.pack("<Q", 1)))
    hive = opened(main, [other])
    assert hive.unsure
    assert any("another time" in one for one in hive.warnings)


@pytest.mark.parametrize(
    ("at", "new", "said"),
    [
        (8, struct.pack("<I", 77), "to its end"),
        (40, struct.pack("<I", 4000), "4000 bytes"),
        (40, struct.pack("<I", 0xFFFFF000), "beyond"),
        (SECTOR, b"TRID", "bitmap"),
        (SECTOR + 4, b"\xff\xff", "short"),
        (2 * SECTOR + 4, struct.pack("<I", 4096), "wrong bin"),
    ],
)
def test_an_old_log_that_is_not_whole_is_refused(at: int, new: bytes, said: str) -> None:
    # All sectors of the first bin differ, so that its head is in the log.
    other = patched(SUMMER, 4096 + 20, b"\1")
    main, log = make_log(WINTER, other, format="old")
    hive = opened(main, [sealed(patched(log, at, new))])
    assert hive.unsure
    assert bias(hive) == -60
    assert any(said in one for one in hive.warnings)


def test_on_disks_of_large_sectors_an_old_log_begins_later() -> None:
    main, log = make_log(WINTER, SUMMER, format="old")
    head = sealed(patched(log[:SECTOR], 44, struct.pack("<I", 8))).ljust(4096, b"\0")
    body = log[SECTOR:]
    # The bitmap's sector is still one of 512 bytes, counted from where it begins.
    hive = opened(main, [head + body])
    assert bias(hive) == -120
