"""Cases: a clock, a guest, a host and a list of steps as plain data, as `predict --cases` reads.

A case is an object with `id` and `input`; `docs/guide/predict.md` lists every key. Whatever is
missing and needed becomes an Unknown in the result; whatever is wrong is a `BadCase`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from guestclock.clock import Clock, Timer
from guestclock.evidence import Assumed, value_of
from guestclock.guest import NO_BIAS, NO_ZONE, SYSTEMS, Guest
from guestclock.law import NO_HOST_ZONE, Host
from guestclock.lifecycle import (
    HostClockStep,
    Migrate,
    Pause,
    PowerOn,
    Redefine,
    Reset,
    Restore,
    Resume,
    Save,
    State,
    Step,
    Stop,
    WriteBias,
    WriteRtc,
)
from guestclock.platforms.libvirt.dialect import BadClock, parse_base, parse_timer_attributes
from guestclock.prediction import Prediction
from guestclock.zones import UnknownZone, Zones, posix_zone

FIELDS = ("rtc_args", "process_zone", "rtc", "shown", "true_local", "error_seconds", "guest_utc")


INPUT_KEYS = (
    "clock",
    "host_zone",
    "libvirtd_zone",
    "host_clock_error_seconds",
    "guest",
    "guest_zone",
    "active_time_bias_minutes",
    "utc_offset_minutes",
    "steps",
)
STEP_KEYS = (
    "do",
    "at",
    "rtc",
    "active_time_bias_minutes",
    "host_zone",
    "host_clock_error_seconds",
    "clock",
    "seconds",
)
YEARS = range(1900, 2500)
"""Of the instants of steps: the sums that the law makes of them stay within the calendar."""

_LARGEST = 10**9


class BadCase(ValueError):
    """A case that cannot be read; the message names the key and says what belongs there."""


@dataclass(frozen=True, slots=True)
class CaseInput:
    """The state before the first step, and the steps."""

    state: State
    steps: tuple[Step, ...]


def read_case(data: Mapping[str, object], zones: Zones) -> CaseInput:
    """A case's `input`. Raises BadCase."""
    if not isinstance(data, Mapping):
        raise BadCase("a case's input is an object with clock, guest, host_zone and steps")
    clock = read_clock(data.get("clock"))
    steps = tuple(step for item in _list(data, "steps") for step in read_step(item, zones))
    if not steps:
        raise BadCase("steps is empty: the first step is a start")
    for number, (before, after) in enumerate(pairwise(steps), 2):
        if after.at < before.at:
            raise BadCase(f"step {number} goes back in time, from {before.at} to {after.at}")
    return CaseInput(State(clock, _host(data, zones), _guest(data, zones)), steps)


def unread_keys(data: Mapping[str, object]) -> list[str]:
    """The keys of a case's input and of its steps that nothing reads: misspelt, most likely."""
    steps = data.get("steps")
    items = steps if isinstance(steps, list) else []
    found = [key for key in data if key not in INPUT_KEYS]
    found += [key for item in items if isinstance(item, Mapping) for key in unread_step_keys(item)]
    return list(dict.fromkeys(found))


def unread_step_keys(step: Mapping[str, object]) -> list[str]:
    """The keys of a step that nothing reads."""
    return [key for key in step if key not in STEP_KEYS]


def _host(data: Mapping[str, object], zones: Zones) -> Host:
    zone = _host_zone(data, zones)
    return Host(
        zone=NO_HOST_ZONE if zone is None else Assumed(zone, "host_zone"),
        daemon_zone=_text(data, "libvirtd_zone"),
        clock_error=_whole(data, "host_clock_error_seconds") or 0,
    )


def _host_zone(data: Mapping[str, object], zones: Zones) -> str | None:
    """A zone that a host can have: an IANA name, a Windows one for it, or a POSIX rule."""
    name = _text(data, "host_zone")
    if name is None or posix_zone(name):
        return name
    try:
        return zones.iana(name)
    except UnknownZone as problem:
        raise BadCase(f"host_zone: {problem}") from None


def _guest(data: Mapping[str, object], zones: Zones) -> Guest:
    system = _text(data, "guest") or "unknown"
    if system not in SYSTEMS:
        raise BadCase(f"guest {system!r} is not one of {', '.join(SYSTEMS)}")
    zone, bias = _text(data, "guest_zone"), _whole(data, "active_time_bias_minutes")
    try:
        zone = zone and zones.iana(zone)
    except UnknownZone as problem:
        raise BadCase(f"guest_zone: {problem}") from None
    return Guest(
        system=system,
        zone=Assumed(zone, "guest_zone") if zone else NO_ZONE,
        bias_minutes=NO_BIAS if bias is None else Assumed(bias, "active_time_bias_minutes"),
        utc_offset_minutes=_whole(data, "utc_offset_minutes") or 0,
        kind=Assumed(system, "guest"),
    )


def read_clock(data: object) -> Clock:
    """A clock from its attributes as libvirt names them, and `timers`. Raises BadCase.

    None is no `<clock>` at all, and a null attribute is one that is not there.
    """
    if data is None:
        return Clock()
    if not isinstance(data, Mapping):
        raise BadCase("clock is an object of libvirt's attributes, such as {'offset': 'utc'}")
    try:
        timers = tuple(_timer(item) for item in _list(data, "timers"))
        return Clock(parse_base(_attributes(data, "clock", "timers")), timers)
    except BadClock as problem:
        raise BadCase(f"clock: {problem}") from None


