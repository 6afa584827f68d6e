"""The QEMU command of a definition, with the `-rtc` that libvirt would give it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from guestclock import law
from guestclock.clock import Base, Basis, Variable
from guestclock.databases import zones_at_hand
from guestclock.evidence import Observed, Unknown
from guestclock.lab.errors import LabError, MissingToolError
from guestclock.lab.hypervisor.domainxml import Machine
from guestclock.lab.hypervisor.launch import search_path


@dataclass(frozen=True, slots=True)
class Command:
    """What starts a machine.

    `base` is what its clock is from then on: libvirt fixes `variable` to UTC at the start.
    """

    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    base: Base


def command(machine: Machine, zone: str, instant: datetime, monitor: Path, pid: Path) -> Command:
    """The command for a machine started at `instant` (UTC, as the host sees it) in `zone`.

    Raises LabError where its clock cannot be started, MissingToolError where QEMU is not there.
    """
    host = law.Host(zone=Observed(zone, "the lab's host"))
    begun = law.start(machine.clock, host, instant, zones_at_hand())
    if isinstance(begun.arguments, Unknown):
        raise LabError(f"the clock of {machine.name}: {begun.arguments.reason}")
    environment = machine.environment
    if begun.environment_zone is not None:
        environment = (("TZ", begun.environment_zone), *environment)
    rtc = begun.arguments.value
    base = machine.clock.base
    if isinstance(base, Variable) and rtc.start is not None:
        base = Variable(rtc.start - int(instant.timestamp()), Basis.UTC)
    arguments = (_program(), *_arguments(machine, str(rtc), monitor, pid))
    return Command(arguments, environment, base)


def _program() -> str:
    found = shutil.which("qemu-system-x86_64", path=search_path()["PATH"])
    if found is None:
        raise MissingToolError("QEMU is not installed", "install qemu-system-x86")
    return found


def _arguments(machine: Machine, rtc: str, monitor: Path, pid: Path) -> Iterator[str]:
    yield from ("-name", f"guest={_literal(machine.name)}", "-daemonize", "-pidfile", str(pid))
    yield from ("-machine", f"{machine.machine},usb=off", "-accel", "tcg")
    yield from ("-m", f"size={machine.memory}k", "-smp", "1")
    if machine.uuid:
        yield from ("-uuid", machine.uuid)
    yield from ("-display", "none", "-no-user-config", "-nodefaults", "-boot", "strict=on")
    hpet = machine.clock.timer("hpet")
    if hpet is not None and hpet.present is False:
        yield "-no-hpet"
    yield from ("-rtc", rtc)
    yield from ("-qmp", f"unix:{_literal(str(monitor))},server=on,wait=off")
    for index, disk in enumerate(machine.disks):
        yield from ("-drive", f"file={_literal(disk)},format=raw,if=ide,index={index}")
    if machine.serial is not None:
        yield from ("-serial", f"unix:{_literal(machine.serial)},server=on,wait=off")


def _literal(text: str) -> str:
    """A value in an option list of QEMU, where a comma is doubled."""
    return text.replace(",", ",,")
