"""Both ways to read a real QEMU's RTC, against what zone data says it must be."""

from __future__ import annotations

import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from guestclock.databases import system_database
from guestclock.lab.probe import Probe, ProbeError, Reading, run_probe, shell_line

pytestmark = pytest.mark.real

# What the system's own database says: it is the one QEMU sees.
DATABASE = system_database()
ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
    "Europe/Dublin",
    "Africa/Casablanca",
)
EDGES = (
    datetime(2027, 3, 14, 6, 59, 30, tzinfo=UTC),
    datetime(2027, 3, 14, 7, 0, 0, tzinfo=UTC),
    datetime(2027, 11, 7, 5, 30, tzinfo=UTC),
    datetime(2027, 11, 7, 6, 30, tzinfo=UTC),
)


def system_zone(name: str) -> ZoneInfo:
    assert DATABASE is not None
    zone = DATABASE.get(name)
    assert zone is not None
    return zone


def naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def agree(reading: Reading, expected: datetime) -> bool:
    """Within 2 s, the guest's reading not before QMP's."""
    late = timedelta(seconds=reading.after - reading.before + 2)
    return (
        expected - timedelta(seconds=1) <= reading.qom <= expected + late
        and reading.qom <= reading.cmos <= expected + late
    )


@pytest.mark.parametrize("args", ["", "base=utc", "base=utc,clock=vm", "base=utc,driftfix=slew"])
def test_utc_is_the_host_s_time_whatever_its_zone(args: str) -> None:
    reading = run_probe(Probe(args, "Asia/Shanghai"))
    assert agree(reading, naive(datetime.fromtimestamp(reading.before, UTC)))


@pytest.mark.parametrize("name", ZONES)
def test_localtime_is_that_of_the_process_s_zone_at_any_instant(name: str) -> None:
    dice = random.Random(name)
    first, last = datetime(1975, 1, 1, tzinfo=UTC), datetime(2035, 12, 31, tzinfo=UTC)
    span = int((last - first).total_seconds())
    instants = [first + timedelta(seconds=dice.randrange(span)) for _ in range(5)]
    for instant in (*instants, *(EDGES if name == "America/New_York" else ())):
        epoch = int(instant.timestamp())
        expected = instant.astimezone(system_zone(name)).replace(tzinfo=None)
        for rtc_args in ("base=localtime", "base=localtime,clock=rt"):
            reading = run_probe(Probe(rtc_args, name, epoch))
            assert reading.before == epoch
            assert agree(reading, expected), shell_line(Probe(rtc_args, name, epoch))


@pytest.mark.parametrize(
    ("zone", "offset"), [("CST-8", 8), ("Bogus/Zone", 0), ("", 0), ("<+0330>-3:30", 3.5)]
)
def test_a_zone_that_is_no_name_of_one_is_what_glibc_makes_of_it(zone: str, offset: float) -> None:
    instant = datetime(2027, 7, 15, 12, tzinfo=UTC)
    reading = run_probe(Probe("base=localtime", zone, int(instant.timestamp())))
    assert agree(reading, naive(instant) + timedelta(hours=offset))


def test_a_date_is_itself_at_any_instant() -> None:
    expected = datetime(2000, 2, 29, 23, 59, 50)
    for epoch in (None, 0, 1804915199):
        reading = run_probe(Probe("base=2000-02-29T23:59:50", "Asia/Tokyo", epoch))
        assert agree(reading, expected)


def test_a_host_s_own_localtime_file_counts(tmp_path: Path) -> None:
    host = tmp_path / "localtime"
    shutil.copy("/usr/share/zoneinfo/Asia/Kathmandu", host)
    reading = run_probe(Probe("base=localtime", epoch=1804915199, localtime_file=host))
    expected = naive(datetime.fromtimestamp(1804915199, UTC)) + timedelta(hours=5, minutes=45)
    assert agree(reading, expected)


def test_another_folder_of_zones_counts(tmp_path: Path) -> None:
    (tmp_path / "Here").mkdir()
    shutil.copy("/usr/share/zoneinfo/Asia/Kathmandu", tmp_path / "Here" / "Now")
    reading = run_probe(Probe("base=localtime", "Here/Now", 1804915199, zoneinfo=tmp_path))
    expected = naive(datetime.fromtimestamp(1804915199, UTC)) + timedelta(hours=5, minutes=45)
    assert agree(reading, expected)


def test_what_qemu_refuses_is_told_in_its_own_words() -> None:
    with pytest.raises(ProbeError, match="invalid datetime format"):
        run_probe(Probe("base=now"))


def test_the_shell_line_does_the_same() -> None:
    line = shell_line(Probe("base=2000-02-29T12:00:00", "Asia/Tokyo", 1804915199))
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    assert done.returncode == 33
    assert '"tm_year": 100' in done.stdout
    assert done.stderr.startswith("20000229120000")
