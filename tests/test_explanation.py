from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from guestclock.clock import Absolute, Base, Basis, Clock, Localtime, Timer, Utc, Variable, Zone
from guestclock.databases import zones_at_hand
from guestclock.evidence import Assumed, Observed, Unknown, value_of
from guestclock.explanation import Explanation, explain
from guestclock.exposure import Life
from guestclock.faults import Fault
from guestclock.guest import NO_BIAS, NO_ZONE, Guest
from guestclock.law import NO_HOST_ZONE, Host
from guestclock.machine import Facts, Hardware, Identity, Machine, Process
from guestclock.platforms.libvirt.dialect import parse_clock
from guestclock.zones import Zones

WINTER = datetime(2026, 11, 23, 12, tzinfo=UTC)


def explained(
    base: Base,
    system: str = "windows",
    zone: str | None = "Asia/Shanghai",
    host: str | None = "UTC",
    bias: int | None = None,
    process: Process | None = None,
    at: datetime = WINTER,
    **more: Any,
) -> Explanation:
    guest = Guest(
        system,
        Assumed(zone, "inventory") if zone else NO_ZONE,
        Assumed(bias, "inventory") if bias is not None else NO_BIAS,
        kind=Assumed(system, "inventory"),
    )
    definition = Observed(Clock(base), "/domain/clock")
    facts = Facts(
        definition=definition,
        live=definition if process else None,
        process=process,
        asked=process is not None,
        guest=guest,
        host=Host(Assumed(host, "--host-zone") if host else NO_HOST_ZONE),
        **more,
    )
    machine = Machine(Identity("id", "win10", "libvirt", "win10.xml"), facts)
    return explain(machine, at, zones_at_hand())


def running(offset: int) -> Process:
    return Process(pid=1, rtc_offset=Observed(offset, "QMP rtc-time"))


def test_the_verdict_of_the_field_report() -> None:
    found = explained(Utc(), process=running(28800))
    assert found.verdict == (
        "win10 will be 8 h behind after its next cold start; "
        "it is right now only because its user set it"
    )
    assert found.fault is Fault.ZONE_STEP
    assert value_of(found.seen.now) == 0
    assert value_of(found.seen.after_reset) == 0
    assert value_of(found.seen.after_cold_start) == -28800
    assert found.cure is not None
    assert "timezone='Asia/Shanghai'" in found.cure.what
    assert "stop and start" in found.cure.cost


def test_a_machine_that_nobody_read_says_nothing_of_now() -> None:
    found = explained(Utc())
    assert found.verdict == "win10 will be 8 h behind after its next cold start"
    assert isinstance(found.seen.now, Unknown)


@pytest.mark.parametrize(
    ("base", "system", "zone", "host", "fault"),
    [
        (Utc(), "windows", "Asia/Shanghai", "UTC", Fault.ZONE_STEP),
        (Localtime(), "linux", "Asia/Shanghai", "Asia/Shanghai", Fault.ZONE_STEP),
        (Localtime(), "windows", "Asia/Shanghai", "UTC", Fault.ZONE_STEP),
        (Zone("Asia/Shangai"), "windows", "Asia/Shanghai", "UTC", Fault.ZONE_STEP),
        (Localtime(), "windows-universal", "Asia/Shanghai", "Asia/Shanghai", Fault.DOUBLE_FIX),
        (Absolute(1577836800), "linux", None, "UTC", Fault.FROZEN),
        (Absolute(7258118400), "linux", None, "UTC", Fault.WRAPPED),
        (Variable(30), "linux", None, "UTC", Fault.OTHER_STEP),
        (Utc(), "unknown", None, "UTC", Fault.UNKNOWN),
        (Localtime(), "windows", "Asia/Shanghai", None, Fault.UNKNOWN),
        (Utc(), "windows", None, "UTC", Fault.ZONE_STEP),
        (Localtime(), "windows", None, "Asia/Tokyo", Fault.UNKNOWN),
        (Variable(2**63 - 1), "linux", None, "UTC", Fault.WRAPPED),
        (Utc(), "linux", None, "UTC", None),
        (Zone("Asia/Shanghai"), "windows", "Asia/Shanghai", "UTC", None),
    ],
)
def test_each_class_of_fault(
    base: Base, system: str, zone: str | None, host: str | None, fault: Fault | None
) -> None:
    found = explained(base, system, zone, host)
    assert found.fault is fault
    assert (found.cure is None) == (fault is None)


