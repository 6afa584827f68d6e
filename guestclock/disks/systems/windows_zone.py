"""The zone of a Windows by the name of its key, and the rules that it has for it."""

from __future__ import annotations

from guestclock.disks.found import System, ZoneRules
from guestclock.disks.problem import OverLimit, Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.registry.timezone_rule import offsets, zone_rules
from guestclock.disks.systems.assignments import short
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.windows_hives import Values
from guestclock.disks.systems.windows_version import CURRENT

_ZONES = f"{CURRENT}\\Time Zones"
_KEY_NAME = "TimeZoneKeyName"
# TIME_DYNAMIC_ZONE_INFORMATION has room for so many characters and a NUL.
_LONGEST = 127
_MANY = 1024
_YEAR = 365 * 86_400
_AHEAD = 3


def read_zone(values: Values, software: Hive | None, system: System) -> None:
    """Fills in `zone`, the name of a key below Time Zones, and the detail `standard_name`.

    Before Windows Vista there is no TimeZoneKeyName; then the zone is the one whose own standard
    name is the saved one, which is in the system's language. Raises DiskProblem.
    """
    standard = values.text("StandardName")
    system.details["standard_name"] = standard or None
    value = values.get(_KEY_NAME)
    # Windows Vista and 7 leave what was behind the name in the value, after a NUL.
    name = (value.text() if value else None) or ""
    if name:
        if len(name) > _LONGEST or not name.isprintable() or "\ufffd" in name:
            detail = f"{values.where}\\{_KEY_NAME} is {short(name)}, which names no zone"
            system.lacks("zone", Reason.DAMAGED, detail)
            return
        system.zone = name
        values.saw(system, "zone", _KEY_NAME)
        return
    zones = software.key(_ZONES) if software and standard else None
    found = _named(zones, standard) if zones else []
    if len(found) == 1:
        system.zone = found[0]
        values.saw(system, "zone", "StandardName")
    elif found:
        detail = f"{short(standard)} is the standard name of {short(', '.join(sorted(found)))}"
        system.lacks("zone", Reason.AMBIGUOUS, detail)
    else:
        more = f", and no zone has the standard name {short(standard)}" if standard else ""
        system.lacks("zone", Reason.NOT_RECORDED, f"{values.where} has no {_KEY_NAME}{more}")


def read_rules(software: Hive, path: str, at: Moment, system: System) -> None:
    """Fills in `rules`, from a year before `at` to three years after. Raises DiskProblem.

    They are left out where Windows is told to keep standard time although the zone has another.
    """
    if system.zone is None:
        system.lacks("zone_rules", Reason.NOT_RECORDED, "its zone is not known")
        return
    where = f"{_ZONES}\\{system.zone}"
    zones = software.key(_ZONES)
    key = zones.child(system.zone) if zones else None
    if key is None or key.link:
        system.lacks("zone_rules", Reason.NOT_RECORDED, f"{path} has no key {where}")
        return
    begin, until = at.seconds - _YEAR, at.seconds + _AHEAD * _YEAR
    found = ZoneRules(offsets(zone_rules(key), begin, until), until)
    if system.details.get("daylight_disabled") and len(found.offsets) > 1:
        system.warn(
            "daylight-disabled",
            f"Windows is told not to adjust its clock for daylight saving time: the rules of "
            f"{system.zone} on the disk are not followed",
        )
        return
    system.rules = found
    system.saw("zone_rules", path, f"{where}\\TZI", "REG_BINARY")


def _named(zones: Key, standard: str) -> list[str]:
    """The keys whose standard name is that one, as a resource (@tzres.dll,-212) or in words."""
    name = "MUI_Std" if standard.startswith("@") else "Std"
    found: list[str] = []
    for number, key in enumerate(zones.keys()):
        if number >= _MANY:
            raise OverLimit(f"more than {_MANY} zones are in the registry")
        if not key.link and Values(key, "", "").text(name) == standard and key.name.isprintable():
            found.append(key.name[:_LONGEST])
    return found
