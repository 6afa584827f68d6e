"""CLK609: the rescue system on the server's clock."""

from __future__ import annotations

from typing import Any

import pytest

from guestclock.evidence import Unknown
from guestclock.platforms.openstack.records import Cloud, Notified
from tests.findings.build import AT
from tests.platforms.openstack.findings.build import ID, cloud, image, only, rules

RESCUE = "00000000-0000-4000-8000-00000000000r"


def rescued(name: str, os_type: str | None = None) -> Cloud:
    """A cloud that has told with which image the server is rescued."""
    known = cloud(image(os_type, RESCUE, name))
    known.notified[ID] = Notified(None, AT, "instance.rescue.end", rescue_image=RESCUE)
    return known


@pytest.mark.parametrize(
    ("given", "found"),
    [
        # Which image is not known: a Linux, most likely.
        ({"column": "windows"}, {"CLK609w"}),
        ({"column": "windows", "host": None}, {"CLK609w"}),
        ({"column": None, "system": "linux"}, set()),
        ({"column": "windows", "inside": rescued("debian-12")}, {"CLK609w"}),
        ({"column": "windows", "inside": rescued("winpe", "windows")}, set()),
        ({"column": None, "system": "linux", "inside": rescued("win10-pe")}, {"CLK609w"}),
        ({"column": None, "system": "linux", "inside": rescued("debian-12")}, set()),
        ({"column": "windows", "inside": rescued("rescue")}, {"CLK609w"}),
        ({"column": Unknown("not read"), "inside": rescued("debian-12")}, set()),
    ],
)
def test_a_rescue_image_of_another_system_is_told(given: dict[str, Any], found: set[str]) -> None:
    assert rules(**given, vm_state="rescued") == found
    assert rules(**given) == set()


def test_a_linux_is_right_on_a_host_in_utc() -> None:
    seen = rescued("debian-12")
    given: dict[str, Any] = {"column": "windows", "zone": "Africa/Abidjan", "host": "UTC"}
    assert rules(**given, inside=seen, vm_state="rescued") == set()
    assert rules(**given, vm_state="rescued") == set()


def test_it_says_by_how_much() -> None:
    assert "by the host's offset, 8 h" in only("windows", vm_state="rescued").observed
