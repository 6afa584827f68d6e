from __future__ import annotations

import pytest

from guestclock.clock import Basis, Localtime, Utc, Variable, Zone
from guestclock.machine import Facts
from tests.findings.build import OldDatabase, facts, found, only, rules_found, zones


def test_a_local_guest_on_utc_is_wrong_by_its_whole_offset() -> None:
    finding = only(facts(Utc()), "CLK101")
    assert finding.hop == "domain"
    assert finding.expected == (
        "an RTC that starts 8 h ahead of UTC, as Windows in Asia/Shanghai takes it"
    )
    assert finding.observed == (
        "offset='utc' starts it at UTC: the guest will be 8 h behind after a cold start"
    )
    assert finding.cure == (
        "virsh edit: <clock offset='timezone' timezone='Asia/Shanghai'/>, "
        "then stop and start; a reboot inside the guest changes nothing"
    )
    assert [(one.what, one.how) for one in finding.evidence] == [
        ("<clock offset='utc'>", "observed"),
        ("guest: Windows", "inferred"),
        ("guest zone Asia/Shanghai", "assumed"),
        ("saved bias -480 min", "inferred"),
    ]


@pytest.mark.parametrize("system", ["windows", "linux-local", "freebsd-local", "dos"])
@pytest.mark.parametrize("base", [Utc(), Variable(0), Variable(2)])
def test_a_local_guest_of_an_unknown_zone_on_utc_is_an_error_too(
    system: str, base: Utc | Variable
) -> None:
    given = facts(base, system, zone=None)
    assert only(given, "CLK101").severity.value == "error"
    assert "with --guests" in only(given, "CLK101").cure


@pytest.mark.parametrize("zone", ["UTC", "Africa/Abidjan", "Etc/UTC"])
@pytest.mark.parametrize("system", ["windows", "linux-local", "dos"])
def test_a_guest_without_an_offset_is_right_on_utc(zone: str, system: str) -> None:
    assert rules_found(facts(Utc(), system, zone)) == set()


def test_openbsd_with_an_offset_keeps_local_time() -> None:
    finding = only(facts(Utc(), "openbsd", None, utc_offset=-300), "CLK101")
    assert "5 h ahead" in finding.observed
    assert finding.cure.startswith("virsh edit: <clock offset='variable' adjustment='-18000'")
    assert rules_found(facts(Variable(-18000), "openbsd", None, utc_offset=-300)) == set()


@pytest.mark.parametrize(
    "given",
    [
        facts(Localtime(), "linux", host="Asia/Shanghai"),
        facts(Zone("Asia/Shanghai"), "freebsd"),
        facts(Variable(0, Basis.LOCALTIME), "openbsd", host="Asia/Shanghai"),
        facts(Variable(19800), "linux"),
    ],
)
def test_a_utc_guest_on_a_local_clock_is_an_error(given: Facts) -> None:
    finding = only(given, "CLK102")
    assert finding.severity.value == "error"
    assert finding.cure.startswith("virsh edit: <clock offset='utc'/>")


def test_the_same_for_windows_that_takes_utc_is_a_double_fix() -> None:
    given = facts(Localtime(), "windows-universal", host="Asia/Shanghai")
    assert rules_found(given) == {"CLK103e"}


@pytest.mark.parametrize(
    ("system", "expected"),
    [("linux", {"CLK102w"}), ("windows-universal", {"CLK103w"}), ("windows", {"CLK104w"})],
)
def test_localtime_on_an_unknown_host_is_a_warning(system: str, expected: set[str]) -> None:
    given = facts(Localtime(), system, host=None)
    assert rules_found(given) == expected
    [finding] = found(given).values()
    assert "--host-zone" in finding.cure


def test_an_adjustment_that_no_zone_has_is_a_wrong_offset() -> None:
    assert rules_found(facts(Variable(600), "linux")) == {"CLK104e"}
    assert rules_found(facts(Variable(28800 + 60), live=Variable(28800 + 60))) == {"CLK104e"}


def test_the_host_is_where_localtime_is_wrong() -> None:
    assert only(facts(Localtime(), host="America/New_York"), "CLK104").hop == "host"
    assert only(facts(Zone("America/New_York")), "CLK104").hop == "domain"


def test_a_host_in_utc_is_a_warning_for_a_local_guest_of_an_unknown_zone() -> None:
    assert rules_found(facts(Localtime(), zone=None, host="UTC")) == {"CLK104w"}
    assert rules_found(facts(Localtime(), zone=None, host="Asia/Shanghai")) == set()


def test_a_host_whose_clock_is_wrong_is_named() -> None:
    finding = only(facts(Utc(), "linux", skew=-60), "CLK104")
    assert finding.hop == "host"
    assert "1 min behind" in finding.observed
    assert "NTP" in finding.cure


def test_a_cure_names_no_zone_that_the_host_would_take_for_utc() -> None:
    old = zones(host=OldDatabase({"Asia/Shanghai": None}))
    cure = only(facts(Utc()), "CLK101", old).cure
    assert cure.startswith("virsh edit: <clock offset='variable' adjustment='28800' basis='utc'/>")
    assert "lacks Asia/Shanghai" in cure


def test_an_unknown_guest_is_a_note_and_settles_how_its_source_says() -> None:
    assert rules_found(facts(Utc(), "unknown", None)) == {"CLK105n"}
    assert "--guests" in only(facts(Utc(), "unknown", None), "CLK105").cure


def test_nothing_is_said_of_a_definition_that_was_not_read() -> None:
    assert rules_found(facts(None)) == set()


LOCAL_BASIS = Variable(0, Basis.LOCALTIME)


@pytest.mark.parametrize(
    ("given", "rule", "host"),
    [
        (facts(Localtime(), "linux"), "CLK102", "its host"),
        (facts(Localtime(), "freebsd", host="Africa/Abidjan"), "CLK102", "its host"),
        (facts(LOCAL_BASIS, "linux", host="Asia/Shanghai", daemon="UTC"), "CLK102", "libvirtd"),
        (facts(Localtime(), "windows-universal"), "CLK103", "its host"),
    ],
)
def test_a_utc_guest_that_is_right_by_its_host_alone_is_a_note(
    given: Facts, rule: str, host: str
) -> None:
    finding = only(given, rule)
    assert finding.severity.value == "note"
    assert finding.observed.endswith(f"right only as long as {host} is on UTC")
    assert finding.cure.startswith("virsh edit: <clock offset='utc'/>")


@pytest.mark.parametrize("base", [Zone("UTC"), Utc(), Variable(0)])
def test_a_utc_guest_whose_clock_follows_no_host_is_right(base: Zone | Utc | Variable) -> None:
    assert rules_found(facts(base, "linux")) == set()


def test_a_cure_says_so_where_the_host_has_to_be_set_right_first() -> None:
    cure = only(facts(Utc(), skew=60), "CLK101").cure
    assert cure.startswith("set the host's clock right, best by NTP; then virsh edit: <clock")


def test_no_clock_is_proposed_that_is_wrong_for_the_saved_bias() -> None:
    cure = only(facts(Utc(), zone="Europe/Berlin", bias=-120), "CLK101").cure
    assert cure == "set RealTimeIsUniversal in the guest with <clock offset='utc'/>"
