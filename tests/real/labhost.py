"""A lab of hosts and one small guest, for the tests of what runs them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guestclock.lab.console import GuestConsole
from guestclock.lab.guests.disk import GuestSetup, write_disk
from guestclock.lab.hypervisor import end_everything, open_host, processes
from guestclock.lab.hypervisor.interface import Hypervisor, Kind

NAME = "instance-00000001"
TOLERANCE = 5.0
PATIENCE = 60.0


@dataclass
class Lab:
    """A lab's folder; its clock is stepped by writing into `time`."""

    folder: Path
    kind: Kind
    time: Path | None = None

    def host(self, name: str, zone: str) -> Hypervisor:
        return open_host(self.folder / "hosts" / name, name, zone, self.time, self.kind)

    def processes(self) -> list[str]:
        return [processes.name_of(pid) for pid in processes.living_in(self.folder / "hosts")]

    @property
    def socket(self) -> Path:
        return self.folder / "serial"

    def definition(self, clock: str, *, deaf: bool = False) -> str:
        disk = self.folder / "disk.img"
        if not disk.exists():
            write_disk(disk, GuestSetup("utc", False, 0, deaf, ((0, 0),)))
        return f"""
            <domain type='qemu'>
              <name>{NAME}</name>
              <uuid>8b0ae4a5-6d0e-4f64-9f6a-6a0ef2a3c1d2</uuid>
              <memory unit='MiB'>16</memory>
              <os><type machine='pc'>hvm</type></os>
              <features><acpi/></features>
              {clock}
              <devices>
                <disk type='file' device='disk'>
                  <driver name='qemu' type='raw'/>
                  <source file='{disk}'/>
                  <target dev='hda' bus='ide'/>
                </disk>
                <controller type='usb' model='none'/>
                <memballoon model='none'/>
                <serial type='unix'><source mode='bind' path='{self.socket}'/></serial>
              </devices>
            </domain>"""

    def console(self) -> GuestConsole:
        console = GuestConsole.connect(self.socket)
        console.wait_boot(PATIENCE)
        return console


@contextmanager
def lab_in(folder: Path, kind: Kind, *, travels: bool = False) -> Iterator[Lab]:
    """A lab, all of whose processes are ended afterwards."""
    lab = Lab(folder, kind, folder / "time" if travels else None)
    if lab.time is not None:
        lab.time.write_text("+0\n")
    try:
        yield lab
    finally:
        assert end_everything(folder) == []
        assert lab.processes() == []


def offset(host: Hypervisor) -> float:
    """How far the machine's RTC is ahead of UTC, in seconds."""
    return (host.rtc(NAME).replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()


def about(seconds: float) -> Near:
    return Near(seconds)


@dataclass
class Near:
    """Equal to any number of seconds that an RTC of whole seconds may show for it."""

    seconds: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(other - self.seconds) < TOLERANCE


def in_zone(zone: str, at: datetime | None = None) -> Near:
    """What a zone is ahead of UTC, now or at another instant."""
    from zoneinfo import ZoneInfo

    ahead = (at or datetime.now(UTC)).astimezone(ZoneInfo(zone)).utcoffset()
    assert ahead is not None
    return Near(ahead.total_seconds())


def seconds_until(instant: datetime) -> int:
    return int(instant.timestamp() - time.time())


HOUR = timedelta(hours=1).total_seconds()
