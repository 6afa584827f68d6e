"""How a Windows takes its RTC, and the bias that it saved last: Control\\TimeZoneInformation.

At boot the kernel takes UTC = RTC + ActiveTimeBias, or UTC = RTC where the first four bytes of
RealTimeIsUniversal are not zero, whatever the value's type is. Of control sets it takes the one
that Select\\Current names.
"""

from __future__ import annotations

from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.registry.values import Value

_SHOWN = ("Bias", "StandardBias", "DaylightBias")
_DISABLED = ("DynamicDaylightTimeDisabled", "DisableAutoDaylightTimeSet")
_USUAL_TYPES = ("REG_DWORD", "REG_QWORD")


def current_set(hive: Hive, path: str, system: System) -> str | None:
    """The name of the control set that boots, None where Select does not say; it is a gap then."""
    select = hive.key("Select")
    value = select.value("Current") if select else None
    number = value.dword() if value else None
    if number is None:
        system.lacks(
            "control_set",
            Reason.NO_CURRENT_CONTROL_SET,
            f"{path} has no Select\\Current that says which control set boots",
        )
        return None
    name = f"ControlSet{number:03}"
    if hive.key(name) is None:
        system.lacks(
            "control_set",
            Reason.NO_CURRENT_CONTROL_SET,
            f"{path}: Select\\Current names {name}, which is not there",
        )
        return None
    return name


def read_clock(key: Key | None, path: str, where: str, system: System) -> None:
    """Fills in `rtc`, `real_time_is_universal`, `active_time_bias_minutes` and the zone's name."""
    if key is None:
        for what in ("rtc", "active_time_bias_minutes", "zone"):
            system.lacks(what, Reason.NOT_RECORDED, f"{path} has no key {where}")
        return
    for read in (_universal, _bias, _zone, _others):
        read(key, path, where, system)


def _universal(key: Key, path: str, where: str, system: System) -> None:
    name = "RealTimeIsUniversal"
    try:
        value = key.value(name)
        data = value.data[:4] if value else b""
    except DiskProblem as problem:
        system.lacks("rtc", problem)
        system.lacks("real_time_is_universal", problem)
        return
    universal = any(data)
    system.real_time_is_universal = universal
    system.rtc = "utc" if universal else "local"
    if value is None:
        raw, type = "not set", ""
    else:
        raw, type = _raw(value), value.type_name
        usual = value.type_name in _USUAL_TYPES and int.from_bytes(value.data, "little") == 1
        if universal and not usual:
            system.warn(
                "universal-unusual",
                f"RealTimeIsUniversal is {type} {raw}: Windows heeds it, and other tools take "
                "nothing but a REG_DWORD or REG_QWORD of 1 for set",
            )
    for what in ("rtc", "real_time_is_universal"):
        system.saw(what, path, f"{where}\\{name}", type, raw)


def _bias(key: Key, path: str, where: str, system: System) -> None:
    what = "active_time_bias_minutes"
    try:
        # The kernel takes Bias where there is no ActiveTimeBias.
        for name in ("ActiveTimeBias", "Bias"):
            value = key.value(name)
            minutes = value.signed() if value else None
            if value is not None and minutes is not None and abs(minutes) <= 24 * 60:
                system.active_time_bias_minutes = minutes
                system.saw(what, path, f"{where}\\{name}", value.type_name, minutes)
                return
        system.lacks(what, Reason.NOT_RECORDED, f"{where} has no ActiveTimeBias")
    except DiskProblem as problem:
        system.lacks(what, problem)


def _zone(key: Key, path: str, where: str, system: System) -> None:
    try:
        # Before Windows Vista there was only StandardName, in the system's own language.
        for name in ("TimeZoneKeyName", "StandardName"):
            value = key.value(name)
            text = value.text() if value else None
            if value is not None and text and not text.startswith("@"):
                system.zone = text[:120]
                system.saw("zone", path, f"{where}\\{name}", value.type_name, text)
                return
        system.lacks("zone", Reason.NOT_RECORDED, f"{where} names no zone")
    except DiskProblem as problem:
        system.lacks("zone", problem)


def _others(key: Key, path: str, where: str, system: System) -> None:
    """Details `bias`, `standard_bias`, `daylight_bias` (minutes) and `daylight_disabled`."""
    try:
        biases = [key.value(name) for name in _SHOWN]
        details = ("bias", "standard_bias", "daylight_bias")
        for detail, value in zip(details, biases, strict=True):
            system.details[detail] = value.signed() if value else None
        flags = [key.value(name) for name in _DISABLED]
        system.details["daylight_disabled"] = any(flag.dword() for flag in flags if flag)
    except DiskProblem as problem:
        system.lacks("daylight_disabled", problem)


def _raw(value: Value) -> str:
    number = value.dword()
    return str(number) if number is not None else value.data[:16].hex(" ")
