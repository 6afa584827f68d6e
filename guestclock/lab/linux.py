"""The slower proof: a real Linux kernel and hwclock, and what they make of an RTC.

The kernel takes its RTC for UTC; then util-linux's `hwclock --systz` reads /etc/adjtime and, where
that says LOCAL, moves the clock by the zone's offset at what the RTC says, as systemd does too.
Packages: qemu-system-x86, busybox-static, util-linux-extra (hwclock), and a kernel (kernel.py).
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from guestclock.lab import cpio, faketime
from guestclock.lab.errors import LabError, MissingToolError
from guestclock.lab.kernel import find_kernel
from guestclock.lab.tools import qemu, tool

_SYSTEM_ZONES = Path("/usr/share/zoneinfo")

# busybox has an hwclock of its own, which takes a missing adjtime for LOCAL: name ours by path.
_INIT = """\
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t sysfs sys /sys
/sbin/hwclock --systz
echo guestclock \\
 rtc=$(/bin/busybox cat /sys/class/rtc/rtc0/since_epoch) \\
 $(/bin/busybox date +"utc=%s local=%Y-%m-%dT%H:%M:%S")
/bin/busybox poweroff -f
"""

_SAID = re.compile(rb"guestclock rtc=(-?\d+) utc=(-?\d+) local=([\d:T-]+)")


@dataclass(frozen=True, slots=True)
class LinuxReading:
    """A Linux's clock as Linux itself tells it after its boot, in naive whole seconds.

    `rtc` is its RTC's reading, `utc` what it takes for UTC, `local` what it shows its user.
    """

    rtc: datetime
    utc: datetime
    local: datetime


def boot_linux(
    rtc_args: str,
    zone: str,
    adjtime: Literal["UTC", "LOCAL"],
    host_zone: str | None = None,
    epoch: int | None = None,
    timeout: float = 120,
) -> LinuxReading:
    """Boot Linux on x86 `pc` under TCG with these `-rtc` arguments and read its clock.

    `zone` is the guest's, an IANA name; `host_zone` QEMU's TZ, None for this machine's
    /etc/localtime; `epoch` QEMU's instant (seconds since 1970), None for the real one.
    Raises MissingToolError for what is not installed, LabError if Linux says nothing in `timeout`
    seconds.
    """
    kernel = find_kernel()
    with tempfile.NamedTemporaryFile(prefix="guestclock-") as initramfs:
        initramfs.write(cpio.archive([*_system(), *_settings(zone, adjtime)]))
        initramfs.flush()
        boot = _Boot(kernel, initramfs.name, "rdinit=/init")
        return _booted(boot, rtc_args, host_zone, epoch, timeout)


SAY = (
    "echo guestclock rtc=$(cat /sys/class/rtc/rtc0/since_epoch) "
    '$(date +"utc=%s local=%Y-%m-%dT%H:%M:%S") >/dev/ttyS0'
)
"""The shell's words by which a system on a disk tells its clock, as `boot_disk` waits for it."""


def boot_disk(
    image: Path,
    kernel: Path,
    initrd: Path,
    append: str,
    rtc_args: str,
    host_zone: str | None = None,
    epoch: int | None = None,
    timeout: float = 300,
) -> LinuxReading:
    """Boot the Linux on a raw disk image, which stays as it is, and read its clock.

    `append` are the kernel's words; the system must run `SAY` once it has set its clock. All else
    is as of `boot_linux`.
    """
    disk = ("-drive", f"file={image},format=raw,if=virtio,snapshot=on")
    boot = _Boot(kernel, str(initrd), append, disk, memory=1024)
    return _booted(boot, rtc_args, host_zone, epoch, timeout)


@dataclass(frozen=True, slots=True)
class _Boot:
    """What is booted; `memory` in MiB."""

    kernel: Path
    initrd: str
    append: str
    disk: tuple[str, ...] = ()
    memory: int = 256


def _booted(
    boot: _Boot, rtc_args: str, host_zone: str | None, epoch: int | None, timeout: float
) -> LinuxReading:
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    if host_zone is not None:
        environment["TZ"] = host_zone
    if epoch is not None:
        environment |= faketime.fixed_env(epoch, host_zone)
    command = [
        qemu(),
        *("-M", "pc,accel=tcg", "-m", str(boot.memory), "-display", "none", "-no-reboot"),
        *("-no-user-config", "-nodefaults", "-serial", "stdio"),
        *("-kernel", str(boot.kernel), "-initrd", boot.initrd, *boot.disk),
        *("-append", f"console=ttyS0 quiet panic=-1 {boot.append}"),
        *(("-rtc", rtc_args) if rtc_args else ()),
    ]
    said = _run(command, environment, timeout)
    found = _SAID.search(said)
    if found is None:
        words = said.decode(errors="replace").strip()[-500:] or "nothing"
        raise LabError(f"Linux did not get as far as its clock; it said: {words}")
    return LinuxReading(
        _naive(int(found[1])), _naive(int(found[2])), datetime.fromisoformat(found[3].decode())
    )


def _run(command: list[str], environment: dict[str, str], timeout: float) -> bytes:
    """What the machine says until it has told its clock or ends."""
    deadline = time.monotonic() + timeout
    said = bytearray()
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        output = process.stdout.fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        try:
            while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                data = os.read(output, 65536)
                said += data
                # Its own way off would take a while, and there is nothing left to learn or to lose.
                if not data or (_SAID.search(said) and said.endswith(b"\n")):
                    return bytes(said)
            raise LabError(f"Linux did not boot within {timeout:g} s")
        finally:
            process.kill()
            process.wait()
            faketime.forget(process.pid)


@cache
def _system() -> tuple[cpio.Entry, ...]:
    """What every such Linux has: a shell, hwclock with its libraries, and the script above."""
    busybox = tool("busybox", "busybox-static (Debian, Ubuntu)")
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    hwclock = tool("hwclock", "util-linux-extra (Debian, Ubuntu), util-linux (others)", path)
    if _libraries(busybox):
        raise MissingToolError(
            f"{busybox} needs shared libraries, which the lab's Linux has not",
            "install the package busybox-static in its place",
        )
    libraries = [
        cpio.file(library, Path(library).read_bytes(), executable=True)
        for library in _libraries(hwclock)
    ]
    return (
        cpio.character_device("/dev/console", 5, 1),
        cpio.file("/init", _INIT.encode(), executable=True),
        cpio.file("/bin/busybox", Path(busybox).read_bytes(), executable=True),
        cpio.file("/sbin/hwclock", Path(hwclock).read_bytes(), executable=True),
        cpio.folder("/sys"),
        *libraries,
    )


def _settings(zone: str, adjtime: str) -> tuple[cpio.Entry, ...]:
    return (
        cpio.file("/etc/adjtime", f"0.0 0 0.0\n0\n{adjtime}\n".encode()),
        cpio.file("/etc/localtime", _zone_data(zone)),
    )


def _libraries(program: str) -> list[str]:
    """The paths of the shared libraries a program loads, its loader among them."""
    listed = subprocess.run(["ldd", program], check=False, capture_output=True, text=True)
    return re.findall(r"(/\S+) \(0x", listed.stdout)


def _zone_data(zone: str) -> bytes:
    """The zone's TZif file: the system's if it has zones, else that of the package tzdata."""
    root = _SYSTEM_ZONES if _SYSTEM_ZONES.is_dir() else resources.files("tzdata") / "zoneinfo"
    try:
        if zone.startswith("/") or ".." in zone.split("/"):
            raise FileNotFoundError
        return root.joinpath(zone).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise LabError(f"there is no zone {zone!r} in {root}") from error


def _naive(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None)