def test_a_summer_time_step_is_told_from_a_zone_step() -> None:
    """Sealed in January, first started in July: the saved bias is an hour off."""
    july = datetime(2026, 7, 1, 12, tzinfo=UTC)
    found = explained(
        Zone("Europe/Berlin"), zone="Europe/Berlin", bias=-60, at=july, host="Europe/Berlin"
    )
    assert found.fault is Fault.DST_STEP
    assert value_of(found.seen.after_cold_start) == 3600
    on_utc = explained(Utc(), zone="Europe/London", bias=-60, at=july)
    assert on_utc.fault is Fault.ZONE_STEP


def test_a_right_clock_says_until_when() -> None:
    found = explained(Zone("Europe/Berlin"), zone="Europe/Berlin")
    assert found.fault is None
    assert found.exposure is not None
    assert found.exposure.change.at == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert found.exposure.life is Life.OFF
    assert found.exposure.error == 3600
    assert "until the change of Europe/Berlin at 2027-03-28T01:00:00Z" in found.verdict
    assert found.verdict.endswith("off over it, it starts 1 h ahead")


def test_a_fixed_adjustment_is_right_until_the_zone_changes_even_if_the_guest_runs() -> None:
    found = explained(Variable(3600), "linux-local", "Europe/Berlin")
    assert found.exposure is not None
    assert found.exposure.error == -3600
    assert found.exposure.life is Life.AFTER
    west = explained(Variable(-18000), "linux-local", "America/New_York")
    assert west.exposure is not None
    assert west.exposure.life is Life.AFTER
    assert west.exposure.error == -3600


@pytest.mark.parametrize("host", ["UTC", "Europe/London"])
def test_a_clock_that_follows_its_host_is_right_only_there(host: str) -> None:
    found = explained(Localtime(), "linux", None, host)
    assert "for good" not in found.verdict
    assert ("as long as its host is in UTC" in found.verdict) == (host == "UTC")
    assert ("until the change of Europe/London" in found.verdict) == (host != "UTC")


def test_windows_of_an_unknown_zone_should_not_start_at_utc() -> None:
    found = explained(Utc(), "windows", None)
    definition = found.hops[0]
    assert definition.wrong
    assert definition.should == "the local time of the guest's zone"


def test_a_definition_that_is_unknown_has_no_cure() -> None:
    facts = Facts(definition=Unknown("not QEMU's", "ask its own platform"))
    machine = Machine(Identity("i", "n", "libvirt", "s"), facts)
    found = explain(machine, WINTER, zones_at_hand())
    assert found.cure is None
    assert found.hops[0].should == ""


def test_a_machine_without_libvirt_is_cured_on_its_command_line() -> None:
    definition = Observed(Clock(Utc()), "no -rtc: QEMU's default")
    guest = Guest("windows", Assumed("Asia/Shanghai", "t"), kind=Assumed("windows", "t"))
    machine = Machine(Identity("i", "n", "qemu", "pid:1"), Facts(definition, guest=guest))
    found = explain(machine, WINTER, zones_at_hand())
    assert found.cure is not None
    assert "TZ=Asia/Shanghai" in found.cure.what


def test_around_a_change_the_guest_is_to_blame_and_no_clock_is_proposed() -> None:
    before = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    linux = explained(Localtime(), "linux-local", "Europe/Berlin", "Europe/Berlin", at=before)
    assert value_of(linux.seen.after_cold_start) == -3600
    assert linux.cure is not None
    assert linux.cure.what.startswith("let the guest keep UTC")
    assert not linux.hops[0].wrong
    july = datetime(2026, 7, 1, tzinfo=UTC)
    windows = explained(Localtime(), "windows", "Europe/Berlin", "Europe/Berlin", bias=-60, at=july)
    assert windows.cure is not None
    assert windows.cure.what.startswith("set RealTimeIsUniversal in the guest")


