"""A real Linux kernel and hwclock on a real QEMU: the slower proof of how a guest takes its RTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from guestclock.lab.errors import LabError
from guestclock.lab.kernel import fetch_kernel, find_kernel
from guestclock.lab.linux import boot_linux

pytestmark = pytest.mark.real

INSTANT = datetime(2027, 7, 15, 12, 0, tzinfo=UTC)
EPOCH = int(INSTANT.timestamp())
NAIVE = INSTANT.replace(tzinfo=None)
HOUR = timedelta(hours=1)
BOOT = timedelta(seconds=60)


@pytest.fixture(scope="session", autouse=True)
def kernel() -> None:
    """On a machine without a kernel, such as a container, it is taken from its package."""
    try:
        find_kernel()
    except LabError:
        fetch_kernel()


def soon_after(seen: datetime, expected: datetime) -> bool:
    return expected - timedelta(seconds=1) <= seen <= expected + BOOT


@pytest.mark.parametrize(
    ("rtc_args", "host_zone", "adjtime", "error"),
    [
        ("base=utc", None, "UTC", 0),
        ("base=utc", "America/New_York", "LOCAL", -8),
        ("base=localtime", "Asia/Shanghai", "UTC", 8),
        ("base=localtime", "Asia/Shanghai", "LOCAL", 0),
        ("base=localtime", "America/New_York", "LOCAL", -12),
    ],
)
def test_linux_is_off_by_the_rtc_s_offset_minus_the_one_it_assumes(
    rtc_args: str, host_zone: str | None, adjtime: str, error: int
) -> None:
    reading = boot_linux(
        rtc_args, "Asia/Shanghai", "LOCAL" if adjtime == "LOCAL" else "UTC", host_zone, EPOCH
    )
    assert soon_after(reading.utc, NAIVE + error * HOUR)
    assert reading.local == reading.utc + 8 * HOUR
    assumed = 8 * HOUR if adjtime == "LOCAL" else 0 * HOUR
    assert abs(reading.rtc - assumed - reading.utc) <= timedelta(seconds=1)


def test_linux_takes_the_offset_at_the_rtc_s_reading_and_so_errs_before_a_change() -> None:
    # Clocks go forward at 07:00 UTC. Two hours later the RTC says 05:00 of summer time, which taken
    # for UTC is before the change: winter's offset is used. Five hours later it is past it.
    change = datetime(2027, 3, 14, 7, 0, tzinfo=UTC)
    for hours, error in ((-2, 0), (2, 1), (5, 0)):
        instant = change + hours * HOUR
        reading = boot_linux(
            "base=localtime",
            "America/New_York",
            "LOCAL",
            "America/New_York",
            int(instant.timestamp()),
        )
        assert soon_after(reading.utc, instant.replace(tzinfo=None) + error * HOUR)


def test_what_keeps_linux_from_its_clock_is_said() -> None:
    with pytest.raises(LabError, match="no zone 'Bogus/Zone'"):
        boot_linux("base=utc", "Bogus/Zone", "UTC")
    with pytest.raises(LabError, match="invalid datetime format"):
        boot_linux("base=now", "UTC", "UTC")
    with pytest.raises(LabError, match=r"did not boot within 0\.2 s"):
        boot_linux("base=utc", "UTC", "UTC", timeout=0.2)
