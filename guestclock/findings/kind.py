"""CLK1xx: the clock starts the RTC at one kind of time, and the guest takes it for another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from guestclock.clock import Localtime, Utc, Variable, Zone, describe
from guestclock.evidence import Fact, Unknown, value_of
from guestclock.exposure import clock_zone
from guestclock.findings.cause import zone_is_missing
from guestclock.findings.cure import define, join, right_clock, zone_hint
from guestclock.findings.finding import Case, Finding, Rule, Severity, cite
from guestclock.findings.sides import (
    all_evidence,
    clock_of,
    follows_zone,
    keeps_local,
    outcome,
    wanted_offset,
    who,
)
from guestclock.guest import system_of
from guestclock.words import duration, from_utc
from guestclock.zones import next_transition, offset_at, process_zone

_YEAR = timedelta(days=366)


def local_guest_on_utc(case: Case) -> Iterator[Finding]:
    """CLK101: wrong by the guest's whole offset, and in every zone that has one."""
    clock = clock_of(case)
    if case.cause != "CLK101" or clock is None:
        return
    wanted = wanted_offset(case, case.zones)
    ends = outcome(case)
    if isinstance(wanted, Unknown):
        ends = "wrong in every zone that has an offset from UTC"
    yield Finding(
        "CLK101",
        Severity.ERROR,
        "domain",
        _expected(case, wanted),
        f"{describe(clock.base)} starts it at UTC: {ends}",
        all_evidence(case),
        join(right_clock(case), zone_hint(case)),
    )


def utc_guest_on_local(case: Case) -> Iterator[Finding]:
    """CLK102: wrong by the clock's offset; perhaps, where the host's zone is not known."""
    yield from _utc_guest(case, "CLK102", case.facts.guest.system != "windows-universal")


def double_fix(case: Case) -> Iterator[Finding]:
    """CLK103: guest and platform were both corrected, and together they are wrong."""
    yield from _utc_guest(case, "CLK103", case.facts.guest.system == "windows-universal")


def _utc_guest(case: Case, rule: str, mine: bool) -> Iterator[Finding]:
    clock = clock_of(case)
    if clock is None or not mine or keeps_local(case.facts.guest) is not False:
        return
    guest = who(case.facts.guest)
    expected = f"an RTC that starts at UTC, as {guest} takes it"
    cure = define(case, Utc())
    if case.cause == rule:
        offset = value_of(case.outlook.offset) or 0
        observed = f"{describe(clock.base)} starts it {from_utc(offset)}: {outcome(case)}"
        yield Finding(rule, Severity.ERROR, "domain", expected, observed, all_evidence(case), cure)
    elif _host_zone_is_unknown(case):
        observed = f"{describe(clock.base)} starts it at the host's local time: right on UTC alone"
        hint = "give the host's zone with --host-zone to know the error"
        yield Finding(
            rule,
            Severity.WARNING,
            "domain",
            expected,
            observed,
            all_evidence(case),
            join(cure, hint),
        )
    elif case.cause is None and _follows_host(case) and _is_utc_by_zone(case):
        host = "libvirtd" if isinstance(clock.base, Variable) else "its host"
        observed = (
            f"{describe(clock.base)} starts it at UTC: right only as long as {host} is on UTC"
        )
        yield Finding(rule, Severity.NOTE, "domain", expected, observed, all_evidence(case), cure)


def _follows_host(case: Case) -> bool:
    """Whether it is the host's zone that makes a clock right, and may make it wrong."""
    clock = clock_of(case)
    if clock is None or case.facts.hardware.ignores_rtc or zone_is_missing(case):
        return False
    return follows_zone(clock.base) and not isinstance(clock.base, Zone)


def _host_zone_is_unknown(case: Case) -> bool:
    """Only for `localtime`: libvirtd's own zone is CLK202's matter."""
    clock = clock_of(case)
    return (
        clock is not None
        and isinstance(clock.base, Localtime)
        and isinstance(case.facts.host.zone, Unknown)
        and not case.facts.hardware.ignores_rtc
    )


def wrong_offset(case: Case) -> Iterator[Finding]:
    """CLK104: another zone's local time, a fixed adjustment that does not fit, and all else."""
    clock = clock_of(case)
    if clock is None:
        return
    wanted = wanted_offset(case, case.zones)
    if case.cause == "CLK104":
        yield _wrong_offset(case, Severity.ERROR, _expected(case, wanted), _starts(case))
        return
    if case.cause is not None or not keeps_local(case.facts.guest):
        return
    if _host_zone_is_unknown(case):
        observed = f"{describe(clock.base)} starts it in the host's zone, which is not known"
        yield _wrong_offset(case, Severity.WARNING, _expected(case, wanted), observed)
    elif (
        isinstance(wanted, Unknown)
        and not isinstance(clock.base, Variable)
        and _is_utc_by_zone(case)
    ):
        observed = f"{_starts(case)}: right only for a guest in a zone without an offset"
        yield _wrong_offset(case, Severity.WARNING, _expected(case, wanted), observed)