@given(
    st.sampled_from(["windows", "linux", "linux-local", "freebsd-local", "windows-universal"]),
    st.sampled_from([Utc(), Localtime(), Zone("Asia/Tokyo"), Variable(3600), Absolute(0)]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Shanghai"]),
    st.sampled_from([None, -60, 240]),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
)
def test_a_clock_that_is_proposed_as_the_cure_cures(
    system: str, base: Base, zone: str, bias: int | None, at: datetime
) -> None:
    found = explained(base, system, zone, "Asia/Tokyo", bias, at=at.replace(microsecond=0))
    if found.cure is None or not found.cure.what.startswith("define <clock"):
        return
    clock = etree.fromstring(found.cure.what.removeprefix("define "))
    domain = etree.Element("domain")
    domain.append(clock)
    cured = parse_clock(domain).base
    again = explained(cured, system, zone, "Asia/Tokyo", bias, at=at.replace(microsecond=0))
    assert again.fault is None


def test_a_zone_that_both_sides_follow_errs_in_the_hours_before_a_change_alone() -> None:
    found = explained(Zone("Europe/Berlin"), "linux-local", "Europe/Berlin")
    assert "but for the 1 h before the change of Europe/Berlin at 2027-03-28" in found.verdict
    assert "1 h behind" in found.verdict


@pytest.mark.parametrize("system", ["linux", "windows-universal", "freebsd"])
def test_utc_on_both_sides_is_right_for_good_and_says_why(system: str) -> None:
    found = explained(Utc(), system, "Europe/Berlin")
    assert found.exposure is None
    assert found.verdict.endswith("its RTC starts at UTC, and it takes it for UTC")


def test_an_unknown_verdict_names_the_reason_and_what_settles_it() -> None:
    found = explained(Localtime(), host=None)
    assert "unknown" in found.verdict
    assert "--host-zone" in found.verdict


def test_hops_say_what_they_say_and_what_they_should() -> None:
    found = explained(Localtime(), "windows", "Asia/Shanghai", "UTC", process=running(0))
    hops = {hop.name: hop for hop in found.hops}
    assert list(hops) == ["definition", "live definition", "host zone", "QEMU", "RTC", "guest"]
    assert hops["host zone"].says == "UTC"
    assert hops["host zone"].should == "Asia/Shanghai"
    assert hops["definition"].should == "offset='timezone' timezone='Asia/Shanghai'"
    assert hops["RTC"].should == "UTC + 8 h"
    assert all(hop.evidence for hop in found.hops)


def test_a_right_machine_has_no_wrong_hop() -> None:
    found = explained(Zone("Asia/Shanghai"), process=running(28800))
    assert not [hop.name for hop in found.hops if hop.wrong]


def test_hardware_without_an_rtc_takes_the_hosts_time() -> None:
    found = explained(
        Localtime(), "linux", None, "Asia/Shanghai", hardware=Hardware("kvm", "s390x", "s390-ccw")
    )
    assert found.fault is None
    assert value_of(found.seen.after_cold_start) == 0


BASES = st.one_of(
    st.builds(Utc),
    st.builds(Localtime),
    st.builds(Zone, st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "Nowhere/Bogus"])),
    st.builds(Variable, st.integers(-(2**40), 2**40), st.sampled_from(Basis)),
    st.builds(Absolute, st.integers(0, 2**64 - 1)),
)


@given(
    BASES,
    st.sampled_from(["windows", "windows-universal", "linux", "linux-local", "dos", "unknown"]),
    st.sampled_from([None, "Europe/Berlin", "Asia/Shanghai"]),
    st.sampled_from([None, "UTC", "Europe/Berlin"]),
    st.sampled_from([None, "rt", "guest"]),
)
def test_any_machine_gets_a_verdict_and_a_fault_exactly_where_it_is_not_right(
    base: Base, system: str, zone: str | None, host: str | None, track: str | None
) -> None:
    found = explained(base, system, zone, host)
    error = found.seen.after_cold_start
    assert found.verdict
    if found.fault is None:
        assert abs(value_of(error) or 0) < 5
        assert not isinstance(error, Unknown)
    elif isinstance(error, Unknown):
        assert "unknown" in found.verdict or "unless its zone is UTC" in found.verdict


def test_timers_do_not_change_a_verdict(zones: Zones) -> None:
    base = Observed(Clock(Utc(), (Timer("rtc", track="guest"),)), "/domain/clock")
    guest = Guest("linux", kind=Assumed("linux", "test"))
    machine = Machine(Identity("i", "n", "libvirt", "s"), Facts(definition=base, guest=guest))
    assert explain(machine, WINTER, zones).fault is None
