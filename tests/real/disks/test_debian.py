"""A real Debian does at boot what its disk said it would."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guestclock.lab.linux import boot_disk
from tests.conftest import Run
from tests.disks.builders.containers import make_container
from tests.disks.builders.debian import Debian, make_debian

pytestmark = pytest.mark.real

INSTANT = datetime(2027, 7, 15, 12, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"
HOUR = timedelta(hours=1)
BOOT = timedelta(seconds=120)


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Debian:
    return make_debian(tmp_path_factory.mktemp("debian"), ZONE, "LOCAL")


def test_its_image_says_which_system_it_is_and_how_it_takes_the_rtc(
    debian: Debian, guestclock: Run, tmp_path: Path
) -> None:
    image = make_container(debian.disk, tmp_path / "image", "qcow2")
    told = guestclock("inspect", image, "-f", "json")
    assert told.code == 0
    (system,) = json.loads(told.out)[0]["systems"]
    assert (system["family"], system["id"], system["version"]) == ("linux", "debian", "12")
    assert (system["rtc"], system["zone"]) == ("local", ZONE)
    assert (system["details"]["init"], system["details"]["adjtime"]) == ("systemd", "LOCAL")


@pytest.mark.parametrize(("clock", "error"), [("localtime", 0), ("utc", -8)])
def test_what_its_disk_foretells_is_what_it_shows(
    clock: str, error: int, debian: Debian, guestclock: Run
) -> None:
    at = f"{INSTANT:%Y-%m-%dT%H:%M:%SZ}"
    told = guestclock(
        *("predict", clock, "--disks", debian.disk, "--host-zone", ZONE, "--at", at, "-f", "json")
    )
    (step,) = json.loads(told.out)
    assert step["error_seconds"] == error * 3600
    reading = boot_disk(
        debian.disk,
        debian.kernel,
        debian.initrd,
        debian.append,
        f"base={clock}",
        ZONE,
        int(INSTANT.timestamp()),
    )
    for foretold, seen in (
        (step["rtc"], reading.rtc),
        (step["shown"], reading.local),
        (step["guest_utc"], reading.utc),
    ):
        assert timedelta(0) <= seen - datetime.fromisoformat(foretold) <= BOOT
    assert reading.local - reading.utc == 8 * HOUR
