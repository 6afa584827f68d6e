from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from guestclock.clock import Base, Basis, Localtime, Variable, Zone
from guestclock.findings.zone import first_difference
from guestclock.zones import posix_zone
from tests.findings.build import AT, PACKAGED, OldDatabase, facts, only, rules_found, zones


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Asia/Shangai", "Asia/Shanghai"),
        ("Europe/Berlim", "Europe/Berlin"),
        ("China Standard Time", "Asia/Shanghai"),
        ("asia/shanghai", "Asia/Shanghai"),
    ],
)
def test_a_misspelt_zone_proposes_the_right_one(name: str, near: str) -> None:
    finding = only(facts(Zone(name), zone=None), "CLK201")
    assert finding.severity.value == "error"
    assert f"timezone='{near}'" in finding.cure
    assert f"({PACKAGED.name}, {PACKAGED.release}, was asked)" in finding.expected


@pytest.mark.parametrize("name", ["CST-8", ":Asia/Shanghai", "/usr/share/zoneinfo/Asia/Shanghai"])
def test_what_the_c_library_understands_is_no_misspelling(name: str) -> None:
    assert rules_found(facts(Zone(name))) == set()


def test_the_guests_own_zone_is_a_better_cure_than_a_near_name() -> None:
    finding = only(facts(Zone("Asia/Shangai"), zone="Asia/Tokyo"), "CLK201")
    assert "timezone='Asia/Tokyo'" in finding.cure


def test_a_utc_guest_is_right_with_a_misspelt_zone_by_chance() -> None:
    assert rules_found(facts(Zone("Asia/Shangai"), "linux")) == {"CLK201w"}


def test_a_zone_that_only_the_host_lacks_needs_newer_tzdata() -> None:
    old = zones(host=OldDatabase({"Asia/Shanghai": None}))
    finding = only(facts(Zone("Asia/Shanghai")), "CLK201", old)
    assert "update the host's tzdata" in finding.cure


def test_a_host_zone_that_does_not_exist_is_the_hosts_fault() -> None:
    assert only(facts(Localtime(), host="Asia/Shangai"), "CLK201").hop == "host"


def local(adjustment: int = 0) -> Base:
    return Variable(adjustment, Basis.LOCALTIME)


@pytest.mark.parametrize(
    ("host", "daemon", "expected"),
    [
        ("Asia/Shanghai", None, {"CLK202n", "CLK301n"}),
        ("Asia/Shanghai", "Asia/Shanghai", {"CLK202n", "CLK301n"}),
        ("Asia/Shanghai", "Asia/Singapore", {"CLK202w", "CLK301n"}),
        ("Asia/Shanghai", "UTC", {"CLK202e", "CLK301n"}),
        ("UTC", None, {"CLK202n", "CLK104e", "CLK301n"}),
        (None, None, {"CLK202w", "CLK301n"}),
    ],
)
def test_basis_localtime_depends_on_the_daemon(
    host: str | None, daemon: str | None, expected: set[str]
) -> None:
    assert rules_found(facts(local(), host=host, daemon=daemon)) == expected


def test_the_cure_counts_the_same_from_utc_where_the_guest_is_not_known() -> None:
    finding = only(facts(local(60), "unknown", None, host="Asia/Shanghai"), "CLK202")
    assert "adjustment='28860' basis='utc'" in finding.cure


def test_old_rules_on_the_host_explain_a_wrong_start() -> None:
    old = zones(host=OldDatabase({"Europe/Berlin": "EET-2"}))
    given = facts(Zone("Europe/Berlin"), zone="Europe/Berlin")
    finding = only(given, "CLK203", old)
    assert rules_found(given, old) == {"CLK203e"}
    assert finding.hop == "host"
    assert "1 h ahead already now" in finding.observed
    assert {one.where for one in finding.evidence} >= {
        "an old database, release 2012a",
        f"{PACKAGED.name}, release {PACKAGED.release}",
    }


def test_old_rules_that_part_within_a_year_are_a_warning_with_the_instant() -> None:
    old = zones(host=OldDatabase({"Europe/Berlin": "CET-1"}))
    finding = only(facts(Localtime(), zone="Europe/Berlin", host="Europe/Berlin"), "CLK203", old)
    assert finding.severity.value == "warning"
    assert "1 h behind from 2027-03-28T01:00:00Z on" in finding.observed


@pytest.mark.parametrize(
    ("system", "severity"), [("windows", "warning"), ("linux-local", "warning"), ("linux", "note")]
)
def test_old_rules_in_the_guest_are_its_own(system: str, severity: str) -> None:
    old = zones(guest=OldDatabase({"Europe/Berlin": "CET-1"}))
    base = Zone("Europe/Berlin") if system != "linux" else Zone("UTC")
    finding = only(facts(base, system, "Europe/Berlin"), "CLK203", old)
    assert (finding.hop, finding.severity.value) == ("guest", severity)


def test_zones_that_agree_for_the_whole_time_never_part() -> None:
    one, other = posix_zone("CST-8"), PACKAGED.get("Asia/Shanghai")
    assert one is not None
    assert other is not None
    assert first_difference(one, other, AT, AT + timedelta(days=366)) is None


def test_zones_part_at_the_change_of_either() -> None:
    berlin, fixed = PACKAGED.get("Europe/Berlin"), posix_zone("CET-1")
    assert berlin is not None
    assert fixed is not None
    change = datetime(2027, 3, 28, 1, tzinfo=UTC)
    for pair in ((berlin, fixed), (fixed, berlin)):
        assert first_difference(*pair, AT, AT + timedelta(days=366)) == change
        assert first_difference(*pair, change, change) == change
