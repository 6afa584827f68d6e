from __future__ import annotations

import pytest

from guestclock.clock import Absolute, Basis, Clock, Localtime, Timer, Utc, Variable, Zone
from guestclock.machine import Hardware
from tests.findings.build import facts, found, only, rules_found


def test_a_live_adjustment_that_makes_it_right_is_lost() -> None:
    finding = only(facts(Variable(0), live=Variable(28800)), "CLK301")
    assert rules_found(facts(Variable(0), live=Variable(28800))) == {"CLK301e"}
    assert "8 h are lost at the next cold start" in finding.observed
    assert "adjustment='28800' basis='utc'" in finding.cure


def test_a_live_adjustment_of_an_unknown_guest_is_a_warning() -> None:
    given = facts(Variable(0), "unknown", None, live=Variable(28800))
    assert only(given, "CLK301").severity.value == "warning"


def test_a_live_adjustment_that_is_wrong_is_undone_by_a_right_definition() -> None:
    assert rules_found(facts(Variable(28800), live=Variable(0))) == {"CLK301n"}


def test_the_basis_that_libvirt_turns_to_utc_at_start_is_no_difference() -> None:
    base = Variable(0, Basis.LOCALTIME)
    given = facts(base, host="Asia/Shanghai", live=Variable(28800))
    assert rules_found(given) == {"CLK202n"}
    moved = facts(base, host="Asia/Shanghai", live=Variable(32400))
    assert rules_found(moved) == {"CLK202n", "CLK301n"}


@pytest.mark.parametrize(
    ("system", "expected"), [("windows", {"CLK301n"}), ("linux-local", {"CLK301n"})]
)
def test_a_variable_clock_does_not_keep_what_a_local_guest_corrects(
    system: str, expected: set[str]
) -> None:
    assert rules_found(facts(Variable(28800), system)) == expected
    assert rules_found(facts(Variable(0), "linux")) == set()


def test_a_changed_definition_takes_effect_at_the_next_cold_start() -> None:
    pending = facts(Zone("Asia/Shanghai"), live=Utc())
    assert rules_found(pending) == {"CLK302n"}
    assert only(pending, "CLK302").observed == (
        "offset='utc' runs, offset='timezone' timezone='Asia/Shanghai' is defined: "
        "this takes effect at the next cold start"
    )
    assert rules_found(facts(Utc(), live=Zone("Asia/Shanghai"))) == {"CLK101e", "CLK302w"}


def test_other_timers_are_a_note() -> None:
    slewing = (Timer("rtc", tickpolicy="catchup"),)
    given = facts(Utc(), "linux", timers=slewing, live=Clock(Utc()))
    assert rules_found(given) == {"CLK302n"}
    assert "other timers are defined (rtc)" in only(given, "CLK302").observed


def test_a_guest_that_corrected_itself_will_be_moved_back() -> None:
    finding = only(facts(Utc(), live=Utc(), rtc=28800), "CLK303")
    assert rules_found(facts(Utc(), live=Utc(), rtc=28800)) == {"CLK101e", "CLK303w"}
    assert "(the guest is right now)" in finding.observed
    assert "moves it by 8 h" in finding.observed


def test_an_rtc_that_runs_wrong_is_cured_by_a_right_cold_start() -> None:
    finding = only(facts(Utc(), "linux", rtc=28800), "CLK303")
    assert "(the guest is 8 h ahead now)" in finding.observed
    assert finding.cure == "stop and start the machine"


def test_an_unknown_guest_leaves_the_trace_of_local_time() -> None:
    finding = only(facts(Utc(), "unknown", None, rtc=28800), "CLK303")
    assert "as a guest sets it that keeps local time" in finding.observed
    assert "keeps local" not in only(facts(Utc(), "unknown", None, rtc=77), "CLK303").observed


def test_an_rtc_that_nobody_moved_is_none() -> None:
    assert rules_found(facts(Localtime(), host="Asia/Shanghai", rtc=28799)) == set()


def test_an_absolute_clock_and_hardware_without_an_rtc_are_not_compared() -> None:
    assert "CLK303 process" not in found(facts(Absolute(10**9), rtc=0))
    microvm = Hardware("kvm", "x86_64", "microvm")
    assert "CLK303 process" not in found(facts(Utc(), "linux", hardware=microvm, rtc=28800))
