"""The rules that a Windows has for its zone: Time Zones in the hive SOFTWARE."""

from __future__ import annotations

from guestclock.disks.found import System, ZoneRules
from guestclock.disks.problem import Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.timezone_rule import offsets, zone_rules
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.windows_version import CURRENT

_YEAR = 365 * 86_400
_AHEAD = 3


def read_rules(hive: Hive, path: str, at: Moment, system: System) -> None:
    """Fills in `rules`, from a year before `at` to three years after. Raises DiskProblem."""
    if system.zone is None:
        return
    where = f"{CURRENT}\\Time Zones\\{system.zone}"
    zones = hive.key(f"{CURRENT}\\Time Zones")
    key = zones.child(system.zone) if zones else None
    if key is None:
        system.lacks("rules", Reason.NOT_RECORDED, f"{path} has no key {where}")
        return
    rule = zone_rules(key)
    if system.details.get("daylight_disabled"):
        system.rules = None
        return
    begin, until = at.seconds - _YEAR, at.seconds + _AHEAD * _YEAR
    system.rules = ZoneRules(offsets(rule, begin, until), until)
    system.saw("rules", path, where)
