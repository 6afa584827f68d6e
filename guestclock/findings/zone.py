"""CLK2xx: the zone that the clock follows is missing, depends on a daemon, or has old rules."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from guestclock.clock import Base, Basis, Variable, Zone, describe
from guestclock.evidence import Unknown, value_of
from guestclock.exposure import clock_zone
from guestclock.findings.cause import zone_is_missing
from guestclock.findings.cure import define, join, right_clock
from guestclock.findings.finding import Case, Evidence, Finding, Rule, Severity
from guestclock.findings.sides import (
    all_evidence,
    clock_of,
    definition_evidence,
    guest_evidence,
    host_evidence,
    keeps_local,
    outcome,
    who,
)
from guestclock.law import start
from guestclock.words import behind_or_ahead, instant
from guestclock.zones import (
    UnknownZone,
    ZoneDatabase,
    next_transition,
    offset_at,
)

_YEAR = timedelta(days=366)


def zone_not_found(case: Case) -> Iterator[Finding]:
    """CLK201: QEMU takes a zone that it does not find for UTC, and nobody is told."""
    clock, name = clock_of(case), _name(case)
    if clock is None or name is None or not zone_is_missing(case):
        return
    if case.facts.hardware.ignores_rtc or case.cause not in ("CLK201", None):
        return
    on_host = not isinstance(clock.base, Zone)
    ends = outcome(case)
    if case.cause is None:
        ends = f"right for {who(case.facts.guest)} by chance, until the zone is found"
    elif value_of(case.outlook.after_cold_start) is None:
        ends = "wrong for all who wanted that zone"
    rules = case.zones.host
    yield Finding(
        "CLK201",
        Severity.ERROR if case.cause else Severity.WARNING,
        "host" if on_host else "domain",
        f"a zone that QEMU's host has ({rules.name}, {rules.release}, was asked)",
        f"{name!r} is neither there nor a POSIX rule, so QEMU silently starts at UTC: {ends}",
        (*all_evidence(case), Evidence(f"no zone {name!r}", "observed", _database(rules))),
        _cure_of_name(case, name, on_host),
    )


def _name(case: Case) -> str | None:
    fact = clock_zone(case.facts)
    return None if fact is None else value_of(fact)


def _database(rules: ZoneDatabase) -> str:
    return f"{rules.name}, release {rules.release}"


def _cure_of_name(case: Case, name: str, on_host: bool) -> str:
    if case.cause is None:
        return right_clock(case)
    if value_of(case.facts.guest.zone) not in (None, name):
        return right_clock(case)
    zones = case.zones
    if zones.truth.get(name) is not None:
        update = f"{_database(zones.host)} is older than {_database(zones.truth)}, which has it"
        return f"update the host's tzdata ({update}), then stop and start the machine"
    near = proposals(case, name)
    if not near:
        return right_clock(case)
    if on_host:
        return f"give the host a zone that exists: did you mean {' or '.join(near)}?"
    others = f"or did you mean {' or '.join(near[1:])}?" if near[1:] else ""
    return join(define(case, Zone(near[0])), others)


def proposals(case: Case, name: str) -> list[str]:
    """Zones that a name may have meant: the IANA name of a Windows zone, else near names."""
    try:
        return [case.zones.windows.to_iana(name).name]
    except UnknownZone:
        known = {zone.casefold(): zone for zone in sorted(case.zones.host.names())}
        near = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.6)
        return [known[one] for one in near]


def daemon_zone(case: Case) -> Iterator[Finding]:
    """CLK202: `basis='localtime'` is counted inside libvirtd, whose TZ may be another."""
    clock, host = clock_of(case), case.facts.host
    if clock is None or case.facts.hardware.ignores_rtc:
        return
    if not isinstance(clock.base, Variable) or clock.base.basis is not Basis.LOCALTIME:
        return
    zone = value_of(host.zone)
    depends = f"{describe(clock.base)} is counted from libvirtd's local time"
    if host.daemon_zone is not None and host.daemon_zone != zone:
        named = zone or "which is not known"
        observed = f"{depends}: its TZ is {host.daemon_zone}, the host's zone {named}"
        severity = Severity.WARNING
    elif zone is None:
        observed = f"{depends}, and neither its TZ nor the host's zone is known"
        severity = Severity.WARNING
    else:
        observed = f"{depends}, which is {zone} until somebody sets a TZ for it"
        severity = Severity.NOTE
    if case.cause == "CLK202":
        severity, observed = Severity.ERROR, f"{observed}: {outcome(case)}"
    yield Finding(
        "CLK202",
        severity,
        "host",
        "a start that depends on no daemon's environment",
        observed,
        (definition_evidence(case), *host_evidence(case)),
        join(_without_basis(case, clock.base), "or take TZ out of libvirtd's environment"),
    )


def _without_basis(case: Case, base: Base) -> str:
    """The same start, counted from UTC."""
    assert isinstance(base, Variable)
    if keeps_local(case.facts.guest) is not None and value_of(case.facts.guest.zone) is not None:
        return right_clock(case)
    fact = replace(case.facts.host, daemon_zone=None)
    clock = clock_of(case)
    assert clock is not None
    seconds = value_of(start(clock, fact, case.at, case.zones).offset)
    return right_clock(case) if seconds is None else define(case, Variable(seconds))


def stale_rules(case: Case) -> Iterator[Finding]:
    """CLK203: the host's or the guest's zone database lacks a change that the newest has."""
    if case.facts.hardware.ignores_rtc or case.cause not in ("CLK203", None):
        return
    severity = Severity.ERROR if case.cause else Severity.WARNING
    name = _name(case)
    if name is not None and keeps_local(case.facts.guest) is not False:
        for finding in _stale(case, "host", name, case.zones.host, severity):
            severity = Severity.WARNING
            yield finding
    own = case.facts.guest.zone
    if not isinstance(own, Unknown) and case.facts.guest.system != "unknown":
        if not keeps_local(case.facts.guest):
            # Its clock is right; only what it shows is not.
            severity = Severity.NOTE
        yield from _stale(case, "guest", own.value, case.zones.guest, severity)


def _stale(
    case: Case, hop: str, name: str, rules: ZoneDatabase, severity: Severity
) -> Iterator[Finding]:
    mine, newest = rules.get(name), case.zones.truth.get(name)
    if rules is case.zones.truth or mine is None or newest is None:
        return
    first = first_difference(mine, newest, case.at, case.at + _YEAR)
    if first is None:
        return
    off = offset_at(mine, first) - offset_at(newest, first)
    since = "already now" if first == case.at else f"from {instant(first)} on"
    ends = f": {outcome(case)}" if severity is Severity.ERROR else ""
    yield Finding(
        "CLK203",
        severity,
        hop,
        f"the rules of {name} as of {_database(case.zones.truth)}",
        f"{_database(rules)} has {name} {behind_or_ahead(off)} {since}{ends}",
        (
            Evidence(f"rules of {name}", "observed", _database(rules)),
            Evidence(f"newest rules of {name}", "observed", _database(case.zones.truth)),
            *(host_evidence(case) if hop == "host" else guest_evidence(case)),
        ),
        "update the host's tzdata, then stop and start the machine"
        if hop == "host"
        else "update the zone rules inside the guest",
    )


@lru_cache(maxsize=1024)
def first_difference(
    one: ZoneInfo, other: ZoneInfo, since: datetime, until: datetime
) -> datetime | None:
    """The first instant in [since, until] at which two zones have different offsets, or None."""
    at = since
    while offset_at(one, at) == offset_at(other, at):
        # They can only part where one of them changes.
        changes = [next_transition(zone, at, until) for zone in (one, other)]
        ahead = [change.at for change in changes if change is not None]
        if not ahead:
            return None
        at = min(ahead)
    return at


RULES = (
    Rule(
        "CLK201",
        "zone-not-found",
        "The clock names a zone that QEMU's host does not have, so it silently starts at UTC.",
        zone_not_found,
    ),
    Rule(
        "CLK202",
        "daemon-zone",
        "basis='localtime' depends on the zone in libvirtd's own environment.",
        daemon_zone,
    ),
    Rule(
        "CLK203",
        "stale-rules",
        "The zone rules of the host or the guest are older than a change that is known.",
        stale_rules,
    ),
)
