"""The one error of a server: which rule explains its next hard reboot, and which it replaces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from guestclock.evidence import Inferred, Observed, Unknown
from guestclock.findings.finding import Severity
from guestclock.platforms.interface import NOTHING
from guestclock.platforms.openstack.findings.server import server_findings
from guestclock.platforms.openstack.records import Image
from tests.platforms.openstack.findings.build import (
    ID,
    IMAGE,
    LATER,
    MADE,
    VOLUME,
    cloud,
    image,
    only,
    own,
    rules,
    view,
    volume,
)

CORRECTED = image("windows", name="win10")


@pytest.mark.parametrize(
    ("given", "rule", "hop"),
    [
        ({}, "CLK601", "server"),
        ({"column": "linux"}, "CLK601", "server"),
        ({"column": "Windows"}, "CLK602", "server"),
        ({"column": "Windows", "metadata": "windows", "boots": VOLUME}, "CLK602", "server"),
        ({"inside": cloud(CORRECTED)}, "CLK603", "image"),
        ({"metadata": "windows"}, "CLK604", "server metadata"),
        ({"metadata": "windows", "inside": cloud(CORRECTED)}, "CLK604", "server metadata"),
        ({"metadata": "windows", "boots": VOLUME}, "CLK604", "server metadata"),
        ({"boots": VOLUME}, "CLK606", "volume"),
        ({"boots": VOLUME, "inside": cloud(volume("windows"))}, "CLK606", "volume"),
        ({"column": "windows", "system": "linux"}, "CLK610", "server"),
        ({"column": "windows", "system": "windows-universal"}, "CLK610", "server"),
        ({"column": "windows", "host": "UTC"}, "CLK614", "host zone"),
    ],
)
def test_one_rule_explains_a_wrong_hard_reboot(given: dict[str, Any], rule: str, hop: str) -> None:
    seen = view(**given)
    own = server_findings(seen)
    [finding] = own.findings
    assert (finding.rule, finding.hop) == (rule, hop)
    assert finding.severity is Severity.ERROR
    assert seen.case.cause is not None
    assert own.replaced == {seen.case.cause, "CLK302", "CLK303"}
    assert "after its next hard reboot" in finding.observed
    assert finding.evidence
    assert finding.cure


@pytest.mark.parametrize(
    "given",
    [
        {"column": "windows", "metadata": "windows", "inside": cloud(CORRECTED)},
        {"column": None, "system": "linux", "metadata": None, "inside": cloud(image())},
        {"column": "linux", "system": "freebsd"},
        {"column": None, "system": "windows-universal", "host": "UTC"},
        {"column": None, "system": "unknown"},
        {"column": Unknown("not read"), "metadata": None},
        {"column": Unknown("not read"), "boots": VOLUME},
    ],
)
def test_nothing_is_found_at_a_server_that_is_right_or_not_known(given: dict[str, Any]) -> None:
    assert own(**given) is NOTHING


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        # Another zone than the guest's, the host's own clock, a guest that is no Windows.
        ({"column": "windows", "host": "Europe/Berlin"}, "CLK104"),
        ({"column": "windows", "skew": 3600}, "CLK104"),
        ({"column": None, "system": "linux", "skew": 3600}, "CLK104"),
        ({"column": None, "system": "linux-local"}, "CLK101"),
        ({"column": "windows", "host": "Asia/Shangai"}, "CLK201"),
        # London has no offset in November: its host is wrong for Shanghai, not for being UTC.
        ({"column": "windows", "host": "Europe/London"}, "CLK104"),
    ],
)
def test_what_no_os_type_explains_stays_with_the_general_rule(
    given: dict[str, Any], cause: str
) -> None:
    seen = view(**given)
    assert seen.case.cause == cause
    assert server_findings(seen) is NOTHING


def test_a_host_in_utc_whose_clock_is_wrong_too_is_told_of_its_clock() -> None:
    seen = view("windows", zone="Africa/Abidjan", host="UTC", skew=7200)
    assert seen.case.cause == "CLK104"
    assert server_findings(seen) is NOTHING


def test_an_inferred_os_type_is_as_good_as_one_that_was_read() -> None:
    seen = view()
    server = replace(seen.server, column=Inferred(None, "its image, unchanged since"))
    [finding] = server_findings(replace(seen, server=server)).findings
    assert (finding.rule, finding.severity) == ("CLK601", Severity.ERROR)
    assert "inferred" in {one.how for one in finding.evidence}


@pytest.mark.parametrize(
    ("set_at", "says"),
    [
        (Observed(LATER, "glance.image_properties"), "was set 3 d after this server was made"),
        (Observed(MADE, "glance.image_properties"), "since 2026-01-02T00:00:00Z"),
        (Unknown("no database"), "has os_type=windows now"),
    ],
)
def test_a_late_correction_says_how_late_it_was(set_at: Any, says: str) -> None:
    seen = cloud(image("windows", name="win10", os_type_set_at=set_at))
    assert says in only(inside=seen).observed


def test_without_glances_database_the_images_last_change_is_told() -> None:
    late = only(inside=cloud(image("windows", name="win10", updated_at=LATER))).observed
    assert "image win10, last changed 3 d after this server was made, has os_type" in late
    early = only(inside=cloud(image("windows", name="win10", updated_at=MADE))).observed
    assert "last changed" not in early


def test_data_are_kept_by_the_first_cure_and_the_image_comes_before_the_server() -> None:
    cure = only(inside=cloud(image(name="win10"))).cure
    steps = [
        f"openstack image set --property os_type=windows {IMAGE}",
        f"UPDATE instances SET os_type='windows' WHERE uuid='{ID}'",
        f"openstack server reboot --hard {ID}",
        "a rebuild would do it as well and lose the root disk",
        "nova-manage image_property set changes the metadata alone",
        "RealTimeIsUniversal",
    ]
    places = [cure.index(step) for step in steps]
    assert places == sorted(places)


def test_a_volume_is_not_rebuilt() -> None:
    cure = only(boots=VOLUME, inside=cloud(volume())).cure
    assert "rebuild" not in cure
    assert f"openstack volume set --image-property os_type=windows {VOLUME}" in cure


@pytest.mark.parametrize(
    ("host", "zone", "why"),
    [
        ("UTC", "Asia/Shanghai", "with windows it would be 8 h behind"),
        ("Europe/Berlin", "Asia/Shanghai", "with windows it would be 7 h behind"),
        ("UTC", None, "where localtime is UTC"),
    ],
)
def test_no_os_type_is_proposed_where_none_is_right(host: str, zone: str | None, why: str) -> None:
    cure = only(host=host, zone=zone).cure
    assert "no os_type is right on a host" in cure
    assert why in cure
    assert "UPDATE" not in cure
    assert "RealTimeIsUniversal" in cure


def test_windows_is_proposed_where_nobody_knows_the_zones() -> None:
    assert "os_type='windows'" in only(zone=None, host=None).cure
    assert "os_type='windows'" in only(zone=None).cure


def test_a_hostile_name_stays_one_short_line() -> None:
    name = "win10\x1b[31m\n=cmd|' /C calc'!A0" + "x" * 255
    finding = only(inside=cloud(Image(IMAGE, name, {"os_type": "windows"})))
    assert "\x1b" not in finding.observed
    assert "\n" not in finding.observed
    assert len(finding.observed) < 400


def test_an_error_is_beside_no_warning_of_the_same_fault() -> None:
    wrong = {"column": None, "metadata": "windows", "inside": cloud(CORRECTED), "boots": IMAGE}
    assert rules(**wrong) == {"CLK604e"}
