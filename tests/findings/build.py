"""Facts in a line, and what the rules find in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from guestclock.clock import Base, Clock, Timer
from guestclock.databases import packaged_database, windows_zone_map
from guestclock.evidence import Assumed, Inferred, Observed, Unknown
from guestclock.findings.cause import case_of
from guestclock.findings.finding import Finding
from guestclock.findings.registry import RULES
from guestclock.guest import NO_BIAS, NO_ZONE, Guest
from guestclock.law import NO_HOST_ZONE, Host
from guestclock.machine import NOT_READ, Facts, Hardware, Process
from guestclock.zones import WindowsMap, ZoneDatabase, Zones, posix_zone

NO_HARDWARE = Hardware()
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PACKAGED = packaged_database()
WINDOWS = WindowsMap(windows_zone_map())
ZONES = Zones(PACKAGED, PACKAGED, PACKAGED, WINDOWS)


@dataclass(frozen=True)
class OldDatabase:
    """The packaged database with some zones by other rules, None for a zone it lacks."""

    changed: dict[str, str | None] = field(default_factory=dict, hash=False)
    name: str = "an old database"
    release: str = "2012a"

    def get(self, key: str) -> ZoneInfo | None:
        if key in self.changed:
            rule = self.changed[key]
            return None if rule is None else posix_zone(rule)
        return PACKAGED.get(key)

    def names(self) -> frozenset[str]:
        return PACKAGED.names() - {name for name, rule in self.changed.items() if rule is None}


def zones(host: ZoneDatabase = PACKAGED, guest: ZoneDatabase = PACKAGED) -> Zones:
    return Zones(host, PACKAGED, guest, WINDOWS)


def facts(
    base: Base | None,
    system: str = "windows",
    zone: str | None = "Asia/Shanghai",
    host: str | None = "UTC",
    *,
    bias: int | None = None,
    daemon: str | None = None,
    timers: tuple[Timer, ...] = (),
    live: Clock | Base | None = None,
    rtc: int | None = None,
    hardware: Hardware = NO_HARDWARE,
    skew: int = 0,
    utc_offset: int = 0,
) -> Facts:
    """Facts of a machine: off and asked for nothing, or running where `live` or `rtc` is given."""
    runs = live is not None or rtc is not None
    running = live if isinstance(live, Clock) or live is None else Clock(live, timers)
    return Facts(
        definition=Unknown("the definition was not read")
        if base is None
        else Observed(Clock(base, timers), "domain/clock"),
        live=None if running is None else Observed(running, "live domain/clock"),
        process=Process(1, rtc_offset=NOT_READ if rtc is None else Observed(rtc, "QMP rtc-time"))
        if runs
        else None,
        asked=runs,
        hardware=hardware,
        guest=Guest(
            system,
            NO_ZONE if zone is None else Assumed(zone, "inventory"),
            NO_BIAS if bias is None else Assumed(bias, "inventory"),
            utc_offset,
            kind=Unknown("nothing says which system the guest is")
            if system == "unknown"
            else Inferred(system, "libosinfo"),
        ),
        host=Host(NO_HOST_ZONE if host is None else Observed(host, "/etc/localtime"), daemon, skew),
    )


def found(
    given: Facts, rules: Zones = ZONES, at: datetime = AT, tolerance: int = 5
) -> dict[str, Finding]:
    """All findings by rule and hop, such as "CLK101 domain"; each pair occurs once."""
    case = case_of(given, at, rules, tolerance)
    findings = [finding for rule in RULES for finding in rule.check(case)]
    by_name = {f"{finding.rule} {finding.hop}": finding for finding in findings}
    assert len(by_name) == len(findings)
    return by_name


def only(given: Facts, rule: str, rules: Zones = ZONES, at: datetime = AT) -> Finding:
    """The one finding of a rule."""
    [finding] = [one for one in found(given, rules, at).values() if one.rule == rule]
    return finding


def rules_found(given: Facts, rules: Zones = ZONES, at: datetime = AT) -> set[str]:
    """The ids of the rules that found something, with the first letter of the severity."""
    return {f"{one.rule}{one.severity.value[0]}" for one in found(given, rules, at).values()}