def _wrong_offset(case: Case, severity: Severity, expected: str, observed: str) -> Finding:
    clock = clock_of(case)
    on_host = clock is not None and isinstance(clock.base, Localtime)
    cure = join(right_clock(case), zone_hint(case))
    if severity is Severity.WARNING and _host_zone_is_unknown(case):
        cure = join("give the host's zone with --host-zone to know the error", right_clock(case))
    if severity is Severity.ERROR and _is_host_clock(case):
        cure = "set the host's clock right, best by NTP; the guests' clocks follow it"
    hop = "host" if on_host or _is_host_clock(case) else "domain"
    return Finding("CLK104", severity, hop, expected, observed, all_evidence(case), cure)


def _is_host_clock(case: Case) -> bool:
    error, skew = value_of(case.outlook.after_cold_start), case.facts.host.clock_error
    return error is not None and bool(skew) and abs(error - skew) < case.tolerance


def _expected(case: Case, wanted: Fact[int]) -> str:
    if _is_host_clock(case):
        return "a host whose clock is right"
    if case.facts.guest.system == "unknown":
        return "an RTC that starts near UTC, where all zones are"
    seconds = value_of(wanted)
    local = "at the guest's local time" if seconds is None else from_utc(seconds)
    return f"an RTC that starts {local}, as {who(case.facts.guest)} takes it"


def _starts(case: Case) -> str:
    clock, offset = clock_of(case), value_of(case.outlook.offset)
    assert clock is not None
    if _is_host_clock(case):
        skew = case.facts.host.clock_error
        side = "ahead" if skew > 0 else "behind"
        return f"the host's clock is {duration(skew)} {side}: {outcome(case)}"
    zone = clock_zone(case.facts)
    where = ""
    if zone is not None and not isinstance(clock.base, Zone):
        where = f" in {value_of(zone) or 'an unknown zone'}"
    begins = "at an unknown time" if offset is None else from_utc(offset)
    text = f"{describe(clock.base)}{where} starts it {begins}"
    return text if value_of(case.outlook.after_cold_start) is None else f"{text}: {outcome(case)}"


def _is_utc_by_zone(case: Case) -> bool:
    """Whether the clock follows a zone that is UTC all year: a host in UTC, as most are."""
    fact, clock = clock_zone(case.facts), clock_of(case)
    name = value_of(fact) if fact is not None else None
    if name is None or clock is None:
        return False
    zone = process_zone(name, case.zones.host).zone
    if offset_at(zone, case.at):
        return False
    return next_transition(zone, case.at, case.at + _YEAR) is None


def guest_unknown(case: Case) -> Iterator[Finding]:
    """CLK105: nothing can be said of a machine whose guest nobody knows."""
    if case.facts.guest.system != "unknown" or clock_of(case) is None:
        return
    yield Finding(
        "CLK105",
        Severity.NOTE,
        "guest",
        "a guest whose system is known",
        "nothing says how the guest takes its RTC, so that its error is not known",
        (cite(f"guest: {system_of(case.facts.guest).label}", case.facts.guest.kind),),
        _settle(case.facts.guest.kind),
    )


def _settle(kind: Fact[str]) -> str:
    """The cheapest way to learn the kind, which its source knows best."""
    if isinstance(kind, Unknown) and kind.settle:
        return kind.settle
    return "name it with --guests, or in the domain's libosinfo metadata"


RULES = (
    Rule(
        "CLK101",
        "local-guest-on-utc",
        "The guest keeps its RTC as local time, and the clock starts it at UTC.",
        local_guest_on_utc,
    ),
    Rule(
        "CLK102",
        "utc-guest-on-local",
        "The guest takes its RTC for UTC, and the clock starts it at a local time.",
        utc_guest_on_local,
    ),
    Rule(
        "CLK103",
        "double-fix",
        "Windows takes its RTC for UTC, and the clock was set to local time as well.",
        double_fix,
    ),
    Rule(
        "CLK104",
        "wrong-offset",
        "The RTC starts at another offset from UTC than the guest takes it for.",
        wrong_offset,
    ),
    Rule(
        "CLK105",
        "guest-unknown",
        "Nothing says which system the guest is, and so how it takes its RTC.",
        guest_unknown,
    ),
)
