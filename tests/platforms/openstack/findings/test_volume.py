"""What is wrong with volumes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guestclock.platforms.openstack.findings.volume import volume_findings
from guestclock.platforms.openstack.records import Image, Volume
from tests.platforms.openstack.findings.build import IMAGE, cloud, image, volume

FROM = {"image_id": IMAGE}
WINDOWS = {**FROM, "os_distro": "windows"}


@pytest.mark.parametrize(
    ("one", "its_image", "found"),
    [
        (volume(properties=WINDOWS), image("windows"), "CLK611 warning"),
        (volume("linux", properties=FROM), image("windows"), "CLK611 warning"),
        (volume("Windows", properties=FROM), image("windows"), "CLK611 warning"),
        (volume("windows", properties=FROM), image("linux", name="x"), "CLK611 note"),
        (volume("windows", properties=WINDOWS), image(), "CLK611 note"),
        (volume(properties=WINDOWS), image(name="win10"), "CLK606 warning"),
        (volume(properties=FROM), image(name="win10"), "CLK606 warning"),
        (volume(name="win10-root"), None, "CLK606 warning"),
        (volume("Windows"), None, "CLK606 warning"),
        (volume("windows", properties={"os_distro": "debian"}), None, "CLK610 warning"),
        (volume("windows", properties=FROM), image("windows"), None),
        (volume("linux", properties=FROM), image("LINUX"), None),
        (volume(properties=FROM), image(), None),
        (volume("windows"), None, None),
        (volume(name="data"), None, None),
    ],
)
def test_a_volume_is_judged_with_its_image(
    one: Volume, its_image: Image | None, found: str | None
) -> None:
    findings = volume_findings(one, cloud(*([its_image] if its_image else [])))
    assert [f"{each.rule} {each.severity.value}" for each in findings] == ([found] if found else [])
    for each in findings:
        assert each.hop == "volume"
        assert each.expected
        assert each.observed
        assert each.evidence
        assert each.cure


def test_the_one_that_is_wrong_is_to_be_corrected() -> None:
    [mine] = volume_findings(volume(properties=WINDOWS), cloud(image("windows")))
    assert "openstack volume set" in mine.cure
    [its_image] = volume_findings(volume("windows", properties=WINDOWS), cloud(image()))
    assert "openstack image set" in its_image.cure


def test_a_disk_that_nothing_boots_from_is_left_alone() -> None:
    data = replace(volume(name="win10-data"), bootable=False)
    assert volume_findings(data, cloud()) == ()
