"""A lab host on plain QEMU processes: what libvirt would do, where there is no libvirt."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor import domainxml, processes
from guestclock.lab.hypervisor.folder import HostFolder, write_whole
from guestclock.lab.hypervisor.qemu_machine import QemuMachine
from guestclock.lab.hypervisor.sockets import publish, sibling
from guestclock.lab.hypervisor.zone import keep_zone
from guestclock.lab.qmp import rtc_time

if TYPE_CHECKING:
    from datetime import datetime

    from guestclock.lab.hypervisor.interface import Hypervisor


@dataclass(frozen=True, slots=True)
class QemuHost:
    """One host of a lab, whose machines are QEMU processes and files."""

    host: HostFolder
    time_file: Path | None

    @property
    def kind(self) -> Literal["qemu"]:
        """Which implementation this is."""
        return "qemu"

    @property
    def name(self) -> str:
        """The host's name in its lab."""
        return self.host.name

    @property
    def zone(self) -> str:
        """The host's zone, which each machine sees from its next cold start."""
        return self.host.known_settings().zone

    def set_zone(self, zone: str) -> None:
        """Give the host another zone, for cold starts from now on."""
        keep_zone(self.host, zone)

    def define(self, xml: str) -> None:
        """Keep a definition, its clock in libvirt's normal form."""
        machine = domainxml.read_machine(xml)
        if not machine.uuid:
            raise LabError(f"the definition of {machine.name} needs a <uuid>")
        with self.host.locked():
            here = self._machine(machine.name)
            for other in self._all():
                same_uuid = domainxml.read_machine(other.definition()).uuid == machine.uuid
                if same_uuid != (other.name == machine.name):
                    raise LabError(
                        f"{machine.name} has the name or the uuid of {other.name}",
                        f"undefine {other.name} first",
                    )
            here.defined.parent.mkdir(exist_ok=True)
            write_whole(here.defined, domainxml.with_clock(xml, machine.clock))

    def definition(self, name: str) -> str:
        """Return the XML of the next cold start."""
        return self._machine(name).definition()

    def live_definition(self, name: str) -> str | None:
        """Return the XML of the running machine."""
        with self._settled(name) as (machine, _):
            return machine.live_definition()

    def undefine(self, name: str) -> None:
        """Forget the definition and the saved state; a process that runs goes on."""
        with self._settled(name) as (machine, _):
            machine.defined.unlink(missing_ok=True)
            _forget_saved(machine)

    def names(self) -> list[str]:
        """List the machines defined here."""
        return sorted(machine.name for machine in self._all())

    def start(self, name: str) -> None:
        """Start a new process, from the saved state if there is one."""
        with self._settled(name) as (machine, lock):
            definition = machine.definition()
            if machine.pid() is not None:
                raise LabError(f"{name} is running already")
            if not machine.saved.exists():
                machine.launch(definition, self.zone, self.time_file, lock)
                return
            try:
                # What was saved goes on as what it was; a new definition counts later.
                live = machine.saved_definition.read_text(encoding="utf-8")
                machine.launch(live, self.zone, self.time_file, lock, arriving=True)
                machine.load()
            except LabError:
                machine.end()
                raise
            _settle(machine)

    def destroy(self, name: str) -> None:
        """Pull the plug."""
        with self._settled(name) as (machine, _):
            machine.end()

    def reset(self, name: str) -> None:
        """Press the reset button."""
        with self._settled(name) as (machine, _), machine.monitor() as monitor:
            monitor.execute("system_reset")

    def press_power_button(self, name: str) -> None:
        """Send the ACPI event."""
        with self._settled(name) as (machine, _), machine.monitor() as monitor:
            monitor.execute("system_powerdown")

    def wait_off(self, name: str, seconds: float) -> bool:
        """Wait for the end of the machine's process."""
        pid = self._machine(name).pid()
        return pid is None or processes.wait_end(pid, seconds)

    def running(self, name: str) -> bool:
        """Say whether the machine has a process."""
        with self._settled(name) as (machine, _):
            return machine.pid() is not None

    def pid(self, name: str) -> int | None:
        """Return QEMU's pid."""
        return self._machine(name).pid()

    def rtc(self, name: str) -> datetime:
        """Read the RTC through QEMU's monitor."""
        with self._settled(name) as (machine, _), machine.monitor() as monitor:
            return rtc_time(monitor)

    def suspend(self, name: str) -> None:
        """Stop the virtual CPUs."""
        with self._settled(name) as (machine, _), machine.monitor() as monitor:
            monitor.execute("stop")

    def resume(self, name: str) -> None:
        """Let the virtual CPUs run again."""
        with self._settled(name) as (machine, _), machine.monitor() as monitor:
            monitor.execute("cont")

    def save(self, name: str) -> None:
        """Write the state to a file, and end the process once it is whole."""
        with self._settled(name) as (machine, _):
            live = machine.live_definition()
            if live is None:
                raise LabError(f"{name} is not running")
            machine.saved.parent.mkdir(exist_ok=True)
            machine.leaving.unlink(missing_ok=True)
            write_whole(machine.saved_definition, live)
            machine.save()
            machine.end()

    def restore(self, name: str) -> None:
        """Start from the saved state."""
        if not self._machine(name).saved.exists():
            raise LabError(f"there is no saved state of {name}", "save it first, or start it")
        self.start(name)

    def migrate(self, name: str, target: Hypervisor) -> None:
        """Move the running machine, process to process, over a unix socket."""
        if not isinstance(target, QemuHost):
            raise LabError(
                f"{name} runs on QEMU and cannot move to the {target.kind} host {target.name}",
                "migrate it off, with its definition, or make the hosts of one kind",
            )
        if target.host == self.host:
            raise LabError(f"{name} is on host {self.name} already")
        # Always in the same order, so that two moves that cross cannot wait for each other.
        if self.name < target.name:
            with self._settled(name) as (here, _), target._settled(name) as (there, lock):
                self._move(here, there, target, lock)
        else:
            with target._settled(name) as (there, lock), self._settled(name) as (here, _):
                self._move(here, there, target, lock)

    def _move(self, here: QemuMachine, there: QemuMachine, target: QemuHost, lock: int) -> None:
        live = here.live_definition()
        if live is None:
            raise LabError(f"{here.name} is not running")
        if there.pid() is not None:
            raise LabError(f"{here.name} runs on host {target.name} already")
        serial = domainxml.read_machine(live).serial
        if serial is not None:
            live = domainxml.with_serial(live, sibling(serial))
        here.leaving.touch()
        there.arriving.touch()
        there.defined.parent.mkdir(exist_ok=True)
        write_whole(there.defined, here.definition())
        try:
            there.launch(live, target.zone, target.time_file, lock, arriving=True)
            there.arrive(there.state_socket)
            here.send(there.state_socket)
            there.wait_arrived()
        except LabError:
            _give_up_arrival(there)
            here.leaving.unlink()
            raise
        _settle(here)
        _settle(there)

    def shutdown(self) -> None:
        """End every process of the host."""
        with self.host.locked():
            self.host.end_processes()

    @contextmanager
    def _settled(self, name: str) -> Iterator[tuple[QemuMachine, int]]:
        """Give a machine under the host's lock, after whatever a killed command left half done."""
        with self.host.locked() as lock:
            machine = self._machine(name)
            _settle(machine)
            yield machine, lock

    def _machine(self, name: str) -> QemuMachine:
        runtime = self.host.runtime(self.host.known_settings())
        return QemuMachine(self.host, runtime, name)

    def _all(self) -> Iterator[QemuMachine]:
        for path in sorted((self.host.path / "machines").glob("*.xml")):
            if not path.name.startswith("."):
                yield self._machine(path.stem)


