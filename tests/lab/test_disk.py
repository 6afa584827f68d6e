from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.lab.errors import LabError
from guestclock.lab.guests.disk import (
    DISK_SIZE,
    MOST_ROWS,
    GuestSetup,
    disk_image,
    read_setup,
    write_disk,
    zone_table_of,
)
from guestclock.zones import offset_at

tables = st.dictionaries(
    st.integers(0, 2**32 - 1), st.integers(-1440, 1440), max_size=MOST_ROWS
).map(lambda rows: tuple(sorted(rows.items())))
kinds = st.sampled_from([("utc", False), ("windows", False), ("windows", True)])


@given(kinds, st.integers(-1440, 1440), st.booleans(), tables)
def test_a_setup_is_read_back_as_written(
    tmp_path_factory: pytest.TempPathFactory,
    kind: tuple[str, bool],
    bias: int,
    deaf: bool,
    table: tuple[tuple[int, int], ...],
) -> None:
    setup = GuestSetup("windows" if kind[0] == "windows" else "utc", kind[1], bias, deaf, table)
    disk = tmp_path_factory.mktemp("disk") / "guest.img"
    write_disk(disk, setup)
    assert read_setup(disk) == setup


def test_a_disk_is_bootable_and_of_whole_sectors() -> None:
    image = disk_image(GuestSetup("utc"))
    assert len(image) == DISK_SIZE
    assert image[510:512] == b"\x55\xaa"


def test_writing_replaces_an_older_disk_and_leaves_nothing_else(tmp_path: Path) -> None:
    disk = tmp_path / "guest.img"
    write_disk(disk, GuestSetup("utc"))
    write_disk(disk, GuestSetup("windows", bias_minutes=-480))
    assert read_setup(disk).bias_minutes == -480
    assert list(tmp_path.iterdir()) == [disk]


@pytest.mark.parametrize("content", [b"", bytes(DISK_SIZE), b"not a disk" * 2000])
def test_another_disk_is_refused(tmp_path: Path, content: bytes) -> None:
    disk = tmp_path / "other.img"
    disk.write_bytes(content)
    with pytest.raises(LabError, match="is not the disk of a small guest"):
        read_setup(disk)


def test_a_disk_cut_short_is_refused(tmp_path: Path) -> None:
    disk = tmp_path / "guest.img"
    write_disk(disk, GuestSetup("utc", zone_table=tuple((row, 0) for row in range(100))))
    disk.write_bytes(disk.read_bytes()[: 9 * 512 + 12])
    with pytest.raises(LabError, match="cut short"):
        read_setup(disk)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (((5, 0), (5, 60)), "must rise"),
        (tuple((row, 0) for row in range(MOST_ROWS + 1)), "at most"),
    ],
)
def test_a_zone_table_that_no_guest_could_use_is_refused(
    table: tuple[tuple[int, int], ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        GuestSetup("utc", zone_table=table)


def test_only_windows_has_a_universal_flag() -> None:
    with pytest.raises(ValueError, match="universal"):
        GuestSetup("utc", universal=True)


@pytest.mark.parametrize(
    "name",
    [
        "Asia/Shanghai",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "UTC",
    ],
)
@given(epoch=st.integers(157766400, 2082758399))  # 1975 to 2035
def test_a_zone_table_gives_the_zone_s_bias_at_any_instant(name: str, epoch: int) -> None:
    bias = [bias for start, bias in table_of_60_years(name) if start <= epoch][-1]
    assert bias * -60 == offset_at(ZoneInfo(name), datetime.fromtimestamp(epoch, UTC))


@cache
def table_of_60_years(name: str) -> tuple[tuple[int, int], ...]:
    return zone_table_of(ZoneInfo(name), 1975, 2035)


def test_a_zone_table_starts_with_the_first_year_s_bias_and_then_has_changes_only() -> None:
    table = zone_table_of(ZoneInfo("Europe/Berlin"), 2026, 2026)
    spring = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())
    autumn = int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp())
    assert table == ((0, -60), (spring, -120), (autumn, -60))


@pytest.mark.parametrize("years", [(1969, 2000), (2000, 2106), (2030, 2020)])
def test_years_that_32_bits_do_not_hold_are_refused(years: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="1970 to 2105"):
        zone_table_of(ZoneInfo("UTC"), *years)
