"""libvirt's `<clock>` element, read and written exactly as libvirt does.

Source: libvirt src/conf/domain_conf.c (virDomainClockDefParse, virDomainTimerDefParseXML,
virDomainClockDefFormat) and domain_validate.c, compared with libvirt 9.0 through its test driver:
what is accepted, what is refused, and the normal form.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from guestclock.clock import (
    Absolute,
    Base,
    Basis,
    Catchup,
    Clock,
    Localtime,
    Timer,
    Utc,
    Variable,
    Zone,
    describe,
)

if TYPE_CHECKING:
    from lxml import etree

TIMER_NAMES = ("platform", "pit", "rtc", "hpet", "tsc", "kvmclock", "hypervclock", "armvtimer")
TICK_POLICIES = ("delay", "catchup", "merge", "discard")
TRACKS = ("boot", "guest", "wall", "realtime")
MODES = ("auto", "native", "emulate", "paravirt", "smpsafe")

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)
# Of 64 bits; int() itself refuses a text of thousands of digits, and takes long to do so.
_MOST_DIGITS = 20
_C_SPACE = " \t\n\v\f\r"


class BadClock(ValueError):
    """A `<clock>` that libvirt refuses to define; the message says what is wrong with it."""


Attributes: TypeAlias = tuple[tuple[str, str], ...]
RawTimer: TypeAlias = tuple[Attributes, Attributes | None]
RawClock: TypeAlias = tuple[tuple[Attributes, tuple[RawTimer, ...]], ...]
"""The `<clock>` elements of a domain as they stand: attributes, and the timers with their
`<catchup>`. Equal clocks are equal keys, so that each is understood once for a whole fleet."""


def parse_clock(domain: etree._Element) -> Clock:
    """The clock of a `<domain>` element, in libvirt's normal form. Raises BadClock.

    Several `<clock>` elements count as one: the first that has an attribute gives it.
    """
    return clock_of(tuple(raw_clock(element) for element in domain.findall("clock")))


def raw_clock(element: etree._Element) -> tuple[Attributes, tuple[RawTimer, ...]]:
    """One `<clock>` element as it stands."""
    timers = tuple([_raw_timer(child) for child in element if child.tag == "timer"])
    return _attributes(element), timers


def _raw_timer(timer: etree._Element) -> RawTimer:
    # Nearly all timers are empty, and asking for a child takes longer than counting them.
    catchup = timer.find("catchup") if len(timer) else None
    return _attributes(timer), None if catchup is None else _attributes(catchup)


def _attributes(element: etree._Element) -> Attributes:
    # The stubs say str or bytes; a parsed document has str alone.
    return tuple(element.items())  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def clock_of(raw: RawClock) -> Clock:
    """The clock of raw elements, in libvirt's normal form. Raises BadClock."""
    attributes: dict[str, str] = {}
    for given, _ in raw:
        for name, value in given:
            attributes.setdefault(name, value)
    timers = tuple(_timer(timer, catchup) for _, given in raw for timer, catchup in given)
    return Clock(parse_base(attributes), timers)


def parse_base(attributes: dict[str, str]) -> Base:
    """The base that a clock's attributes say. Raises BadClock."""
    offset = attributes.get("offset") or "utc"
    match offset:
        case "utc" | "localtime":
            return _utc_or_localtime(offset, attributes.get("adjustment"))
        case "timezone":
            zone = attributes.get("timezone")
            if not zone:
                raise BadClock("offset='timezone' needs a timezone='...' attribute")
            return Zone(zone)
        case "variable":
            # What is not a number counts as 0, without an error.
            adjustment = _integer(attributes.get("adjustment", ""), _INT64)
            return Variable(adjustment or 0, _basis(attributes.get("basis")))
        case "absolute":
            start = _integer(attributes.get("start", ""), _UINT64)
            if start is None:
                raise BadClock("offset='absolute' needs start='SECONDS since 1970'")
            return Absolute(start)
        case _:
            known = "utc, localtime, timezone, variable, absolute"
            raise BadClock(f"unknown clock offset {offset!r}: libvirt knows {known}")


def _utc_or_localtime(offset: str, adjustment: str | None) -> Base:
    if not adjustment or adjustment == "reset":
        reset = adjustment == "reset"
        return Utc(reset) if offset == "utc" else Localtime(reset)
    seconds = _integer(adjustment, _INT64)
    if seconds is None:
        raise BadClock(f"unknown clock adjustment {adjustment!r}: give seconds or 'reset'")
    return Variable(seconds, Basis(offset))


def _basis(text: str | None) -> Basis:
    try:
        return Basis(text or "utc")
    except ValueError:
        raise BadClock(f"unknown clock basis {text!r}: libvirt knows utc, localtime") from None


