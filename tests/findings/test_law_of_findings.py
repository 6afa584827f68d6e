"""What holds of all findings together, for machines of every kind."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from guestclock.audit import judge
from guestclock.clock import Absolute, Base, Basis, Localtime, Timer, Utc, Variable, Zone
from guestclock.evidence import Observed, Unknown, value_of
from guestclock.findings.finding import Severity
from guestclock.guest import SYSTEMS
from guestclock.machine import Facts, Hardware, outlook
from guestclock.platforms.libvirt.dialect import parse_clock
from guestclock.zones import Zones
from tests.findings.build import OldDatabase, facts, zones

NAMES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Phoenix",
    "America/Denver",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Vancouver",
    "Pacific/Kiritimati",
    "Etc/UTC",
    "UTC",
)
BAD_NAMES = ("Asia/Shangai", "China Standard Time", "", "CST-8", ":Europe/Paris", "../etc/passwd")
OLD = OldDatabase({"Europe/Berlin": "CET-1", "America/Vancouver": "PST8PDT", "Asia/Kolkata": None})

zone_names = st.sampled_from(NAMES)
seconds = st.one_of(
    st.sampled_from([0, 1, 4, 5, 3600, -3600, 28800, -18000, 2**31, -(2**31), 2**31 + 1, 10**12]),
    st.integers(-(2**33), 2**33),
)
bases: st.SearchStrategy[Base] = st.one_of(
    st.builds(Utc, st.booleans()),
    st.builds(Localtime, st.booleans()),
    st.builds(Zone, st.one_of(zone_names, st.sampled_from(BAD_NAMES))),
    st.builds(Variable, seconds, st.sampled_from(Basis)),
    st.builds(Absolute, st.one_of(st.integers(0, 2**34), st.integers(0, 2**63))),
)
timers = st.lists(
    st.sampled_from(
        [
            Timer("rtc", track="guest"),
            Timer("rtc", tickpolicy="catchup", track="realtime"),
            Timer("rtc", present=False, tickpolicy="delay"),
            Timer("hypervclock", present=True),
        ]
    ),
    max_size=2,
).map(tuple)
hardware = st.sampled_from(
    [
        Hardware(),
        Hardware("kvm", "x86_64", "pc-q35-7.2"),
        Hardware("kvm", "s390x", "s390-ccw-virtio"),
        Hardware("kvm", "x86_64", "microvm"),
    ]
)
machines = st.builds(
    facts,
    st.one_of(bases, bases, bases, st.none()),
    st.sampled_from(sorted(SYSTEMS)),
    st.one_of(zone_names, zone_names, st.none(), st.just("No/Where")),
    st.one_of(zone_names, zone_names, st.none(), st.sampled_from(BAD_NAMES)),
    bias=st.one_of(st.none(), st.none(), st.sampled_from([0, -60, -120, -480, 300, 240])),
    daemon=st.one_of(st.none(), zone_names),
    timers=timers,
    live=st.one_of(st.none(), bases),
    rtc=st.one_of(st.none(), seconds),
    hardware=hardware,
    skew=st.sampled_from([0, 0, 0, 3, 60, -7200]),
    utc_offset=st.sampled_from([0, 480, -300]),
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda naive: naive.replace(tzinfo=UTC, microsecond=0)
)
databases = st.sampled_from([zones(), zones(host=OLD), zones(guest=OLD), zones(OLD, OLD)])


TWO_FAULTS_THAT_MAKE_UP_FOR_EACH_OTHER = facts(
    Zone("Europe/Berlin"), "freebsd", "Asia/Shanghai", "Asia/Shanghai", skew=-7200
)


@settings(max_examples=600, deadline=timedelta(seconds=2))
@example(TWO_FAULTS_THAT_MAKE_UP_FOR_EACH_OTHER, datetime(2026, 4, 1, tzinfo=UTC), zones(OLD), 1)
@given(machines, instants, databases, st.sampled_from([1, 5, 60]))
def test_a_cold_start_is_wrong_exactly_where_there_is_one_error(
    given_facts: Facts, at: datetime, rules: Zones, tolerance: int
) -> None:
    judged = judge(given_facts, at, rules, tolerance)
    errors = [one for one in judged.findings if one.severity is Severity.ERROR]
    after = value_of(judged.outlook.after_cold_start)
    assert len(errors) <= 1
    if after is not None:
        assert bool(errors) == (abs(after) >= tolerance)


@settings(max_examples=300, deadline=timedelta(seconds=2))
@given(machines, instants, databases)
def test_rule_and_hop_name_a_finding_and_say_something(
    given_facts: Facts, at: datetime, rules: Zones
) -> None:
    findings = judge(given_facts, at, rules).findings
    assert len({(one.rule, one.hop) for one in findings}) == len(findings)
    for one in findings:
        assert one.expected
        assert one.observed
        assert one.cure
        assert one.evidence


@settings(max_examples=200, deadline=timedelta(seconds=2))
@given(machines, instants, databases)
def test_a_judgement_rests_on_its_facts_alone(
    given_facts: Facts, at: datetime, rules: Zones
) -> None:
    assert judge(given_facts, at, rules) == judge(given_facts, at, rules)


CLOCK = re.compile(r"virsh edit: (<clock [^>]*/>)")


@settings(max_examples=600, deadline=timedelta(seconds=2))
@given(machines, instants, databases, st.sampled_from([1, 5, 60]))
def test_a_clock_that_is_a_cure_leaves_no_error(
    given_facts: Facts, at: datetime, rules: Zones, tolerance: int
) -> None:
    for one in judge(given_facts, at, rules, tolerance).findings:
        proposed = CLOCK.match(one.cure)
        # A guest whose zone nobody knows is told to fill it in.
        if one.severity is not Severity.ERROR or not proposed or "'ZONE'" in proposed[1]:
            continue
        domain = etree.fromstring(f"<domain>{proposed[1]}</domain>")
        assert not isinstance(given_facts.definition, Unknown)
        clock = replace(given_facts.definition.value, base=parse_clock(domain).base)
        cured = replace(given_facts, definition=Observed(clock, "the cure"))
        error = value_of(outlook(cured, at, rules).after_cold_start)
        assert error is None or abs(error) < tolerance


FOLLOWING = st.sampled_from([Localtime(), Variable(0, Basis.LOCALTIME)])
TAKES_UTC = st.sampled_from(["linux", "freebsd", "openbsd", "windows-universal"])


@given(FOLLOWING, TAKES_UTC, st.one_of(zone_names, st.none(), st.sampled_from(BAD_NAMES)), instants)
def test_a_utc_guest_on_a_clock_that_follows_its_host_always_has_a_finding(
    base: Base, system: str, host: str | None, at: datetime
) -> None:
    assert judge(facts(base, system, host=host), at, zones()).findings


EXACT = st.one_of(st.just(Utc()), st.builds(Zone, st.just("Asia/Shanghai")))


@given(EXACT, instants)
def test_a_machine_that_is_right_for_good_has_no_finding(base: Base, at: datetime) -> None:
    system = "linux" if isinstance(base, Utc) else "windows"
    assert judge(facts(base, system), at, zones()).findings == ()