def _timer(data: object) -> Timer:
    if not isinstance(data, Mapping):
        raise BadCase("a timer is an object of libvirt's attributes, such as {'name': 'rtc'}")
    catchup = data.get("catchup") or {}
    if not isinstance(catchup, Mapping):
        raise BadCase("a timer's catchup is an object such as {'slew': '120'}")
    return parse_timer_attributes(
        _attributes(data, "timer", "catchup"), _attributes(catchup, "catchup")
    )


def _attributes(data: Mapping[str, object], element: str, but: str = "") -> dict[str, str]:
    """XML has texts alone: a whole number is written as one, a null attribute is left out."""
    found = {}
    for name, value in data.items():
        if name == but or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise BadCase(f"{element} {name} is a text or a whole number, not {value!r}")
        found[str(name)] = str(value)
    return found


def read_step(data: object, zones: Zones) -> Iterator[Step]:
    """The step of one object, and what its keys add to it.

    A `pause` of so many `seconds` ends with a resume; any step with `active_time_bias_minutes` is
    also the saving of that bias.
    """
    if not isinstance(data, Mapping):
        raise BadCase("a step is an object with do and at")
    at = _instant(data)
    yield _step(data, at, zones)
    if data.get("do") == "pause" and data.get("seconds") is not None:
        yield Resume(at + timedelta(seconds=_needed(data, "seconds")))
    bias = _whole(data, "active_time_bias_minutes")
    if bias is not None and data.get("do") != "write-bias":
        yield WriteBias(at, bias)


def _step(data: Mapping[str, object], at: datetime, zones: Zones) -> Step:
    zone = _host_zone(data, zones)
    match data.get("do"):
        case "start" | "cold-start":
            return PowerOn(at, zone)
        case "stop":
            return Stop(at)
        case "reset":
            return Reset(at)
        case "write-rtc":
            return WriteRtc(at, _reading(data))
        case "write-bias":
            return WriteBias(at, _needed(data, "active_time_bias_minutes"))
        case "pause":
            return Pause(at)
        case "resume":
            return Resume(at)
        case "save":
            return Save(at)
        case "restore":
            return Restore(at, zone)
        case "migrate":
            return Migrate(at, zone, _whole(data, "host_clock_error_seconds"))
        case "redefine":
            return Redefine(at, read_clock(data.get("clock")))
        case "host-clock-step":
            return HostClockStep(at, _needed(data, "seconds"))
        case other:
            raise BadCase(f"do {other!r} is not one of {', '.join(STEPS)}")


STEPS = (
    "start",
    "cold-start",
    "stop",
    "reset",
    "write-rtc",
    "write-bias",
    "pause",
    "resume",
    "save",
    "restore",
    "migrate",
    "redefine",
    "host-clock-step",
)


def _list(data: Mapping[str, object], key: str) -> list[object]:
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadCase(f"{key} is a list")
    return value


def _text(data: Mapping[str, object], key: str) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise BadCase(f"{key} is a text or null, not {value!r}")
    return value


def _whole(data: Mapping[str, object], key: str) -> int | None:
    value = data.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise BadCase(f"{key} is a whole number or null, not {value!r}")
    if value is not None and abs(value) > _LARGEST:
        raise BadCase(f"{key} {value} is beyond all sense: at most {_LARGEST}")
    return value


def _needed(data: Mapping[str, object], key: str) -> int:
    value = _whole(data, key)
    if value is None:
        raise BadCase(f"{data.get('do')} needs {key}")
    return value


def _instant(data: Mapping[str, object]) -> datetime:
    text = _text(data, "at")
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        raise BadCase(f"at {text!r} is not an instant such as 2026-11-23T12:00:00Z") from None
    if instant.tzinfo is None:
        raise BadCase(f"at {text!r} has no offset: add Z for UTC")
    if instant.year not in YEARS:
        raise BadCase(f"at {text!r} is not in the years {YEARS.start} to {YEARS.stop - 1}")
    return instant.astimezone(UTC).replace(microsecond=0)


def _reading(data: Mapping[str, object]) -> datetime:
    text = _text(data, "rtc")
    try:
        reading = datetime.fromisoformat(text or "")
    except ValueError:
        raise BadCase(f"rtc {text!r} is not a reading such as 2026-11-23T13:00:00") from None
    if reading.tzinfo is not None:
        raise BadCase(f"rtc {text!r} has an offset: an RTC has none")
    return reading.replace(microsecond=0)


def result_of(prediction: Prediction) -> dict[str, str | int | None]:
    """A prediction in the form of a case's `expected`; what is unknown is null."""
    values = {
        "rtc_args": prediction.arguments,
        "rtc": prediction.rtc,
        "shown": prediction.shown,
        "true_local": prediction.true_local,
        "error_seconds": prediction.error,
        "guest_utc": prediction.guest_utc,
    }
    found = {key: plain(value_of(fact)) for key, fact in values.items()}
    found["process_zone"] = prediction.process_zone
    return {key: found[key] for key in FIELDS}


def plain(value: object) -> str | int | None:
    """A value as JSON has it: a naive time in ISO 8601, a number as it is."""
    if value is None or isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
