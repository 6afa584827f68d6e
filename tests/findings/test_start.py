from __future__ import annotations

from dataclasses import replace

import pytest

from guestclock.clock import Absolute, Base, Clock, Localtime, Timer, Utc, Variable, Zone
from guestclock.evidence import Observed
from guestclock.machine import Hardware
from tests.findings.build import AT, facts, only, rules_found
from tests.findings.firing import KVM, WINDOWS_TIMERS

NOW = int(AT.timestamp())
S390X = Hardware("kvm", "s390x", "s390-ccw-virtio-7.2")
MICROVM = Hardware("kvm", "x86_64", "microvm")


def test_an_absolute_clock_is_an_error_once_time_has_passed() -> None:
    finding = only(facts(Absolute(NOW - 86400), "linux"), "CLK501")
    assert finding.severity.value == "error"
    assert "begins at 2026-11-22T12:00:00Z again: the guest will be 1 d behind" in finding.observed


def test_an_absolute_clock_that_is_right_today_is_a_warning() -> None:
    assert rules_found(facts(Absolute(NOW + 1), "linux")) == {"CLK501w"}


def test_for_an_unknown_guest_an_absolute_clock_is_wrong_where_no_zone_is() -> None:
    far, near = NOW - 3 * 86400, NOW - 3600
    assert rules_found(facts(Absolute(far), "unknown", None)) == {"CLK105n", "CLK501e"}
    assert rules_found(facts(Absolute(near), "unknown", None)) == {"CLK105n", "CLK501w"}


@pytest.mark.parametrize(
    "base", [Absolute(4102444799), Variable(2208988800), Variable(-(2**31) - 1)]
)
def test_a_start_beyond_68_years_wraps(base: Base) -> None:
    finding = only(facts(base, "linux"), "CLK502")
    assert finding.severity.value == "error"
    assert any("wraps the date" in one.what for one in finding.evidence)
    assert not rules_found(facts(base, "linux")) & {"CLK501e", "CLK501w", "CLK104e"}


@pytest.mark.parametrize("base", [Absolute(10**15), Variable(10**15)])
def test_a_start_that_no_date_has_is_beyond_too(base: Base) -> None:
    assert "CLK502e" in rules_found(facts(base, "unknown", None))


def test_what_does_not_follow_the_host_does_not_wrap() -> None:
    free = (Timer("rtc", track="realtime"),)
    assert rules_found(facts(Absolute(4102444799), "linux", timers=free)) == {"CLK501e"}


@pytest.mark.parametrize(
    ("base", "timers", "says"),
    [
        (Utc(reset=True), (), "only heard by Xen"),
        (Localtime(reset=True), (), "only heard by Xen"),
        (Utc(), (Timer("rtc", present=False),), "leaves the RTC where it is"),
        (Utc(), (Timer("rtc", tickpolicy="delay"),), "what QEMU does without"),
    ],
)
def test_settings_without_effect_are_named(
    base: Base, timers: tuple[Timer, ...], says: str
) -> None:
    finding = only(facts(base, "linux", timers=timers), "CLK503")
    assert says in finding.observed


def test_several_settings_without_effect_are_one_finding() -> None:
    both = (Timer("rtc", present=False, tickpolicy="delay"),)
    assert only(facts(Utc(reset=True), "linux", timers=both), "CLK503").observed.count(";") == 2


def test_an_rtc_that_stops_with_the_machine_is_a_warning() -> None:
    stopping = (Timer("rtc", track="guest"),)
    assert rules_found(facts(Utc(), "linux", timers=stopping)) == {"CLK504w"}
    for track in ("wall", "realtime"):
        given = facts(Utc(), "linux", timers=(Timer("rtc", track=track),))
        assert rules_found(given) == set()


def test_the_timers_that_are_missing_are_named() -> None:
    finding = only(facts(Zone("Asia/Shanghai"), hardware=KVM, timers=WINDOWS_TIMERS[:2]), "CLK505")
    assert finding.observed == ("2 timers missing: hypervclock, no hpet")
    assert finding.cure == (
        "virsh edit: add <timer name='hypervclock' present='yes'/>, "
        "<timer name='hpet' present='no'/> to <clock>, then stop and start"
    )
    every = only(facts(Zone("Asia/Shanghai"), hardware=KVM), "CLK505").observed
    assert every == "4 timers missing: hypervclock, rtc catchup, pit delay, no hpet"


@pytest.mark.parametrize(
    ("system", "hardware"),
    [
        ("linux", KVM),
        ("windows-universal", Hardware("qemu", "x86_64", "pc")),
        ("windows-universal", Hardware("kvm", "aarch64", "virt")),
    ],
)
def test_only_windows_on_kvm_wants_its_timers(system: str, hardware: Hardware) -> None:
    assert rules_found(facts(Utc(), system, hardware=hardware)) == set()


@pytest.mark.parametrize("hardware", [S390X, MICROVM])
@pytest.mark.parametrize("base", [Localtime(), Zone("No/Where"), Absolute(0), Variable(3600)])
def test_hardware_without_an_rtc_makes_every_clock_a_note(base: Base, hardware: Hardware) -> None:
    assert rules_found(facts(base, "linux", hardware=hardware)) == {"CLK506n"}


def test_hardware_without_an_rtc_is_an_error_for_a_guest_that_keeps_local_time() -> None:
    for zone in ("Asia/Shanghai", None):
        given = facts(Zone("Asia/Shanghai"), "linux-local", zone, hardware=MICROVM)
        assert rules_found(given) == {"CLK506e"}


def test_the_same_hardware_without_kvm_has_an_rtc() -> None:
    emulated = Hardware("qemu", "s390x", "s390-ccw-virtio-7.2")
    assert rules_found(facts(Localtime(), "linux", hardware=emulated)) == {"CLK102n"}


def test_a_command_line_is_judged_for_what_it_can_say() -> None:
    kvm = replace(
        facts(Utc(), hardware=KVM, timers=(Timer("rtc", track="guest"),)),
        definition=Observed(Clock(Utc(), (Timer("rtc", track="guest"),)), "-rtc base=utc,clock=vm"),
    )
    assert rules_found(kvm) == {"CLK101e", "CLK504w"}
    assert "take clock=vm out of -rtc" in only(kvm, "CLK504").cure
    cure = only(kvm, "CLK101").cure
    assert cure.startswith("give QEMU -rtc base=localtime and TZ=Asia/Shanghai")
    assert "virsh" not in cure
