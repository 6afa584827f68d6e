"""CLK608 and CLK614 of hosts."""

from __future__ import annotations

import pytest

from guestclock.evidence import Fact, Observed, Unknown
from guestclock.findings.finding import Finding
from guestclock.platforms.openstack.findings.host import HostView, host_findings
from guestclock.platforms.openstack.records import Cloud, Host
from tests.findings.build import AT, ZONES

Given = dict[str, tuple[str | None, tuple[str, ...], str]]
"""Hosts by name: zone, aggregates, cell."""


def found(given: Given, count: int = 0) -> dict[str, tuple[Finding, ...]]:
    """What is found at each host that something is found at."""
    hosts = {name: Host(name, aggregates=one[1], cell=one[2]) for name, one in given.items()}
    zones: dict[str, Fact[str]] = {
        name: Unknown("not asked") if one[0] is None else Observed(one[0], "/etc/localtime")
        for name, one in given.items()
    }
    cloud = Cloud("test", hosts=hosts)
    names = tuple(f"w{number}" for number in range(min(count, 5)))
    views = [HostView(name, host, zones, cloud, count, names) for name, host in hosts.items()]
    findings = {view.name: host_findings(view, AT, ZONES) for view in views}
    return {name: some for name, some in findings.items() if some}


def test_the_odd_one_out_of_an_aggregate_is_told() -> None:
    [(name, [finding])] = found(
        {
            "a": ("Asia/Shanghai", ("gold",), ""),
            "b": ("UTC", ("gold",), ""),
            "c": ("Asia/Shanghai", ("gold",), ""),
        }
    ).items()
    assert name == "b"
    assert (finding.rule, finding.severity.value, finding.hop) == ("CLK608", "warning", "host zone")
    assert "2 of aggregate gold in Asia/Shanghai, such as a" in finding.observed


@pytest.mark.parametrize(
    "given",
    [
        # One zone by two names, and two zones that are alike all the coming year.
        {"a": ("Asia/Shanghai", ("x",), ""), "b": ("PRC", ("x",), "")},
        {"a": ("Europe/Berlin", ("x",), ""), "b": ("Europe/Madrid", ("x",), "")},
        {"a": ("UTC", ("x",), ""), "b": ("Africa/Abidjan", ("x",), "")},
        # Nothing moves between these.
        {"a": ("UTC", ("x",), ""), "b": ("Asia/Shanghai", ("y",), "")},
        {"a": ("UTC", (), "one"), "b": ("Asia/Shanghai", (), "two")},
        {"a": ("UTC", ("x",), ""), "b": ("Asia/Shanghai", (), "")},
        {"a": ("UTC", ("x",), ""), "b": (None, ("x",), "")},
        {"a": ("UTC", ("x",), "")},
    ],
)
def test_hosts_that_agree_or_share_nothing_are_right(given: Given) -> None:
    assert found(given) == {}


def test_hosts_of_no_aggregate_are_compared_within_their_cell() -> None:
    [(name, [finding])] = found({"a": ("UTC", (), "one"), "b": ("Asia/Tokyo", (), "one")}).items()
    assert name == "b"
    assert "cell one" in finding.observed


def test_zones_that_part_in_summer_only_are_told() -> None:
    given: Given = {"a": ("UTC", ("x",), ""), "b": ("Europe/London", ("x",), "")}
    assert list(found(given)) == ["b"]


def test_several_aggregates_make_one_finding() -> None:
    given: Given = {
        "a": ("UTC", ("x",), ""),
        "b": ("UTC", ("y",), ""),
        "c": ("Asia/Tokyo", ("x", "y"), ""),
    }
    assert {name: len(some) for name, some in found(given).items()} == {"c": 1}


def test_windows_on_a_host_in_utc_is_told_once_for_the_host() -> None:
    [finding] = found({"a": ("Etc/UTC", (), "")}, count=7)["a"]
    assert (finding.rule, finding.severity.value, finding.hop) == ("CLK614", "warning", "host zone")
    assert "7 Windows servers" in finding.observed
    assert "w0, w1, w2 and 4 more" in finding.observed
    assert found({"a": ("Etc/UTC", (), "")}) == {}
    assert found({"a": ("Asia/Shanghai", (), "")}, count=7) == {}
    # It has a local time in summer.
    assert found({"a": ("Europe/London", (), "")}, count=7) == {}


def test_a_host_that_only_its_servers_tell_of_is_judged_by_its_zone() -> None:
    zones: dict[str, Fact[str]] = {"a": Observed("UTC", "/etc/localtime")}
    [finding] = host_findings(HostView("a", None, zones, Cloud(), 1, ("w0",)), AT, ZONES)
    assert finding.rule == "CLK614"
    assert "1 Windows server on it: w0" in finding.observed
    assert host_findings(HostView("b", None, zones, Cloud(), 1, ("w0",)), AT, ZONES) == ()
