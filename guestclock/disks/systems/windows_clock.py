"""How a Windows takes its RTC, and the bias that it saved last: Control\\TimeZoneInformation.

At boot the kernel takes UTC = RTC + ActiveTimeBias, or UTC = RTC where RealTimeIsUniversal is not
zero. It copies the first four bytes of either value, whatever its type is, from the control set
that Select\\Current names. An ActiveTimeBias of -1 is none, and Bias stands in for it.
"""

from __future__ import annotations

from guestclock.disks.found import System
from guestclock.disks.problem import Damaged, Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.registry.timezone_rule import Change, saved_rule
from guestclock.disks.registry.values import Value
from guestclock.disks.systems.windows_hives import Values, raw_of

ABOUT_CLOCK = ("rtc", "real_time_is_universal", "active_time_bias_minutes", "zone")
"""What is not known where the key cannot be read."""

_UNIVERSAL = "RealTimeIsUniversal"
_USUAL_TYPES = ("REG_DWORD", "REG_QWORD")
_DISABLED = ("DynamicDaylightTimeDisabled", "DisableAutoDaylightTimeSet")
_BIASES = {"bias": "Bias", "standard_bias": "StandardBias", "daylight_bias": "DaylightBias"}
_NOT_SAVED = -1
_DAY = 24 * 60


def current_set(hive: Hive, path: str, system: System) -> Key | None:
    """The control set that boots, None where Select\\Current names none; gaps say why.

    Neither the set that Select\\Default names nor the first one stands in for it. Raises
    DiskProblem.
    """
    select = Values(hive.key("Select"), path, "Select")
    number = select.number("Current")
    others = ", ".join(
        f"{name} is {raw_of(value)}"
        for name in ("Default", "LastKnownGood")
        if (value := select.get(name)) is not None
    )
    if number is None:
        detail = f"{path} has no Select\\Current to say which control set boots"
    else:
        name = f"ControlSet{number:03}"
        key = hive.key(name)
        if key is not None:
            system.details["control_set"] = name
            select.saw(system, "control_set", "Current")
            if select.number("Default") not in (None, number):
                system.warn(
                    "control-sets-differ",
                    f"{path}: Select\\Current names {name}, which is read, and {others}: another "
                    "one may boot next",
                )
            return key
        detail = f"{path}: Select\\Current names {name}, which is not there"
    for what in ABOUT_CLOCK:
        system.lacks(
            what, Reason.NO_CURRENT_CONTROL_SET, f"{detail} ({others})" if others else detail
        )
    return None


def read_clock(control: Key, path: str, system: System) -> Values | None:
    """Fills in `rtc`, `real_time_is_universal` and `active_time_bias_minutes`.

    Details: `bias`, `standard_bias`, `daylight_bias` (minutes, UTC minus local), `standard_start`
    and `daylight_start` (dicts), `daylight_disabled`. Gives the key's values, None where there is
    no such key. Raises DiskProblem.
    """
    key = control.key("Control\\TimeZoneInformation")
    values = Values(key, path, f"{control.name}\\Control\\TimeZoneInformation")
    if key is None:
        for what in ABOUT_CLOCK:
            system.lacks(what, Reason.NOT_RECORDED, f"{path} has no key {values.where}")
        return None
    try:
        _read_universal(values, system)
    except Damaged as problem:
        for what in ("rtc", "real_time_is_universal"):
            system.lacks(what, problem)
    try:
        _read_bias(values, system)
    except Damaged as problem:
        system.lacks("active_time_bias_minutes", problem)
    try:
        _read_others(key, values, system)
    except Damaged as problem:
        system.lacks("saved_rule", problem)
    return values


def _read_universal(values: Values, system: System) -> None:
    value = values.get(_UNIVERSAL)
    data = value.data if value else b""
    universal = any(data[:4])
    if value is not None:
        _warn_of_universal(value, data, universal, system)
    for what in ("rtc", "real_time_is_universal"):
        values.saw(system, what, _UNIVERSAL)
    system.real_time_is_universal = universal
    system.rtc = "utc" if universal else "local"


def _warn_of_universal(value: Value, data: bytes, universal: bool, system: System) -> None:
    number = int.from_bytes(data[:8], "little")
    if universal and (value.type_name not in _USUAL_TYPES or number != 1):
        system.warn(
            "universal-unusual",
            f"RealTimeIsUniversal is {value.type_name} {raw_of(value)}: Windows heeds it, and "
            "other tools take nothing but a REG_DWORD or REG_QWORD of 1 for set",
        )
    elif not universal and any(data):
        system.warn(
            "universal-unusual",
            f"RealTimeIsUniversal is {value.type_name} {raw_of(value)}: of it Windows takes the "
            "first four bytes only, and they are zero",
        )


def _read_bias(values: Values, system: System) -> None:
    what = "active_time_bias_minutes"
    for name in ("ActiveTimeBias", "Bias"):
        value = values.get(name)
        if value is None:
            continue
        data = value.data[:4]
        minutes = int.from_bytes(data, "little", signed=True)
        if name == "ActiveTimeBias" and minutes == _NOT_SAVED:
            continue
        where = f"{values.where}\\{name}"
        if len(data) < 4 or abs(minutes) >= _DAY:
            detail = f"{where} is {value.type_name} {raw_of(value)}, which is no zone's bias"
            system.lacks(what, Reason.DAMAGED, detail)
            return
        system.active_time_bias_minutes = minutes
        system.saw(what, values.path, where, value.type_name, minutes)
        return
    system.lacks(what, Reason.NOT_RECORDED, f"{values.where} has no ActiveTimeBias and no Bias")


def _read_others(key: Key, values: Values, system: System) -> None:
    details = system.details
    details["daylight_disabled"] = any(values.number(name) for name in _DISABLED)
    for detail, name in _BIASES.items():
        value = values.get(name)
        details[detail] = value.signed() if value else None
    saved = saved_rule(key)
    details["standard_start"] = _change(saved.standard if saved else None)
    details["daylight_start"] = _change(saved.daylight if saved else None)


def _change(change: Change | None) -> dict[str, object] | None:
    if change is None:
        return None
    return {
        "year": change.year or None,
        "month": change.month,
        "weekday": change.weekday,
        "day": change.day,
        "seconds": change.seconds,
    }
