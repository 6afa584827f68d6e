"""The rule of a TZ string, such as "CET-1CEST,M3.5.0,M10.5.0/3", as zone files end with one.

Source: POSIX.1, chapter 8.3 (TZ), with RFC 9636, section 3.3.1: hours of a change from -167 to
167. In the string offsets are positive west of UTC, here they are seconds east of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from guestclock.disks.problem import Damaged

DAY = 86400
_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_TIME = r"[+-]?\d{1,3}(?::\d{1,2}(?::\d{1,2})?)?"
_DATE = rf"(?:M\d{{1,2}}\.\d\.\d|J?\d{{1,3}})(?:/{_TIME})?"
_STRING = re.compile(
    rf"{_NAME}({_TIME})(?:({_NAME})({_TIME})?(?:,({_DATE}),({_DATE}))?)?", re.ASCII
)


class Change(NamedTuple):
    """A day of each year and the second of it, in the local time that ends then.

    `form` is M (month, week, weekday), J (day 1 to 365, without 29 February) or N (day 0 to 365).
    """

    form: str
    day: tuple[int, ...]
    second: int

    def at(self, year: int) -> int:
        """When it is in a year, in seconds since 1970 if local time were UTC."""
        return DAY * self._day_number(year) + self.second

    def _day_number(self, year: int) -> int:
        first = days_before(year, 1, 1)
        if self.form == "N":
            return first + self.day[0]
        if self.form == "J":
            leaps = is_leap(year) and self.day[0] >= 60
            return first + self.day[0] - 1 + leaps
        month, week, weekday = self.day
        start = days_before(year, month, 1)
        length = days_before(year + month // 12, month % 12 + 1, 1) - start
        # The first of January 1970 was a Thursday, day 4 of its week.
        day = (weekday - (start + 4)) % 7 + 7 * (week - 1)
        return start + (day if day < length else day - 7)


class PosixRule(NamedTuple):
    """The offsets of a zone from some instant on; without `begins` the standard one for ever."""

    standard: int
    summer: int = 0
    begins: Change | None = None
    ends: Change | None = None

    def changes(self, year: int) -> list[tuple[int, int]]:
        """The changes of a year as pairs of an instant and the offset from it on, in order."""
        if self.begins is None or self.ends is None:
            return []
        summer = (self.begins.at(year) - self.standard, True, self.summer)
        winter = (self.ends.at(year) - self.summer, False, self.standard)
        # Where one year's summer time ends as the next one's begins, it is always summer time.
        return [(at, offset) for at, _, offset in sorted((summer, winter))]

    def offset_at(self, seconds: int) -> int:
        """The offset that holds at an instant."""
        if self.begins is None:
            return self.standard
        year = year_of(seconds)
        around = [(at, at_index, offset) for at_index, (at, offset) in enumerate(self._near(year))]
        before = [one for one in around if one[0] <= seconds]
        return max(before)[2] if before else self.standard

    def _near(self, year: int) -> list[tuple[int, int]]:
        near = (self.changes(one) for one in (year - 1, year, year + 1))
        return [change for changes in near for change in changes]


def posix_rule(text: str) -> PosixRule:
    """The rule of a TZ string. Raises Damaged for any other text."""
    match = _STRING.fullmatch(text)
    if match is None:
        raise Damaged(f"{text[:60]!r} is no rule of a time zone")
    west, named, summer_west, begins, ends = match.groups()
    standard = -_seconds(west, 24)
    if named is None:
        return PosixRule(standard)
    if begins is None:
        raise Damaged(f"{text[:60]!r} does not say when summer time begins")
    summer = standard + 3600 if summer_west is None else -_seconds(summer_west, 24)
    return PosixRule(standard, summer, _change(begins), _change(ends))


def _change(text: str) -> Change:
    date, _, time = text.partition("/")
    second = _seconds(time or "2", 167)
    if date.startswith("M"):
        month, week, weekday = (int(one) for one in date[1:].split("."))
        if not (1 <= month <= 12 and 1 <= week <= 5 and weekday <= 6):
            raise Damaged(f"{text[:60]!r} is no day of a year")
        return Change("M", (month, week, weekday), second)
    form, day = ("J", int(date[1:])) if date.startswith("J") else ("N", int(date))
    if not (form == "J") <= day <= 365:
        raise Damaged(f"{text[:60]!r} is no day of a year")
    return Change(form, (day,), second)


def _seconds(text: str, most: int) -> int:
    parts = [int(one) for one in text.lstrip("+-").split(":")]
    hours, minutes, seconds = (*parts, 0, 0)[:3]
    if hours > most or minutes > 59 or seconds > 59:
        raise Damaged(f"{text!r} is no time in the rule of a time zone")
    return (-1 if text.startswith("-") else 1) * (3600 * hours + 60 * minutes + seconds)


def is_leap(year: int) -> bool:
    """Whether a year of the Gregorian calendar has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar, whatever the year.

    Years are counted from March, so that the odd day is the last one of its year.
    """
    late = month <= 2
    years = year - late
    of_year = (153 * (month + 12 * late - 3) + 2) // 5 + day - 1
    return 365 * years + years // 4 - years // 100 + years // 400 + of_year - 719468


def year_of(seconds: int) -> int:
    """The year in UTC of an instant in seconds since 1970, however far away."""
    days = seconds // DAY
    year = 1970 + days * 400 // 146097
    while days_before(year, 1, 1) > days:
        year -= 1
    while days_before(year + 1, 1, 1) <= days:
        year += 1
    return year
