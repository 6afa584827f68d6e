"""What is right now and not in a snapshot, a rebuild or on another host."""

from __future__ import annotations

from typing import Any

import pytest

from guestclock.evidence import Observed, Unknown
from guestclock.platforms.openstack.findings.server import server_findings
from tests.platforms.openstack.findings.build import (
    LATER,
    VOLUME,
    cloud,
    image,
    only,
    own,
    rules,
    view,
    volume,
)

NOT_READ = Unknown("instances.os_type is in no API", "give --cell-db")
LATE = Observed(LATER, "glance.image_properties")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        # A snapshot takes the column, if it is not empty: right. The API shows the metadata.
        ({"column": "windows", "metadata": None}, "CLK604n"),
        ({"column": "windows", "metadata": "Windows"}, "CLK604n"),
        ({"column": "linux", "metadata": "windows", "system": "linux"}, "CLK604n"),
        # ... else the metadata: wrong.
        ({"column": None, "metadata": "windows", "system": "linux"}, "CLK604w"),
        ({"column": "", "metadata": "windows", "system": "linux"}, "CLK604w"),
        # That of a volume takes the metadata in any case.
        ({"column": "windows", "metadata": None, "boots": VOLUME}, "CLK604w"),
        ({"column": "linux", "metadata": "windows", "system": "linux", "boots": VOLUME}, "CLK604w"),
        # Of a guest that nobody knows it is only known that the two would differ.
        ({"column": None, "metadata": "windows", "system": "unknown"}, "CLK604w"),
        ({"column": "windows", "metadata": None, "system": "unknown"}, "CLK604n"),
    ],
)
def test_metadata_that_differ_are_told_by_what_a_snapshot_takes(
    given: dict[str, Any], found: str
) -> None:
    assert rules(**given) == {found}


@pytest.mark.parametrize(
    ("column", "metadata"),
    [(None, "linux"), ("linux", None), (None, "Windows"), ("linux", "LINUX"), ("", None)],
)
def test_metadata_that_differ_without_effect_are_nothing(
    column: str | None, metadata: str | None
) -> None:
    assert own(column, metadata, system="linux").findings == ()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"column": "windows", "inside": cloud(image(name="win10"))}, "CLK601w"),
        ({"column": "windows", "inside": cloud(image("Windows"))}, "CLK602w"),
        ({"column": "linux", "system": "linux", "inside": cloud(image("windows"))}, "CLK610w"),
    ],
)
def test_a_rebuild_undoes_a_repair_while_the_image_is_not_corrected(
    given: dict[str, Any], found: str
) -> None:
    assert rules(**given) == {found}
    finding = only(**given)
    assert finding.hop == "image"
    assert "after a rebuild" in finding.observed


def test_half_a_repair_is_one_finding() -> None:
    assert rules("windows", None, inside=cloud(image(name="win10"))) == {"CLK601w"}


def test_a_rebuild_that_changes_nothing_is_no_finding() -> None:
    # Windows in a zone at UTC is right on either clock of a host that is at UTC.
    seen = cloud(image("linux", name="win10"))
    assert rules("windows", inside=seen, zone="Africa/Abidjan", host="UTC") == set()


def test_windows_at_utc_hands_a_wrong_value_to_windows_elsewhere() -> None:
    finding = only(None, zone="Africa/Abidjan")
    assert (finding.rule, finding.severity.value, finding.hop) == ("CLK612", "warning", "snapshot")
    assert own("windows", zone="Africa/Abidjan", host="UTC").findings == ()


@pytest.mark.parametrize("host", ["UTC", None, "Europe/London"])
def test_windows_on_a_utc_guest_is_right_only_by_its_host(host: str | None) -> None:
    seen = view("windows", system="linux", host=host)
    assert seen.case.cause is None
    found = server_findings(seen)
    assert [(one.rule, one.severity.value) for one in found.findings] == [("CLK610", "warning")]
    assert found.replaced == {"CLK102", "CLK103"}


def test_localtime_of_a_host_in_utc_is_no_local_time() -> None:
    found = own("windows", zone=None, host="UTC")
    assert [(one.rule, one.severity.value) for one in found.findings] == [("CLK614", "warning")]
    assert found.replaced == {"CLK104"}
    assert own("windows", zone=None, host="Asia/Shanghai").findings == ()
    assert own("windows", zone=None, host=None).findings == ()


def test_an_unknown_os_type_is_at_most_a_warning() -> None:
    late = cloud(image("windows", os_type_set_at=LATE))
    finding = only(NOT_READ, inside=late)
    assert (finding.rule, finding.severity.value) == ("CLK603", "warning")
    assert "give --cell-db" in finding.cure
    assert own(NOT_READ, inside=cloud(image("windows"))).findings == ()
    assert own(NOT_READ, inside=late, system="linux").findings == ()
    assert rules(NOT_READ, boots=VOLUME, inside=cloud(volume())) == {"CLK606w"}
    assert rules(NOT_READ, boots=VOLUME, inside=cloud(volume("windows"))) == set()


def test_a_general_fault_does_not_hide_metadata_that_differ() -> None:
    assert rules("windows", None, boots=VOLUME, host="Europe/Berlin") == {"CLK604w"}
