"""For each rule facts that fire it, and facts much like them that do not."""

from __future__ import annotations

from typing import NamedTuple

from guestclock.clock import Absolute, Basis, Localtime, Timer, Utc, Variable, Zone
from guestclock.machine import Facts, Hardware
from guestclock.zones import Zones
from tests.findings.build import ZONES, OldDatabase, facts, zones
from tests.findings.disks import found, rules, with_systems


class Firing(NamedTuple):
    """What fires a rule, with the severity it then has, and what does not."""

    severity: str
    fires: Facts
    silent: Facts
    zones: Zones = ZONES


KVM = Hardware("kvm", "x86_64", "pc-q35-7.2")
WINDOWS_TIMERS = (
    Timer("rtc", tickpolicy="catchup"),
    Timer("pit", tickpolicy="delay"),
    Timer("hpet", present=False),
    Timer("hypervclock", present=True),
)
OLD_BERLIN = OldDatabase({"Europe/Berlin": "CET-1"})

FIRING = {
    "CLK101": Firing("error", facts(Utc()), facts(Utc(), zone="Africa/Abidjan")),
    "CLK102": Firing(
        "error",
        facts(Localtime(), "linux", host="Asia/Shanghai"),
        facts(Utc(), "linux", host="UTC"),
    ),
    "CLK103": Firing(
        "error",
        facts(Zone("Asia/Shanghai"), "windows-universal"),
        facts(Utc(), "windows-universal"),
    ),
    "CLK104": Firing(
        "error",
        facts(Localtime(), host="America/New_York"),
        facts(Localtime(), host="Asia/Shanghai"),
    ),
    "CLK105": Firing("note", facts(Utc(), "unknown", None), facts(Utc(), "linux", None)),
    "CLK201": Firing("error", facts(Zone("Asia/Shangai")), facts(Zone("Asia/Shanghai"))),
    "CLK202": Firing(
        "error",
        facts(Variable(0, Basis.LOCALTIME), host="Asia/Shanghai", daemon="UTC"),
        facts(Variable(28800), host="Asia/Shanghai", daemon="UTC"),
    ),
    "CLK203": Firing(
        "warning",
        facts(Zone("Europe/Berlin"), zone="Europe/Berlin"),
        facts(Zone("Asia/Shanghai"), zone="Asia/Shanghai"),
        zones(host=OLD_BERLIN),
    ),
    "CLK301": Firing(
        "error",
        facts(Variable(0), live=Variable(28800)),
        facts(Variable(28800), live=Variable(28800)),
    ),
    "CLK302": Firing(
        "note",
        facts(Zone("Asia/Shanghai"), live=Utc()),
        facts(Zone("Asia/Shanghai"), live=Zone("Asia/Shanghai")),
    ),
    "CLK303": Firing(
        "warning",
        facts(Utc(), live=Utc(), rtc=28800),
        facts(Utc(), live=Utc(), rtc=-1),
    ),
    "CLK401": Firing(
        "warning",
        facts(Zone("Europe/Berlin"), zone="Europe/Berlin"),
        facts(Zone("Asia/Kolkata"), zone="Asia/Kolkata"),
    ),
    "CLK501": Firing("error", facts(Absolute(1577836800)), facts(Zone("Asia/Shanghai"))),
    "CLK502": Firing("error", facts(Absolute(4102444799)), facts(Absolute(1577836800))),
    "CLK503": Firing("note", facts(Utc(reset=True), "linux"), facts(Utc(), "linux")),
    "CLK504": Firing(
        "warning",
        facts(Utc(), "linux", timers=(Timer("rtc", track="guest"),)),
        facts(Utc(), "linux", timers=(Timer("rtc", track="wall"),)),
    ),
    "CLK505": Firing(
        "note",
        facts(Zone("Asia/Shanghai"), hardware=KVM),
        facts(Zone("Asia/Shanghai"), hardware=KVM, timers=WINDOWS_TIMERS),
    ),
    "CLK506": Firing(
        "note",
        facts(Utc(), "linux", hardware=Hardware("kvm", "s390x", "s390-ccw-virtio-7.2")),
        facts(Utc(), "linux", hardware=Hardware("qemu", "s390x", "s390-ccw-virtio-7.2")),
    ),
    "CLK701": Firing(
        "warning",
        with_systems(facts(Utc(), "linux"), found("windows")),
        with_systems(facts(Utc(), "linux"), found("linux")),
    ),
    "CLK702": Firing(
        "warning",
        with_systems(facts(Localtime()), found("windows-universal")),
        with_systems(facts(Localtime()), found("windows")),
    ),
    "CLK703": Firing(
        "warning",
        with_systems(facts(Utc()), found("windows", "Europe/Berlin", bias=-120, sealed=True)),
        with_systems(facts(Utc()), found("windows", "Europe/Berlin", bias=-60, sealed=True)),
    ),
    "CLK704": Firing(
        "warning",
        with_systems(facts(Utc()), found("linux", rules=rules("Asia/Shanghai", 7 * 3600))),
        with_systems(facts(Utc()), found("linux", rules=rules("Asia/Shanghai", 8 * 3600))),
    ),
    "CLK705": Firing(
        "warning",
        with_systems(facts(Utc()), found("windows"), found("linux")),
        with_systems(facts(Utc()), found("windows")),
    ),
    "CLK706": Firing(
        "note",
        with_systems(facts(Utc()), unknown="encrypted"),
        with_systems(facts(Utc()), found("windows")),
    ),
}
