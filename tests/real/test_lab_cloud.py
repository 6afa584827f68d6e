"""The lab on real machines: the failure, its cures, and commands that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from guestclock.lab.cloud import Lab, rows
from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor.interface import Kind
from guestclock.lab.hypervisor.processes import living_in

pytestmark = pytest.mark.real

SHANGHAI = 8 * 3600


@pytest.fixture(params=["libvirt", "qemu"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A lab's folder, with a Windows and a Linux image; all its processes end with the test."""
    folder = tmp_path / "lab"
    yield folder
    Lab(folder).destroy()
    assert list(living_in(folder)) == []


@pytest.fixture
def lab(folder: Path, kind: Kind) -> Iterator[Lab]:
    with Lab(folder, kind) as lab:
        lab.hosts.set_zone("host1", "Asia/Shanghai")
        lab.hosts.create("host2", "America/New_York")
        make_images(lab)
        yield lab


def make_images(lab: Lab) -> None:
    for name, setup in (
        ("win", lab.images.guest_setup("windows", "Asia/Shanghai")),
        ("deaf", lab.images.guest_setup("windows", "Asia/Shanghai", deaf=True)),
        ("lin", lab.images.guest_setup("utc", "Asia/Shanghai")),
    ):
        lab.images.create_guest(name, setup, "Asia/Shanghai")


def error(lab: Lab, name: str) -> int:
    """Seconds, rounded to minutes: an RTC has whole seconds."""
    found = lab.clock(name).error
    assert found is not None
    return 60 * round(found / 60)


def test_the_field_report(lab: Lab, kind: Kind) -> None:
    lab.servers.create("desk7", "win")
    assert error(lab, "desk7") == -SHANGHAI
    local = lab.clock("desk7").true_local
    assert local is not None
    lab.servers.set_time("desk7", local)
    lab.servers.guest_reboot("desk7")
    assert error(lab, "desk7") == 0
    lab.servers.reboot("desk7")
    assert error(lab, "desk7") == -SHANGHAI
    lab.images.set("win", {"os_type": "windows"})
    lab.servers.reboot("desk7", hard=True)
    trace = lab.trace("desk7")
    assert (trace.image_os_type, trace.os_type, trace.rtc_arguments) == (
        "windows",
        None,
        "base=utc",
    )
    assert trace.hypervisor == kind
    assert error(lab, "desk7") == -SHANGHAI
    lab.servers.rebuild("desk7")
    assert error(lab, "desk7") == 0
    assert lab.trace("desk7").rtc_arguments == "base=localtime"
    lab.servers.create("web", "lin")
    assert error(lab, "web") == 0


