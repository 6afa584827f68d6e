"""The small guest on a real QEMU: its boot rule, its commands, and what its disk remembers."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from guestclock.lab import faketime
from guestclock.lab.console import GuestConsole, ResetMethod
from guestclock.lab.guests.disk import GuestSetup, read_setup, write_disk, zone_table_of
from guestclock.lab.lines import Closed, TookTooLong
from guestclock.lab.qmp import Qmp, rtc_time

pytestmark = pytest.mark.real

NEW_YORK = zone_table_of(ZoneInfo("America/New_York"), 2020, 2035)
BEFORE_SPRING = int(datetime(2027, 3, 14, 7, 0, tzinfo=UTC).timestamp()) - 20
SUMMER = int(datetime(2027, 7, 15, 12, 0, tzinfo=UTC).timestamp())
WINTER = int(datetime(2027, 1, 15, 12, 0, tzinfo=UTC).timestamp())
TOLERANCE = timedelta(seconds=3)


class Running:
    """A QEMU with the small guest; both its sockets are ours from the start."""

    def __init__(self, disk: Path, rtc: str, env: dict[str, str]) -> None:
        mine, theirs = zip(*(socket.socketpair() for _ in range(2)), strict=True)
        self.process = subprocess.Popen(
            [
                "qemu-system-x86_64", "-M", "pc,accel=tcg", "-m", "16", "-display", "none",
                "-nodefaults", "-no-user-config", "-rtc", rtc,
                "-drive", f"file={disk},format=raw,if=ide",
                "-chardev", f"socket,id=serial,fd={theirs[0].fileno()}",
                "-chardev", f"socket,id=qmp,fd={theirs[1].fileno()}",
                "-serial", "chardev:serial", "-qmp", "chardev:qmp",
            ],
            pass_fds=[end.fileno() for end in theirs],
            env={"PATH": os.environ["PATH"], **env},
        )  # fmt: skip
        for end in theirs:
            end.close()
        self.serial, self.monitor = mine

    def boot(self) -> None:
        self.console = GuestConsole(self.serial)
        self.qmp = Qmp(self.monitor)
        self.booted = self.console.wait_boot(20)

    def stop(self) -> None:
        self.serial.close()
        self.monitor.close()
        self.process.kill()
        self.process.wait()
        faketime.forget(self.process.pid)


Start = Callable[..., Running]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "guest.img"


@pytest.fixture
def start(disk: Path) -> Iterator[Start]:
    machines: list[Running] = []

    def start(
        setup: GuestSetup | None = None, rtc: str = "base=utc", env: dict[str, str] | None = None
    ) -> Running:
        if setup is not None:
            write_disk(disk, setup)
        machines.append(Running(disk, rtc, env or {}))
        machines[-1].boot()
        return machines[-1]

    yield start
    for machine in machines:
        machine.stop()


def close(left: datetime, right: datetime) -> bool:
    return abs(left - right) <= TOLERANCE


def from_epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def test_a_utc_guest_takes_its_rtc_for_utc(start: Start) -> None:
    state = start(GuestSetup("utc", zone_table=NEW_YORK), "base=2027-07-15T12:00:00").booted
    assert close(state.rtc, datetime(2027, 7, 15, 12, 0))
    assert state.utc == state.rtc
    assert state.local == state.utc - timedelta(hours=4)
    assert state.bias_minutes == 240


@pytest.mark.parametrize("bias", [-480, -345, 0, 210, 720, -840])
def test_a_windows_guest_adds_its_saved_bias_to_the_rtc(start: Start, bias: int) -> None:
    state = start(GuestSetup("windows", bias_minutes=bias), "base=2027-07-15T12:00:00").booted
    assert close(state.rtc, datetime(2027, 7, 15, 12, 0))
    assert state.utc - state.rtc == timedelta(minutes=bias)
    assert state.local == state.rtc
    assert state.bias_minutes == bias


def test_a_universal_windows_guest_takes_its_rtc_for_utc(start: Start) -> None:
    state = start(GuestSetup("windows", universal=True, bias_minutes=-480)).booted
    assert close(state.rtc, now())
    assert state.utc == state.rtc
    assert state.local - state.utc == timedelta(hours=8)


def test_a_windows_guest_off_over_a_change_rewrites_its_rtc_and_saves_the_bias(
    start: Start, disk: Path
) -> None:
    winter = GuestSetup("windows", bias_minutes=300, zone_table=NEW_YORK)
    machine = start(winter, "base=2027-07-15T07:00:00")
    state = machine.booted
    assert close(state.utc, datetime(2027, 7, 15, 12, 0))
    assert close(state.rtc, datetime(2027, 7, 15, 8, 0))
    assert state.local == state.rtc
    assert state.bias_minutes == 240
    assert read_setup(disk).bias_minutes == 240
    machine.stop()
    # Where the platform's RTC did not move with the zone, the next cold start is an hour behind.
    again = start(rtc="base=2028-01-15T07:00:00").booted
    assert close(again.utc, datetime(2028, 1, 15, 11, 0))
    assert again.bias_minutes == 300


def test_a_universal_windows_guest_off_over_a_change_saves_the_bias_alone(
    start: Start, disk: Path
) -> None:
    winter = GuestSetup("windows", universal=True, bias_minutes=300, zone_table=NEW_YORK)
    state = start(winter, "base=2027-07-15T12:00:00").booted
    assert close(state.rtc, datetime(2027, 7, 15, 12, 0))
    assert state.utc == state.rtc
    assert read_setup(disk).bias_minutes == 240


@pytest.mark.parametrize("kind", ["windows", "utc"])
def test_a_guest_that_runs_through_a_change_follows_its_zone(
    start: Start, disk: Path, tmp_path: Path, kind: str
) -> None:
    time_file = tmp_path / "time"
    real = int(datetime.now(UTC).timestamp())
    time_file.write_text(f"{WINTER - real:+d}\n")
    windows = kind == "windows"
    setup = GuestSetup("windows" if windows else "utc", bias_minutes=300, zone_table=NEW_YORK)
    machine = start(
        setup,
        "base=localtime" if windows else "base=utc",
        faketime.stepped_env(time_file) | {"TZ": "America/New_York"},
    )
    assert machine.booted.bias_minutes == 300
    assert close(machine.booted.utc, from_epoch(WINTER))
    time_file.write_text(f"{SUMMER - real:+d}\n")
    state = machine.console.state()
    assert close(state.utc, from_epoch(SUMMER))
    assert state.bias_minutes == 240
    assert state.local == state.utc - timedelta(hours=4)
    assert state.rtc == (state.local if windows else state.utc)
    assert close(rtc_time(machine.qmp), state.rtc)
    assert read_setup(disk).bias_minutes == (240 if windows else 300)


def test_a_windows_guest_rewrites_its_rtc_by_itself_within_a_second_of_the_change(
    start: Start, disk: Path
) -> None:
    at = BEFORE_SPRING + 17
    machine = start(
        GuestSetup("windows", bias_minutes=300, zone_table=NEW_YORK),
        "base=localtime",
        faketime.fixed_env(at, "America/New_York"),
    )
    assert machine.booted.rtc < datetime(2027, 3, 14, 2, 0)
    event = machine.qmp.wait_event("RTC_CHANGE", 20)
    assert event["data"]["offset"] in (0, -1)
    assert rtc_time(machine.qmp) >= datetime(2027, 3, 14, 3, 0)
    assert machine.console.state().bias_minutes == 240
    assert read_setup(disk).bias_minutes == 240


def test_the_user_of_a_windows_guest_sets_the_rtc_to_local_time(start: Start, disk: Path) -> None:
    machine = start(GuestSetup("windows", bias_minutes=300, zone_table=NEW_YORK))
    state = machine.console.set_local(datetime(2030, 8, 1, 9, 30))
    assert close(state.rtc, datetime(2030, 8, 1, 9, 30))
    assert close(state.utc, datetime(2030, 8, 1, 13, 30))
    assert state.local == state.rtc
    assert close(rtc_time(machine.qmp), state.rtc)
    assert read_setup(disk).bias_minutes == 240


@pytest.mark.parametrize("universal", [False, True])
def test_the_user_of_a_guest_on_utc_sets_the_rtc_to_utc(start: Start, universal: bool) -> None:
    setup = GuestSetup(
        "windows" if universal else "utc", universal, bias_minutes=300, zone_table=NEW_YORK
    )
    state = start(setup).console.set_local(datetime(2030, 8, 1, 9, 30))
    assert close(state.rtc, datetime(2030, 8, 1, 13, 30))
    assert state.utc == state.rtc
    assert close(state.local, datetime(2030, 8, 1, 9, 30))


@pytest.mark.parametrize(
    "rtc",
    [
        datetime(1975, 1, 1, 0, 0, 0),
        datetime(1999, 12, 31, 23, 59, 50),
        datetime(2000, 2, 29, 12, 34, 56),
        datetime(2028, 3, 1, 0, 0, 1),
        datetime(2100, 2, 28, 23, 59, 50),
        datetime(1900, 3, 1, 7, 8, 9),
        datetime(2261, 12, 31, 20, 0, 0),
    ],
)
def test_writing_the_rtc_changes_it_alone(start: Start, rtc: datetime) -> None:
    machine = start(GuestSetup("windows", bias_minutes=-480))
    before = machine.console.state()
    after = machine.console.set_rtc(rtc)
    assert close(after.rtc, rtc)
    assert close(rtc_time(machine.qmp), rtc)
    assert close(after.utc, before.utc)


def test_every_reset_keeps_the_rtc_and_a_new_process_does_not(start: Start) -> None:
    machine = start(GuestSetup("windows", bias_minutes=-480, zone_table=((0, -480),)))
    ahead = machine.booted.local + timedelta(hours=8)
    machine.console.set_local(ahead)
    methods: tuple[ResetMethod, ...] = ("kbc", "cf9", "triple")
    for method in methods:
        machine.console.reset(method)
        assert close(machine.console.wait_boot(20, again=True).local, now() + timedelta(hours=8))
    machine.qmp.execute("system_reset")
    assert close(machine.console.wait_boot(20, again=True).local, now() + timedelta(hours=8))
    machine.stop()
    assert close(start().booted.local, now())


def test_the_power_button_powers_off(start: Start) -> None:
    machine = start(GuestSetup("utc"))
    machine.qmp.execute("system_powerdown")
    machine.qmp.wait_event("SHUTDOWN", 20)
    assert machine.process.wait(20) == 0


def test_a_deaf_guest_ignores_the_power_button_and_powers_off_by_itself(start: Start) -> None:
    machine = start(GuestSetup("utc", deaf=True))
    machine.qmp.execute("system_powerdown")
    machine.qmp.wait_event("POWERDOWN", 20)
    with pytest.raises(TookTooLong):
        machine.qmp.wait_event("SHUTDOWN", 0.5)
    machine.console.power_off()
    assert machine.process.wait(20) == 0


def test_the_bias_survives_a_killed_process(start: Start, disk: Path) -> None:
    machine = start(GuestSetup("windows", bias_minutes=300, zone_table=NEW_YORK))
    machine.console.set_local(datetime(2030, 8, 1, 9, 30))
    machine.process.kill()
    machine.process.wait()
    assert read_setup(disk) == GuestSetup("windows", bias_minutes=240, zone_table=NEW_YORK)
    with pytest.raises(Closed):
        machine.console.state()


def test_wait_boot_hears_of_a_boot_before_it_connected(start: Start) -> None:
    machine = start(GuestSetup("utc"))
    assert machine.console.wait_boot(20) == machine.booted


def test_a_disk_without_a_setup_is_said_so(disk: Path, start: Start) -> None:
    write_disk(disk, GuestSetup("utc"))
    with disk.open("r+b") as file:
        file.seek(8 * 512)
        file.write(bytes(512))
    with pytest.raises(Exception, match="the disk has no setup"):
        start()


def test_an_idle_guest_leaves_the_processor_alone(start: Start) -> None:
    machine = start(GuestSetup("utc", zone_table=NEW_YORK))
    ticks = Path(f"/proc/{machine.process.pid}/stat")

    def used() -> int:
        return sum(map(int, ticks.read_text().rpartition(")")[2].split()[11:13]))

    before = used()
    with pytest.raises(TookTooLong):
        machine.qmp.wait_event("NEVER", 2)
    assert used() - before < os.sysconf("SC_CLK_TCK")
