"""A zone's rules as Windows has them: a bias and two changes a year, for each year its own.

Biases are in minutes, UTC minus local time: west of Greenwich is positive. Offsets are in seconds,
positive east. Rules: Microsoft, TIME_ZONE_INFORMATION and DYNAMIC_TIME_ZONE_INFORMATION.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from struct import Struct
from typing import NamedTuple

from guestclock.disks.fields import unpack
from guestclock.disks.problem import Damaged
from guestclock.disks.registry.keys import Key
from guestclock.disks.registry.values import Value

_TZI = Struct("<iii8H8H")
_FIELDS = Struct("<8H")
_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST_YEAR, _LAST_YEAR = 1601, 9998
_LAST = 5


class Change(NamedTuple):
    """When clocks change, in the local time before it.

    With `year` 0 each year, on the `day`th `weekday` (0 = Sunday) of the month, 5 being the last;
    else once, on that very date. `seconds` are since midnight.
    """

    year: int
    month: int
    weekday: int
    day: int
    seconds: int

    def wall(self, year: int) -> int | None:
        """Its local time in a year, in seconds since 1970 as if it were UTC; None if not in it."""
        if self.year:
            if self.year != year:
                return None
            day = date(year, self.month, self.day).toordinal()
        else:
            first = _first_of(year, self.month)
            day = first + (self.weekday - first) % 7 + 7 * (self.day - 1)
            if day >= _after_month(year, self.month):
                day -= 7
        return (day - _EPOCH) * _DAY + self.seconds


class YearRule(NamedTuple):
    """The rule of one year. `standard` and `daylight` begin their time; None where all is one."""

    bias: int
    standard_bias: int = 0
    daylight_bias: int = 0
    standard: Change | None = None
    daylight: Change | None = None

    def offset(self, daylight: bool) -> int:
        """Seconds east of UTC."""
        return -60 * (self.bias + (self.daylight_bias if daylight else self.standard_bias))

    def without_daylight(self) -> YearRule:
        """The same with standard time all year, as DynamicDaylightTimeDisabled has it."""
        return self._replace(standard=None, daylight=None)


def tzi_rule(data: bytes) -> YearRule:
    """A REG_TZI_FORMAT structure: the value TZI of a zone, and those of its Dynamic DST.

    Raises Damaged, also for what no zone can have.
    """
    bias, standard_bias, daylight_bias, *dates = unpack(_TZI, data)
    return _rule(bias, standard_bias, daylight_bias, dates[:8], dates[8:])


def saved_rule(key: Key) -> YearRule | None:
    """The rule that Control\\TimeZoneInformation holds, which is that of one year.

    Its StandardStart and DaylightStart have the day of the week last, unlike a TZI. None if
    something of it is missing. Raises Damaged.
    """
    biases = [_number(key.value(one)) for one in ("Bias", "StandardBias", "DaylightBias")]
    starts = [key.value(one) for one in ("StandardStart", "DaylightStart")]
    if None in biases or None in starts:
        return None
    bias, standard_bias, daylight_bias = (one or 0 for one in biases)
    standard, daylight = (_moved(one.data) for one in starts if one is not None)
    return _rule(bias, standard_bias, daylight_bias, standard, daylight)


def zone_rules(key: Key) -> Callable[[int], YearRule]:
    """The rule of each year, from the key of a zone below `Time Zones`.

    Where it has Dynamic DST, years before its FirstEntry follow that one's rule, and years after
    its LastEntry that one's. A year's value is read when it is asked for. Raises Damaged, also
    from what it returns.
    """
    value = key.value("TZI")
    if value is None:
        raise Damaged(f"the zone {key.name[:60]!r} has no TZI")
    usual = tzi_rule(value.data)
    dynamic = key.key("Dynamic DST")
    if dynamic is None:
        return lambda year: usual
    years = dynamic
    first = _entry(years, "FirstEntry")
    last = _entry(years, "LastEntry")
    if not _FIRST_YEAR <= first <= last <= _LAST_YEAR:
        raise Damaged(f"the zone {key.name[:60]!r} has rules from {first} to {last}")
    known: dict[int, YearRule] = {}

    def rule(year: int) -> YearRule:
        year = min(max(year, first), last)
        if year not in known:
            value = years.value(str(year))
            if value is None:
                raise Damaged(f"the zone {key.name[:60]!r} has no rule for {year}")
            known[year] = tzi_rule(value.data)
        return known[year]

    return rule


def offsets(
    rule_for_year: Callable[[int], YearRule], begin: int, until: int
) -> tuple[tuple[int, int], ...]:
    """Pairs of an instant (seconds since 1970) and the offset (seconds east) from it on.

    The first is at `begin`, the others are changes before `until`. A year's rule begins with its
    local new year, by the offset of the year before. Raises what `rule_for_year` raises.
    """
    first = min(max(_year(begin - _DAY), _FIRST_YEAR), _LAST_YEAR)
    last = min(max(_year(until + _DAY), first), _LAST_YEAR)
    found: list[tuple[int, int]] = []
    at = offset = None
    for year in range(first, last + 1):
        for instant, new in _changes(rule_for_year(year), year, offset):
            at = instant if at is None else max(at, instant)
            offset = new
            if at <= begin or not found:
                found = [(begin, new)]
            elif at < until and found[-1][1] != new:
                if found[-1][0] == at:
                    found.pop()
                found.append((at, new))
    return tuple(found)


def _changes(rule: YearRule, year: int, before: int | None) -> list[tuple[int, int]]:
    """The instants of one year at which an offset begins, with that of its new year first."""
    start, end = _new_year(year), _new_year(year + 1)
    steps = _steps(rule, year)
    summer = _summer_before(rule, year, steps)
    # A change at new year's midnight or at the very end of the year is only another way to say
    # with which time a year begins: zones that give a time up are written like that.
    while steps and steps[0][0] <= start:
        summer = steps.pop(0)[1]
    offset = rule.offset(summer)
    found = [(start - (offset if before is None else before), offset)]
    for wall, summer in steps:
        if wall < end:
            found.append((wall - offset, rule.offset(summer)))
            offset = rule.offset(summer)
    return found


def _steps(rule: YearRule, year: int) -> list[tuple[int, bool]]:
    """The changes of a year in local time, and whether summer time begins."""
    if rule.standard is None or rule.daylight is None:
        return []
    walls = ((rule.standard.wall(year), False), (rule.daylight.wall(year), True))
    steps = sorted((wall, summer) for wall, summer in walls if wall is not None)
    # Two changes at once are none.
    return [] if len(steps) == 2 and steps[0][0] == steps[1][0] else steps


def _summer_before(rule: YearRule, year: int, steps: list[tuple[int, bool]]) -> bool:
    """Whether a year begins with summer time, as in the south."""
    if steps:
        return not steps[0][1]
    standard, daylight = rule.standard, rule.daylight
    if standard is None or daylight is None or not standard.year or not daylight.year:
        return False
    past = [(one.year, one.month, one.day, one is daylight) for one in (standard, daylight)]
    return max((one for one in past if one[0] < year), default=(0, 0, 0, False))[3]


def _rule(
    bias: int, standard_bias: int, daylight_bias: int, standard: list[int], daylight: list[int]
) -> YearRule:
    for extra in (standard_bias, daylight_bias):
        if abs(bias + extra) >= 24 * 60:
            raise Damaged(f"a zone cannot be {bias + extra} minutes from UTC")
    changes = _change(standard), _change(daylight)
    if None in changes:
        return YearRule(bias, standard_bias, daylight_bias)
    return YearRule(bias, standard_bias, daylight_bias, *changes)


def _change(fields: list[int]) -> Change | None:
    """From year, month, day of the week, day, hour, minute, second, millisecond."""
    year, month, weekday, day, hour, minute, second, milliseconds = fields
    if not month:
        return None
    fits = month <= 12 and weekday <= 6 and hour <= 23 and minute <= 59 and second <= 59
    if year:
        fits = fits and _FIRST_YEAR <= year <= _LAST_YEAR
        fits = fits and 1 <= day <= _after_month(year, month) - _first_of(year, month)
    else:
        fits = fits and 1 <= day <= _LAST
    if not fits or milliseconds > 999:
        raise Damaged(f"clocks cannot change at {fields}")
    # 23:59:59.999 is how the end of a day is written.
    seconds = 3600 * hour + 60 * minute + second + (milliseconds > 0)
    return Change(year, month, weekday, day, seconds)


def _moved(data: bytes) -> list[int]:
    """TIME_FIELDS, which have the day of the week at their end, in the order of a SYSTEMTIME."""
    year, month, day, hour, minute, second, milliseconds, weekday = unpack(_FIELDS, data)
    return [year, month, weekday, day, hour, minute, second, milliseconds]


def _number(value: Value | None) -> int | None:
    return None if value is None else value.signed()


def _entry(key: Key, name: str) -> int:
    value = key.value(name)
    number = None if value is None else value.dword()
    if number is None:
        raise Damaged(f"Dynamic DST has no {name}")
    return number


def _first_of(year: int, month: int) -> int:
    return date(year, month, 1).toordinal()


def _after_month(year: int, month: int) -> int:
    """The ordinal of the first day of the next month."""
    return _first_of(year + month // 12, month % 12 + 1)


def _new_year(year: int) -> int:
    return (_first_of(year, 1) - _EPOCH) * _DAY


def _year(seconds: int) -> int:
    ordinal = seconds // _DAY + _EPOCH
    if ordinal < 1:
        return 1
    return date.fromordinal(min(ordinal, date.max.toordinal())).year
