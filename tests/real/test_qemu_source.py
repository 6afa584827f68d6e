"""What is read of real QEMU processes, and of its options, without libvirt."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from guestclock.clock import Clock, Localtime, Zone
from guestclock.evidence import Observed, value_of
from guestclock.machine import Machine
from guestclock.platforms.interface import Unread
from guestclock.platforms.qemu.dialect import parse_words, rtc_text
from guestclock.platforms.qemu.source import QemuSource
from guestclock.platforms.surroundings import Surroundings
from guestclock.rtc import RtcArguments

pytestmark = pytest.mark.real

BARE = (
    *("qemu-system-x86_64", "-M", "pc,accel=tcg", "-m", "1", "-S", "-display", "none"),
    *("-monitor", "none", "-no-user-config", "-nodefaults", "-qmp", "stdio"),
)
HELLO = b'{"execute":"qmp_capabilities"}\n'
QUIT = b'{"execute":"quit"}\n'
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts QEMU and waits for its greeting, after which its RTC is there."""
    with ExitStack() as stack:

        def starter(*options: str, zone: str | None = None) -> subprocess.Popen[bytes]:
            environment = {"PATH": "/usr/bin:/bin", **({} if zone is None else {"TZ": zone})}
            process = stack.enter_context(
                subprocess.Popen(
                    [*BARE, *options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=environment,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            assert b"QMP" in process.stdout.readline()
            return process

        yield starter


def read(pid: int) -> Machine:
    [machine] = QemuSource([f"pid:{pid}"], Surroundings()).machines()
    assert isinstance(machine, Machine), machine
    return machine


def test_a_process_with_a_tz(start: Start) -> None:
    process = start(
        "-name", "guest=web,debug-threads=on", "-rtc", "base=localtime", zone="Asia/Tokyo"
    )
    machine = read(process.pid)
    assert (machine.identity.name, machine.identity.platform) == ("web", "qemu")
    assert value_of(machine.facts.definition) == Clock(Zone("Asia/Tokyo"))
    seen = machine.facts.process
    assert seen is not None
    assert seen.arguments == Observed(RtcArguments("localtime"), f"/proc/{process.pid}/cmdline")
    assert seen.environment_zone == Observed("Asia/Tokyo", f"/proc/{process.pid}/environ")
    assert (machine.facts.hardware.virt, machine.facts.hardware.machine) == ("qemu", "pc")


def test_a_process_without_a_tz_sees_the_hosts_zone(start: Start) -> None:
    facts = read(start("-rtc", "base=localtime").pid).facts
    assert value_of(facts.definition) == Clock(Localtime())
    assert value_of(facts.host.zone) is not None


def test_all_running_processes_are_found(start: Start) -> None:
    pids = {start("-name", name).pid for name in ("one", "two")}
    found = QemuSource(["pid:all"], Surroundings()).machines()
    sources = {one.identity.source for one in found if isinstance(one, Machine)}
    assert {f"pid:{pid}" for pid in pids} <= sources


def test_a_process_that_has_ended_is_one_line(start: Start) -> None:
    process = start()
    process.communicate(HELLO + QUIT, timeout=30)
    assert list(QemuSource([f"pid:{process.pid}"], Surroundings()).machines()) == [
        Unread(f"pid:{process.pid}", f"there is no process {process.pid}")
    ]


def test_qemu_itself_merges_rtc_options_as_the_dialect_does(start: Start) -> None:
    options = ("-rtc", "base=2020-01-01,clock=vm", "--rtc", "base=2001-01-01", "-rtc", "clock=host")
    assert parse_words(["qemu-system-x86_64", *options]).arguments == RtcArguments("2001-01-01")
    process = start(*options)
    query = b'{"execute":"qom-get","arguments":{"path":"/machine","property":"rtc-time"}}\n'
    out, _ = process.communicate(HELLO + query + QUIT, timeout=30)
    assert b'"tm_year": 101' in out
    assert time.gmtime().tm_year > 2001


def test_the_options_that_take_no_value_are_those_of_qemus_own_help() -> None:
    text = subprocess.run(
        ["qemu-system-x86_64", "-help"], check=True, capture_output=True, text=True
    )
    flags = set(re.findall(r"^-(-?[A-Za-z0-9-]+) *(?:  [a-z].*)?$", text.stdout, re.MULTILINE))
    # -dtb is set in the help as a flag would be, and takes a file.
    flags = {f"-{flag.lstrip('-')}" for flag in flags} - {"-dtb"}
    assert {"-S", "-nodefaults", "-enable-kvm", "-daemonize"} <= flags
    for flag in sorted(flags):
        assert rtc_text([flag, "-rtc", "clock=vm"]) == "clock=vm", flag