def _integer(text: str, allowed: range) -> int | None:
    """A number as C's strtoll reads it: leading space and a sign are fine, a tail is not."""
    digits = text.lstrip(_C_SPACE)
    unsigned = digits[1:] if digits[:1] in ("+", "-") else digits
    if not (unsigned.isascii() and unsigned.isdigit()):
        return None
    if digits[0] == "-" and allowed.start == 0:
        return None
    if len(unsigned.lstrip("0")) > _MOST_DIGITS:
        return None
    value = int(digits)
    return value if value in allowed else None


def parse_timer(element: etree._Element) -> Timer:
    """One `<timer>`. Raises BadClock."""
    return _timer(*_raw_timer(element))


def parse_timer_attributes(timer: dict[str, str], catchup: dict[str, str]) -> Timer:
    """A timer from its attributes and those of its `<catchup>`. Raises BadClock."""
    return _timer(tuple(sorted(timer.items())), tuple(sorted(catchup.items())))


@lru_cache(maxsize=4096)
def _timer(attributes: Attributes, catchup: Attributes | None) -> Timer:
    given = dict(attributes)
    name = _one_of(given, "name", TIMER_NAMES, "timer")
    if name is None:
        raise BadClock("a timer needs a name")
    present = _one_of(given, "present", ("yes", "no"), "timer")
    timer = Timer(
        name=name,
        present=None if present is None else present == "yes",
        tickpolicy=_one_of(given, "tickpolicy", TICK_POLICIES, "timer"),
        track=_one_of(given, "track", TRACKS, "timer"),
        frequency=_count(given, "frequency", "timer"),
        mode=_one_of(given, "mode", MODES, "timer"),
        catchup=_catchup(dict(catchup or ())),
    )
    _check_timer(timer)
    return timer


def _catchup(given: dict[str, str]) -> Catchup:
    return Catchup(
        _count(given, "threshold", "catchup"),
        _count(given, "slew", "catchup"),
        _count(given, "limit", "catchup"),
    )


def _one_of(
    given: dict[str, str], attribute: str, known: tuple[str, ...], element: str
) -> str | None:
    text = given.get(attribute)
    if text is not None and text not in known:
        raise BadClock(f"{element} {attribute}={text!r}: libvirt knows {', '.join(known)}")
    return text


def _count(given: dict[str, str], attribute: str, element: str) -> int:
    text = given.get(attribute)
    if text is None:
        return 0
    value = _integer(text, _UINT64)
    if value is None:
        raise BadClock(f"{element} {attribute}={text!r} is not a whole number from 0")
    return value


def _check_timer(timer: Timer) -> None:
    if timer.catchup != Catchup() and timer.tickpolicy != "catchup":
        raise BadClock("a timer's <catchup> needs tickpolicy='catchup'")
    if timer.track and timer.name not in ("platform", "rtc"):
        raise BadClock(f"timer {timer.name} has no track: only platform and rtc do")
    if timer.tickpolicy and timer.name in ("kvmclock", "hypervclock"):
        raise BadClock(f"timer {timer.name} has no tickpolicy")
    if timer.name != "tsc" and (timer.frequency or timer.mode):
        raise BadClock(f"timer {timer.name} has no frequency and no mode: only tsc does")


def format_clock(clock: Clock) -> str:
    """The `<clock>` element as libvirt writes it into a domain's definition."""
    attributes = _format_base(clock.base)
    if not clock.timers:
        return f"<clock {attributes}/>"
    timers = "".join(f"  {_format_timer(timer)}\n" for timer in clock.timers)
    return f"<clock {attributes}>\n{timers}</clock>"


def _format_base(base: Base) -> str:
    if isinstance(base, Zone):
        return f"offset='timezone' timezone={_quote(base.name)}"
    return describe(base)


# As libvirt writes them; white space by number, or it would be read back as plain spaces.
_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&apos;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)


def _quote(text: str) -> str:
    return f"'{text.translate(_ESCAPES)}'"


def _format_timer(timer: Timer) -> str:
    words = [f"timer name='{timer.name}'"]
    if timer.present is not None:
        words.append(f"present='{'yes' if timer.present else 'no'}'")
    if timer.tickpolicy:
        words.append(f"tickpolicy='{timer.tickpolicy}'")
    if timer.track:
        words.append(f"track='{timer.track}'")
    if timer.frequency:
        words.append(f"frequency='{timer.frequency}'")
    if timer.mode:
        words.append(f"mode='{timer.mode}'")
    figures = [
        f"{name}='{value}'"
        for name in ("threshold", "slew", "limit")
        if (value := getattr(timer.catchup, name))
    ]
    if not figures:
        return f"<{' '.join(words)}/>"
    return f"<{' '.join(words)}>\n    <catchup {' '.join(figures)}/>\n  </timer>"