def test_realtimeisuniversal_is_a_cure_on_utc_and_a_fault_on_localtime(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.servers.stop("desk7")
    lab.servers.set_universal("desk7", True)
    lab.servers.start("desk7")
    assert error(lab, "desk7") == 0
    lab.images.set("win", {"os_type": "windows"})
    lab.servers.create("desk8", "win")
    lab.servers.stop("desk8")
    lab.servers.set_universal("desk8", True)
    lab.servers.start("desk8")
    assert error(lab, "desk8") == SHANGHAI


def test_a_live_migration_keeps_the_rtc_and_the_next_cold_start_does_not(lab: Lab) -> None:
    lab.images.set("win", {"os_type": "windows"})
    lab.servers.create("desk7", "win")
    lab.servers.migrate("desk7", live=True)
    assert error(lab, "desk7") == 0
    assert lab.trace("desk7").host_zone == "America/New_York"
    lab.servers.guest_reboot("desk7")
    assert error(lab, "desk7") == 0
    lab.servers.migrate("desk7", live=True)
    lab.servers.migrate("desk7")
    there = datetime.now(ZoneInfo("America/New_York"))
    offset = there.utcoffset()
    assert offset is not None
    assert error(lab, "desk7") == offset.total_seconds() - SHANGHAI


def test_a_deaf_guest_gets_a_hard_reboot(lab: Lab) -> None:
    lab.servers.create("desk7", "deaf")
    lab.images.set("deaf", {"os_type": "windows"})
    before = lab.trace("desk7").pid
    lab.servers.reboot("desk7")
    assert lab.trace("desk7").pid not in (None, before)
    assert lab.servers.show("desk7").status == "ACTIVE"


def test_over_a_change_of_dst_that_it_slept_through_a_localtime_guest_is_an_hour_off(
    lab: Lab,
) -> None:
    lab.hosts.set_zone("host1", "America/New_York")
    lab.time.set(datetime(2027, 3, 13, 12, tzinfo=UTC))
    setup = lab.images.guest_setup("windows", "America/New_York")
    lab.images.create_guest("ny", setup, "America/New_York", {"os_type": "windows"})
    lab.servers.create("desk7", "ny")
    assert error(lab, "desk7") == 0
    lab.servers.stop("desk7")
    lab.time.step(2 * 86400)
    lab.servers.start("desk7")
    # Host and RTC are an hour further; its saved bias is winter's.
    assert error(lab, "desk7") == 3600
    assert lab.clock("desk7").rtc is not None


def test_a_running_machine_follows_the_labs_time(lab: Lab) -> None:
    lab.servers.create("web", "lin")
    lab.time.set(datetime(2031, 1, 1, tzinfo=UTC))
    rtc = lab.clock("web").rtc
    assert rtc is not None
    assert abs(rtc - datetime(2031, 1, 1)) < timedelta(minutes=1)
    assert error(lab, "web") == 0


def test_all_the_rest_of_a_servers_life(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.servers.pause("desk7")
    assert lab.clock("desk7").rtc is not None
    image = lab.servers.snapshot("desk7", "snap")
    assert image.status == "active"
    lab.servers.unpause("desk7")
    lab.servers.create("desk8", "snap", "host2")
    lab.servers.delete("desk7")
    lab.down()
    assert lab.servers.show("desk8").status == "SHUTOFF"
    assert list(living_in(lab.folder)) == []
    lab.servers.start("desk8")
    lab.servers.delete("desk8")
    lab.hosts.delete("host2")
    assert lab.servers.list() == []


def command(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A real `guestclock lab` command, as a user types it."""
    return subprocess.Popen(
        [sys.executable, "-m", "guestclock", "lab", "--lab", str(folder), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_commands_at_once_do_not_get_in_each_others_way(lab: Lab, folder: Path) -> None:
    lab.servers.create("desk7", "win")
    words = (
        ("server", "reboot", "desk7"),
        ("server", "reboot", "desk7", "--hard"),
        ("server", "create", "desk8", "--image", "win"),
        ("server", "create", "desk9", "--image", "lin", "--host", "host2"),
        ("server", "create", "desk9", "--image", "lin", "--host", "host2"),
    )
    running = [command(folder, *one) for one in words]
    said = [one.communicate(timeout=120)[1] for one in running]
    codes = [one.returncode for one in running]
    assert codes[:3] == [0, 0, 0], said
    # A name is used once, whoever comes first.
    assert sorted(codes[3:]) == [0, 3], said
    assert [view.status for view in lab.servers.list()] == ["ACTIVE"] * 3


SCRIPT = [
    ("server", "create", "desk7", "--image", "win"),
    ("server", "reboot", "desk7"),
    ("server", "reboot", "desk7", "--hard"),
    ("server", "stop", "desk7"),
    ("server", "start", "desk7"),
    ("server", "rebuild", "desk7"),
    ("server", "migrate", "desk7", "--live"),
    ("server", "migrate", "desk7"),
    ("server", "pause", "desk7"),
    ("server", "unpause", "desk7"),
    ("image", "create", "more", "--guest", "utc"),
    ("server", "snapshot", "desk7", "--name", "snap"),
    ("server", "delete", "desk7"),
    ("down",),
]


def test_killed_commands_leave_no_stray_machine_and_no_lost_image(lab: Lab, folder: Path) -> None:
    """SIGKILL at moments drawn from a seed, each operation several times over."""
    moments = random.Random(39)
    killed = 0
    for words in SCRIPT * 2:
        if words[1:3] == ("create", "desk7") and lab.servers.list():
            lab.servers.delete("desk7")
        process = command(folder, *words)
        try:
            process.wait(moments.uniform(0.1, 0.6))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
        check(folder, lab)
    assert killed


def check(folder: Path, lab: Lab) -> None:
    """Open the lab as the next command does, and compare its books with its machines."""
    with Lab(folder) as opened:
        views = opened.servers.list()
        images = opened.images.list()
        assert {"win", "lin", "deaf"} <= {image.name for image in images}
        files = {path.name for path in (folder / "images").iterdir()}
        assert files == {image.uuid for image in images if image.status == "active"}
        disks = {path.name for path in (folder / "servers").iterdir()}
        assert disks == {view.server.uuid for view in views}
        with opened._site.store.reading() as connection:
            assert rows.tasks(connection) == []
        pids = set()
        for view in views:
            assert view.status in ("ACTIVE", "PAUSED", "SHUTOFF"), view.server.fault
            pid = opened.trace(view.server.uuid).pid
            assert (pid is None) == (view.status == "SHUTOFF")
            if pid is not None:
                pids.add(pid)
            if view.status == "ACTIVE":
                assert opened.clock(view.server.uuid).guest is not None
        assert machines(folder) == pids


def machines(folder: Path) -> set[int]:
    """The pids of all QEMUs with a machine of this lab."""
    found = set()
    for pid in living_in(folder):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            continue
        if b"qemu-system" in words[0] and any(word.startswith(b"guest=") for word in words):
            found.add(pid)
    return found


def test_what_is_refused_by_real_machines_is_said(lab: Lab) -> None:
    lab.images.set("win", {"min_ram": "much"})
    with pytest.raises(LabError, match="min_ram"):
        lab.servers.create("desk7", "win")
    view = lab.servers.show("desk7")
    assert (view.status, "min_ram" in str(view.server.fault)) == ("ERROR", True)
    lab.servers.delete("desk7")
    assert lab.servers.list() == []
