from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from guestclock.clock import Clock, Localtime, Utc, Zone
from guestclock.evidence import Assumed, Fact, Inferred, Observed, Unknown, value_of
from guestclock.inventory import Inventory, Row
from guestclock.law import Host
from guestclock.machine import Machine
from guestclock.platforms.interface import Collected, Unread
from guestclock.platforms.qemu import source
from guestclock.platforms.qemu.process import QemuProcess
from guestclock.platforms.qemu.source import QemuSource, is_command_line
from guestclock.platforms.surroundings import Surroundings
from guestclock.rtc import RtcArguments
from tests.platforms.qemu.test_process import process

UUID = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
NOWHERE = Surroundings()
Read = Callable[..., list[Collected]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reader(*lines: str, surroundings: Surroundings = NOWHERE) -> list[Collected]:
        paths = []
        for number, line in enumerate(lines):
            path = tmp_path / f"vm{number}.sh"
            path.write_text(line)
            paths.append(str(path))
        return list(QemuSource(paths, surroundings).machines())

    return reader


def one(collected: list[Collected]) -> Machine:
    [machine] = collected
    assert isinstance(machine, Machine), machine
    return machine


def test_a_command_line_in_a_file(read: Read, tmp_path: Path) -> None:
    machine = one(read(f"qemu-system-x86_64 -name web -uuid {UUID.upper()} -rtc base=localtime"))
    identity = machine.identity
    assert (identity.id, identity.name, identity.platform) == (UUID, "web", "qemu")
    assert identity.source == f"{tmp_path}/vm0.sh"
    assert machine.facts.definition == Observed(Clock(Localtime()), "-rtc base=localtime")
    assert machine.facts.process is None
    assert not machine.facts.asked
    assert isinstance(machine.facts.guest.kind, Unknown)


def test_a_tz_on_the_line_counts_and_none_is_utc(read: Read) -> None:
    zone = one(read("TZ=Asia/Tokyo qemu-system-x86_64 -rtc base=localtime")).facts.definition
    assert zone == Observed(Clock(Zone("Asia/Tokyo")), "-rtc base=localtime, TZ=Asia/Tokyo")
    none = one(read("qemu-system-x86_64 disk.img")).facts.definition
    assert none == Inferred(Clock(Utc()), "no -rtc is base=utc")


def test_hyperv_features_tell_windows_and_the_inventory_beats_them(read: Read) -> None:
    line = "qemu-system-x86_64 -name win -cpu host,hv-time -rtc base=utc"
    assert one(read(line)).facts.guest.system == "windows"
    row = Row("win", "linux-local", "Asia/Tokyo", where="g.csv:2")
    known = Surroundings(Host(Assumed("Asia/Kolkata", "--host-zone")), Inventory([row]))
    facts = one(read(line, surroundings=known)).facts
    assert facts.guest.kind == Assumed("linux-local", "inventory g.csv:2")
    assert value_of(facts.host.zone) == "Asia/Kolkata"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("qemu-img create", "no qemu-system-... program"),
        ("qemu-system-x86_64 -rtc base=now", "base=now is not utc, localtime or a date"),
        ("qemu-system-x86_64 'x", "not a command line"),
        ("qemu-system-x86_64 -rtc base=utc #" + "x" * 2**20, "over 1 MiB"),
        ("qemu-system-x86_64 -rtc clock=" + "x\\\n" * 500, "clock=x"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(read: Read, line: str, reason: str) -> None:
    [unread] = read(line)
    assert isinstance(unread, Unread)
    assert reason in unread.reason
    assert unread.reason.isprintable()
    assert len(unread.reason) < 300


def test_bytes_and_missing_files_are_one_line_each(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"qemu \xff")
    paths = [str(tmp_path / "bytes"), str(tmp_path / "none")]
    assert list(QemuSource(paths, Surroundings()).machines()) == [
        Unread(paths[0], "neither XML nor a command line in UTF-8"),
        Unread(paths[1], "No such file or directory"),
    ]


def test_arguments_are_told_from_xml(tmp_path: Path) -> None:
    def written(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    assert is_command_line("pid:7")
    assert is_command_line(written("a", b"-rtc base=utc"))
    assert is_command_line(written("b.sh", b"#!/bin/sh\nqemu-system-x86_64"))
    assert not is_command_line(written("c.xml", b"qemu-system-x86_64"))
    assert not is_command_line(written("d", b"\n<domain><qemu:arg value='-rtc'/></domain>"))
    assert not is_command_line(written("e", b"\xff\xfe<\0qemu"))
    assert not is_command_line(written("f", b"hello"))
    assert not is_command_line(str(tmp_path))
    assert not is_command_line(str(tmp_path / "none"))


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., QemuProcess]:
    """Makes processes in a /proc of their own, which is the one that sources look at."""
    proc = tmp_path / "proc"
    proc.mkdir()
    monkeypatch.setattr(source, "QemuProcess", lambda pid: QemuProcess(pid, str(proc)))
    monkeypatch.setattr(source, "qemu_processes", lambda: [QemuProcess(7, str(proc))])
    return lambda words, environment: process(proc, 7, words, environment)


def of(place: str) -> list[Collected]:
    return list(QemuSource([place], Surroundings()).machines())


def test_a_running_process(running: Callable[..., QemuProcess], tmp_path: Path) -> None:
    words = ["qemu-system-x86_64", "-name", "web", "-rtc", "base=localtime"]
    running(words, {"TZ": "Asia/Tokyo"})
    machine = one(of("pid:7"))
    assert (machine.identity.id, machine.identity.source) == ("web", "pid:7")
    facts = machine.facts
    assert facts.asked
    assert facts.process is not None
    assert facts.process.pid == 7
    assert facts.process.arguments == Observed(RtcArguments("localtime"), "/proc/7/cmdline")
    assert facts.process.environment_zone == Observed("Asia/Tokyo", "/proc/7/environ")
    assert value_of(facts.definition) == Clock(Zone("Asia/Tokyo"))
    assert facts.live == facts.definition
    assert value_of(facts.host.zone) == "UTC"
    assert of("pid:all") == [machine]


def test_a_local_clock_whose_tz_may_not_be_read_is_unknown(
    running: Callable[..., QemuProcess], tmp_path: Path
) -> None:
    running(["qemu-system-x86_64", "-rtc", "base=localtime"], {})
    environment = tmp_path / "proc/7/environ"
    environment.unlink()
    environment.mkdir()
    unknown: Fact[Clock] = one(of("pid:7")).facts.definition
    assert isinstance(unknown, Unknown)
    assert "cannot be read" in unknown.reason


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("pid:x", "no process id: write pid:1234 or pid:all"),
        ("pid:-7", "no process id: write pid:1234 or pid:all"),
        ("pid:9", "there is no process 9"),
        ("pid:7", "/bin/vim is not QEMU"),
    ],
)
def test_a_process_that_is_none_of_qemus_is_one_line(
    running: Callable[..., QemuProcess], place: str, reason: str
) -> None:
    running(["/bin/vim"], {})
    assert of(place) == [Unread(place, reason)]
