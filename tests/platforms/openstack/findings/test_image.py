"""What is wrong with images, each with its own words and its base image."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from guestclock.evidence import Observed
from guestclock.findings.finding import Severity
from guestclock.platforms.openstack.findings.image import image_findings
from guestclock.platforms.openstack.records import Image
from tests.platforms.openstack.findings.build import IMAGE, LATER, MADE, cloud, image

SNAPSHOT = "cccccccc-0000-4000-8000-000000000004"


def found(one: Image, *others: Image) -> list[str]:
    """The ids of what is found; each finding is a warning with all its words."""
    findings = image_findings(one, cloud(one, *others))
    for finding in findings:
        assert finding.severity is Severity.WARNING
        assert finding.hop == "image"
        assert finding.expected
        assert finding.evidence
        assert one.id in finding.cure
    return [finding.rule for finding in findings]


def snapshot(os_type: str | None = None, **more: Any) -> Image:
    properties = {"image_type": "snapshot", "base_image_ref": IMAGE, **more.pop("properties", {})}
    return image(os_type, SNAPSHOT, properties=properties, **more)


@pytest.mark.parametrize(
    ("one", "rules"),
    [
        (image(name="win10"), ["CLK601"]),
        (image("linux", properties={"os_distro": "windows"}), ["CLK601"]),
        (image(properties={"os": "WINDOWS", "os_edition": "DESKTOP"}), ["CLK601"]),
        (image("Windows"), ["CLK602"]),
        (image("WINDOWS", name="win10"), ["CLK602"]),
        (image("windows", properties={"os_distro": "ubuntu"}), ["CLK610"]),
        (image("windows", properties={"os_distro": "freebsd"}), ["CLK610"]),
        (image("windows", name="win10"), []),
        (image("windows", name="ubuntu"), []),
        (image("Windows", properties={"os_distro": "ubuntu"}), []),
        (image("linux", name="win10"), []),
        (image(name="an image"), []),
        (image(name="ubuntu"), []),
        (image(properties={"os_distro": "msdos"}), []),
    ],
)
def test_an_image_is_judged_by_what_it_says_itself(one: Image, rules: list[str]) -> None:
    assert found(one) == rules


def test_a_snapshot_that_lost_what_its_base_has() -> None:
    lost = snapshot(properties={"os_distro": "windows"})
    assert found(lost, image("windows", name="win10")) == ["CLK613"]
    assert found(lost, image("Windows")) == ["CLK601"]
    assert found(lost) == ["CLK601"]


def test_a_base_that_was_corrected_after_the_snapshot_was_made_lost_nothing() -> None:
    lost = snapshot(properties={"os_distro": "windows"}, created_at=LATER)
    late = Observed(LATER + timedelta(days=1), "glance.image_properties")
    early = Observed(MADE, "glance.image_properties")
    assert found(lost, image("windows", os_type_set_at=late)) == ["CLK601"]
    assert found(lost, image("windows", os_type_set_at=early)) == ["CLK613"]
    # Without Glance's database any change may have been that one.
    assert found(lost, image("windows", updated_at=LATER + timedelta(days=1))) == ["CLK601"]
    assert found(lost, image("windows", updated_at=MADE)) == ["CLK613"]


def test_a_snapshot_of_a_wrong_image_is_wrong_by_itself() -> None:
    assert found(snapshot(properties={"os_distro": "windows"}), image(name="win10")) == ["CLK601"]


def test_an_image_that_is_its_own_base_is_judged_all_the_same() -> None:
    assert found(image(name="win10", properties={"base_image_ref": IMAGE})) == ["CLK601"]


def test_hostile_words_are_shortened() -> None:
    words = "windows\x1b]0;x\x07" + "y" * 255
    [finding] = image_findings(image(properties={"os": words}), cloud())
    assert all(one.what.isprintable() and one.where.isprintable() for one in finding.evidence)
