"""A probe starts a real QEMU with some `-rtc` arguments and reads its RTC back in two ways.

One process does both: stopped (-S) it is asked for `rtc-time` through QMP, which needs no guest;
then it goes on and a boot sector reads the CMOS by itself, prints it, and ends QEMU. QEMU gets its
commands in one piece beforehand and nobody talks with it, so that a probe costs what QEMU costs.
Always x86 `pc` under TCG.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from guestclock.lab import faketime
from guestclock.lab.errors import LabError
from guestclock.lab.guests.build import guest_file
from guestclock.lab.qmp import reading_of
from guestclock.lab.tools import qemu

MONITOR_SCRIPT = (
    b'{"execute":"qmp_capabilities"}\n'
    b'{"execute":"qom-get","id":"rtc","arguments":{"path":"/machine","property":"rtc-time"}}\n'
    b'{"execute":"cont"}\n'
)
"""What QEMU reads from its standard input."""

_GUEST_IS_DONE = 33  # the status isa-debug-exit makes of the 16 that cmos.asm writes


class ProbeError(LabError):
    """QEMU did not start, did not end in time, or did not say its RTC."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What to start: `rtc_args` is what follows `-rtc`, or empty for no `-rtc` at all.

    `env_zone` is the process's TZ, None for none: then the /etc/localtime of this machine counts.
    Another host's /etc/localtime is emulated by giving TZ all the same: its zone as `env_zone`, or
    a copy of the file itself as `localtime_file`; QEMU cannot tell the difference. `epoch` (seconds
    since 1970) is the instant for QEMU, None for the real one. `zoneinfo` is the folder whose zones
    the process sees in place of the system's.
    """

    rtc_args: str
    env_zone: str | None = None
    epoch: int | None = None
    localtime_file: Path | None = None
    zoneinfo: Path | None = None

    def __post_init__(self) -> None:
        if self.env_zone is not None and self.localtime_file is not None:
            raise ValueError("a process with TZ does not look at /etc/localtime: give one of them")


@dataclass(frozen=True, slots=True)
class Reading:
    """One RTC as QMP (`qom`) and as the guest (`cmos`) read it, the guest some 50 ms later.

    `before` and `after` are seconds since 1970 on QEMU's clock, the probe's `epoch` if it had one,
    just before QEMU was started and just after it ended. libfaketime may be up to a second ahead.
    """

    qom: datetime
    cmos: datetime
    before: float
    after: float


def command_line(probe: Probe) -> tuple[list[str], dict[str, str]]:
    """The command and its whole environment; MONITOR_SCRIPT is to be its standard input.

    Raises MissingToolError for QEMU, nasm (only where the guests came unassembled), libfaketime.
    """
    arguments = [
        qemu(),
        *("-M", "pc,accel=tcg", "-m", "2", "-display", "none"),
        *("-no-user-config", "-nodefaults", "-S", "-qmp", "stdio"),
        *("-serial", "file:/dev/stderr", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
        *("-drive", f"file={_comma(guest_file('cmos'))},format=raw,if=ide,file.locking=off"),
    ]
    if probe.rtc_args:
        arguments += ["-rtc", probe.rtc_args]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    if probe.localtime_file is not None:
        environment["TZ"] = f":{probe.localtime_file.resolve()}"
    elif probe.env_zone is not None:
        environment["TZ"] = probe.env_zone
    if probe.zoneinfo is not None:
        environment["TZDIR"] = str(probe.zoneinfo)
    if probe.epoch is not None:
        environment |= faketime.fixed_env(probe.epoch, environment.get("TZ"))
    return arguments, environment


def shell_line(probe: Probe) -> str:
    """The same as one line for a shell, for whoever wants to see it with own eyes."""
    arguments, environment = command_line(probe)
    commands = shlex.join(["printf", "%s\\n", *MONITOR_SCRIPT.decode().splitlines()])
    words = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), *arguments]
    return f"{commands} | {shlex.join(words)}"


def run_probe(probe: Probe, timeout: float = 60) -> Reading:
    """Start QEMU, read its RTC in both ways, and see it end within `timeout` seconds.

    Raises ProbeError, with QEMU's own words if it had any; MissingToolError as `command_line`.
    """
    arguments, environment = command_line(probe)
    began = time.monotonic()
    before = time.time() if probe.epoch is None else float(probe.epoch)
    with subprocess.Popen(
        arguments,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            _write_script(process.stdin)
            said, serial = _read_both(process.stdout, process.stderr, began + timeout)
            status = process.wait(max(0.0, began + timeout - time.monotonic()))
        except BaseException as error:
            process.kill()
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired | TimeoutError):
                raise ProbeError(f"QEMU did not end within {timeout:g} s") from error
            raise
        finally:
            if probe.epoch is not None:
                faketime.forget(process.pid)
    after = before + time.monotonic() - began
    if status != _GUEST_IS_DONE:
        words = serial.decode(errors="replace").strip() or f"it left with status {status}"
        raise ProbeError(f"QEMU did not run with -rtc {probe.rtc_args}: {words}")
    return Reading(_monitor_reading(said), cmos_reading(serial), before, after)


def cmos_reading(line: bytes) -> datetime:
    """The date in the registers that cmos.asm prints: hexadecimal, century first, status B last.

    Registers hold BCD unless bit 2 of status B is set, and 12 hours unless its bit 1 is.
    Raises ProbeError if they hold no date.
    """
    try:
        *registers, status = bytes.fromhex(line.split()[-1].decode("ascii"))
        evening = 0
        if not status & 0x02:
            evening = 12 if registers[4] & 0x80 else 0
            registers[4] &= 0x7F
        if not status & 0x04:
            registers = [int(f"{register:x}") for register in registers]
        century, year, month, day, hour, minute, second = registers
        if not status & 0x02:
            hour = hour % 12 + evening
        return datetime(100 * century + year, month, day, hour, minute, second)
    except (IndexError, ValueError) as error:
        raise ProbeError(f"the guest read no date in the CMOS: {line!r}") from error


def _write_script(stdin: IO[bytes]) -> None:
    try:
        with stdin:
            stdin.write(MONITOR_SCRIPT)
    except BrokenPipeError:
        pass  # QEMU did not start; its own words say why


def _read_both(stdout: IO[bytes], stderr: IO[bytes], deadline: float) -> tuple[bytes, bytes]:
    """All of both, until both are closed. Raises TimeoutError."""
    poll = select.poll()
    parts: dict[int, bytearray] = {}
    for stream in (stdout, stderr):
        poll.register(stream, select.POLLIN)
        parts[stream.fileno()] = bytearray()
    still_open = set(parts)
    while still_open:
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if not ready:
            raise TimeoutError
        for descriptor, _ in ready:
            data = os.read(descriptor, 65536)
            parts[descriptor] += data
            if not data:
                poll.unregister(descriptor)
                still_open.remove(descriptor)
    return bytes(parts[stdout.fileno()]), bytes(parts[stderr.fileno()])


def _monitor_reading(said: bytes) -> datetime:
    for line in said.splitlines():
        answer = json.loads(line)
        if answer.get("id") == "rtc":
            if "return" in answer:
                return reading_of(answer["return"])
            raise ProbeError(f"QEMU does not tell its RTC: {answer['error']['desc']}")
    raise ProbeError("QEMU ended before it told its RTC")


def _comma(path: Path) -> str:
    return str(path).replace(",", ",,")