def _settle(machine: QemuMachine) -> None:
    """Finish what a command that was killed has begun; nothing else holds the host's lock."""
    status = machine.status()
    match status:
        case "inmigrate" if machine.arriving.exists():
            _give_up_arrival(machine)
        case "inmigrate":
            # A restore that was cut off; the saved state is still there.
            machine.end()
        case "postmigrate" if machine.leaving.exists():
            # It runs elsewhere by now, with its definition. The mark goes last, with the process,
            # which has no time to remove the other's serial socket.
            machine.defined.unlink(missing_ok=True)
            _forget_saved(machine)
            machine.end(signal.SIGKILL)
        case "postmigrate" if machine.saved.exists():
            machine.end()
        case "postmigrate":
            # Saving was cut off before the state was whole; nothing of the machine is lost yet.
            with machine.monitor() as monitor:
                monitor.execute("cont")
        case "off":
            if machine.arriving.exists():
                _give_up_arrival(machine)
        case _:
            # A state that was taken up would be an old one at the next start.
            _forget_saved(machine)
            _publish(machine)
            machine.arriving.unlink(missing_ok=True)


def _publish(machine: QemuMachine) -> None:
    if machine.defined.exists():
        live = domainxml.read_machine(machine.live.read_text(encoding="utf-8"))
        publish(live.serial, domainxml.read_machine(machine.definition()).serial)


def _give_up_arrival(machine: QemuMachine) -> None:
    machine.defined.unlink(missing_ok=True)
    machine.end()


def _forget_saved(machine: QemuMachine) -> None:
    machine.saved.unlink(missing_ok=True)
    machine.partly.unlink(missing_ok=True)
    machine.saved_definition.unlink(missing_ok=True)
