"""QEMU's `-rtc` argument: its grammar, and where it makes a new RTC start.

Source: QEMU system/rtc.c (configure_rtc, configure_rtc_base_datetime, qemu_get_timedate) and
hw/rtc/mc146818rtc.c; measured on QEMU 7.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from guestclock.clock import Track

EPOCH = datetime(1970, 1, 1)

# sscanf("%d-%d-%dT%d:%d:%d"), else sscanf("%d-%d-%d"): what follows a match is ignored.
_DATETIME = re.compile(
    r"\s*([+-]?\d+)-([+-]?\d+)-([+-]?\d+)(?:T([ +-]*\d+):([ +-]*\d+):([ +-]*\d+))?"
)


class BadRtcArguments(ValueError):
    """A `-rtc` value that QEMU itself would refuse."""


@dataclass(frozen=True, slots=True)
class RtcArguments:
    """`-rtc base=...,clock=...,driftfix=...`.

    `base` is "utc", "localtime", or the text of a date as QEMU was given it.
    """

    base: str = "utc"
    track: Track = Track.HOST
    slew: bool = False

    def __str__(self) -> str:
        text = f"base={self.base}"
        if self.track is not Track.HOST:
            text += f",clock={self.track.value}"
        return text + (",driftfix=slew" if self.slew else "")

    @property
    def start(self) -> int | None:
        """Seconds since 1970 of a date base, days and hours out of range carried over."""
        return None if self.base in ("utc", "localtime") else start_of_date(self.base)


def parse_arguments(text: str) -> RtcArguments:
    """Read what follows `-rtc`, as QEMU does: a key given twice counts as given last."""
    base, track, slew = "utc", Track.HOST, False
    for part in text.split(","):
        key, _, value = part.partition("=")
        match key:
            case "base":
                if value not in ("utc", "localtime"):
                    start_of_date(value)
                base = value
            case "clock":
                try:
                    track = Track(value)
                except ValueError:
                    raise BadRtcArguments(f"clock={value} is not host, rt or vm") from None
            case "driftfix":
                if value not in ("none", "slew"):
                    raise BadRtcArguments(f"driftfix={value} is not none or slew")
                slew = value == "slew"
            case "":
                pass
            case _:
                raise BadRtcArguments(f"-rtc has no option {key!r}: use base, clock, driftfix")
    return RtcArguments(base, track, slew)


def start_of_date(text: str) -> int:
    """Seconds since 1970 that QEMU makes of a date: the 30th of February is the 1st of March.

    Raises BadRtcArguments where QEMU says "invalid datetime format", which includes the one
    second before 1970, its own mark for a failure.
    """
    found = _DATETIME.match(text)
    if not found:
        raise BadRtcArguments(
            f"base={text} is not utc, localtime or a date such as 2026-11-23T12:00:00"
        )
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    if month < 3:
        month, year = month + 12, year - 1
    # QEMU's mktimegm divides as C does, towards zero.
    days = (
        day
        + _c_divide(153 * month - 457, 5)
        + 365 * year
        + _c_divide(year, 4)
        - _c_divide(year, 100)
        + _c_divide(year, 400)
        - 719469
    )
    seconds = 86400 * days + 3600 * hour + 60 * minute + second
    if seconds == -1:
        raise BadRtcArguments("base=1969-12-31T23:59:59 is refused by QEMU as invalid")
    return seconds


def _c_divide(numerator: int, denominator: int) -> int:
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def date_base(seconds: int) -> str:
    """The date text that libvirt passes for an instant, in seconds since 1970."""
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


def wrapped_offset(start: int, host_now: int, track: Track) -> int:
    """Seconds between the RTC and the host's clock for a date base.

    With clock=host QEMU keeps the difference in 32 bits, so that more than 2^31 s (68 years)
    comes out 2^32 s (136 years) off, without an error. clock=rt and clock=vm do not wrap.
    """
    difference = start - host_now
    if track is not Track.HOST:
        return difference
    # The int holds now minus start, so the one value that differs from a plain int32 is -2^31.
    return -((host_now - start + 2**31) % 2**32 - 2**31)
