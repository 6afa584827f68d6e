"""A lab host on libvirt, as a private daemon of its own runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from guestclock.clock import Zone
from guestclock.lab import faketime, qmp
from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor import domainxml, processes
from guestclock.lab.hypervisor.daemon import Daemon
from guestclock.lab.hypervisor.folder import HostFolder
from guestclock.lab.hypervisor.sockets import publish, sibling
from guestclock.lab.hypervisor.zone import keep_zone
from guestclock.platforms.libvirt import events

if TYPE_CHECKING:
    from datetime import datetime

    import libvirt

    from guestclock.lab.hypervisor.interface import Hypervisor


@dataclass(slots=True)
class LibvirtHost:
    """One host of a lab, whose machines libvirt runs."""

    host: HostFolder
    daemon: Daemon

    @property
    def kind(self) -> Literal["libvirt"]:
        """Which implementation this is."""
        return "libvirt"

    @property
    def name(self) -> str:
        """The host's name in its lab."""
        return self.host.name

    @property
    def zone(self) -> str:
        """The host's zone, which each machine sees from its next cold start."""
        return self.host.known_settings().zone

    def set_zone(self, zone: str) -> None:
        """Give the host another zone, for cold starts from now on.

        With an /etc of its own that is all. Without, the daemon needs another TZ, and starts
        anew under its running machines.
        """
        if keep_zone(self.host, zone) and not self.daemon.own_etc:
            self.daemon.restart()

    def define(self, xml: str) -> None:
        """Keep a definition."""
        with self._asking("define a machine") as connection:
            connection.defineXML(self._dressed(xml))

    def definition(self, name: str) -> str:
        """Return the inactive definition, secrets included, so that it can be defined again."""
        import libvirt

        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        with self._asking(f"read the definition of {name}") as connection:
            return str(self._machine(connection, name).XMLDesc(flags))

    def live_definition(self, name: str) -> str | None:
        """Return the definition of the running machine, as libvirt keeps it up to date."""
        with self._asking(f"read the live definition of {name}") as connection:
            domain = self._machine(connection, name)
            return str(domain.XMLDesc(0)) if domain.isActive() else None

    def undefine(self, name: str) -> None:
        """Forget the definition and a managed save."""
        import libvirt

        flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        with self._asking(f"undefine {name}") as connection:
            domain = self._if_there(connection, name)
            if domain is not None and domain.isPersistent():
                domain.undefineFlags(flags)

    def names(self) -> list[str]:
        """List the machines that libvirt knows here."""
        with self._asking("list the machines") as connection:
            return sorted(domain.name() for domain in connection.listAllDomains())

    def start(self, name: str) -> None:
        """Start the machine, with the environment that it needs by now."""
        with self._asking(f"start {name}") as connection:
            domain = self._machine(connection, name)
            definition = self.definition(name)
            dressed = self._dressed(definition)
            if dressed != definition:
                domain = connection.defineXML(dressed)
            domain.create()
        # A saved state may have been bound elsewhere than its definition says.
        self.settle(name)

    def destroy(self, name: str) -> None:
        """Pull the plug."""
        import libvirt

        with self._asking(f"destroy {name}") as connection:
            domain = self._if_there(connection, name)
            if domain is None or not domain.isActive():
                return
            pid = self.pid(name)
            try:
                domain.destroy()
            except libvirt.libvirtError:
                if domain.isActive():
                    raise
                return  # It went off by itself in the same moment.
            if pid is not None and self.daemon.time_file is not None:
                faketime.forget(pid)

    def reset(self, name: str) -> None:
        """Press the reset button."""
        with self._asking(f"reset {name}") as connection:
            self._machine(connection, name).reset(0)

    def press_power_button(self, name: str) -> None:
        """Send the ACPI event."""
        import libvirt

        with self._asking(f"press the power button of {name}") as connection:
            domain = self._machine(connection, name)
            domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)

    def wait_off(self, name: str, seconds: float) -> bool:
        """Wait for libvirt's word that the machine is off."""
        with self._asking(f"wait for {name} to go off"):
            return self._wait(lambda connection: _is_off(connection, name), seconds)

    def running(self, name: str) -> bool:
        """Say whether libvirt takes the machine for running."""
        with self._asking(f"look at {name}") as connection:
            domain = self._if_there(connection, name)
            if domain is None or not domain.isActive():
                return False
            # The command that moved it here may have been killed before it did this.
            self.settle(name)
            return True

    def pid(self, name: str) -> int | None:
        """Return the pid that libvirt keeps of the machine's QEMU."""
        return processes.recorded(self.daemon.machine_pid_file(name), self.host.path)

    def rtc(self, name: str) -> datetime:
        """Read the RTC through libvirt's monitor; it marks the machine as tainted."""
        question = {
            "execute": "qom-get",
            "arguments": {"path": "/machine", "property": "rtc-time"},
        }
        with self._asking(f"read the RTC of {name}") as connection:
            import libvirt_qemu

            domain = self._machine(connection, name)
            answer = libvirt_qemu.qemuMonitorCommand(domain, json.dumps(question), 0)
        return qmp.reading_of(json.loads(answer).get("return"))

    def suspend(self, name: str) -> None:
        """Stop the virtual CPUs."""
        with self._asking(f"suspend {name}") as connection:
            self._machine(connection, name).suspend()

    def resume(self, name: str) -> None:
        """Let the virtual CPUs run again."""
        with self._asking(f"resume {name}") as connection:
            self._machine(connection, name).resume()

    def save(self, name: str) -> None:
        """Save the machine the managed way, so that the next start restores it."""
        with self._asking(f"save {name}") as connection:
            self._machine(connection, name).managedSave(0)

    def restore(self, name: str) -> None:
        """Start again from the managed save."""
        with self._asking(f"restore {name}") as connection:
            if not self._machine(connection, name).hasManagedSaveImage():
                raise LabError(f"there is no saved state of {name}", "save it first, or start it")
        self.start(name)

    def migrate(self, name: str, target: Hypervisor) -> None:
        """Move the running machine, daemon to daemon, so that it ends well without this process.

        Nova's own flags, and UNSAFE, as two hosts of a lab share each disk as a plain file.
        """
        import libvirt

        if not isinstance(target, LibvirtHost):
            raise LabError(
                f"{name} runs on libvirt and cannot move to the {target.kind} host {target.name}",
                "migrate it off, with its definition, or make the hosts of one kind",
            )
        target.daemon.connection()
        secure = libvirt.VIR_DOMAIN_XML_SECURE
        with self._asking(f"migrate {name} to {target.name}") as connection:
            domain = self._machine(connection, name)
            live = str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE | secure))
            serial = domainxml.read_machine(live).serial
            there = sibling(serial) if serial else None
            if there:
                live = domainxml.with_serial(live, there)
            socket = target.daemon.runtime / f"m{os.getpid()}"
            parameters = {
                libvirt.VIR_MIGRATE_PARAM_URI: f"unix://{socket}",
                libvirt.VIR_MIGRATE_PARAM_DEST_XML: target._dressed(live),
                libvirt.VIR_MIGRATE_PARAM_PERSIST_XML: target._dressed(self.definition(name)),
            }
            flags = (
                libvirt.VIR_MIGRATE_LIVE
                | libvirt.VIR_MIGRATE_PEER2PEER
                | libvirt.VIR_MIGRATE_PERSIST_DEST
                | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
                | libvirt.VIR_MIGRATE_UNSAFE
            )
            domain.migrateToURI3(target.daemon.uri, parameters, flags)
        target.settle(name)

    def settle(self, name: str) -> None:
        """Put a migrated machine's serial socket where its definition says it is."""
        live = self.live_definition(name)
        if live is not None:
            defined = domainxml.read_machine(self.definition(name)).serial
            publish(domainxml.read_machine(live).serial, defined)

    def shutdown(self) -> None:
        """End the host's machines, its daemon, and what watched over them."""
        with self.host.locked():
            self.daemon.close()
            self.host.end_processes()

    def _dressed(self, xml: str) -> str:
        """The definition with the environment its machine needs, and `<clock>` as it is."""
        environment: dict[str, str] = {}
        if self.daemon.time_file is not None:
            environment = faketime.stepped_env(self.daemon.time_file)
            del environment["LD_PRELOAD"]  # It is the daemon's, and libvirt hands that on.
        # Asked at every start, and not before the daemon runs: only then it is known.
        self.daemon.connection()
        if not self.daemon.own_etc:
            clock = domainxml.read_machine(xml).clock
            if not isinstance(clock.base, Zone):  # libvirt itself gives that one its TZ.
                environment["TZ"] = self.zone
        return domainxml.with_environment(xml, _OURS, environment)

    def _machine(self, connection: libvirt.virConnect, name: str) -> libvirt.virDomain:
        """Find a machine, once it stands still: a move goes on when its command is killed."""
        if not _stands_still(connection, name):
            self._wait(lambda another: _stands_still(another, name), _MOVE_SECONDS)
        return connection.lookupByName(name)

    def _wait(self, reached: Callable[[libvirt.virConnect], bool], seconds: float) -> bool:
        connection = self.daemon.fresh_connection()
        try:
            return events.wait_until(connection, reached, seconds)
        finally:
            connection.close()

    def _if_there(self, connection: libvirt.virConnect, name: str) -> libvirt.virDomain | None:
        import libvirt

        try:
            return self._machine(connection, name)
        except libvirt.libvirtError as problem:
            if problem.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise

    @contextmanager
    def _asking(self, what: str) -> Iterator[libvirt.virConnect]:
        """Give a connection, and turn libvirt's errors into the lab's."""
        import libvirt

        try:
            yield self.daemon.connection()
        except libvirt.libvirtError as problem:
            raise LabError(f"libvirt on host {self.name} did not {what}: {problem}") from None


_MOVE_SECONDS = 120.0

# What earlier starts may have put into a definition, and may have to be put otherwise now.
_OURS = frozenset({"TZ", "FAKETIME_TIMESTAMP_FILE", "FAKETIME_NO_CACHE", "DONT_FAKE_MONOTONIC"})


def _is_off(connection: libvirt.virConnect, name: str) -> bool:
    import libvirt

    try:
        return not connection.lookupByName(name).isActive()
    except libvirt.libvirtError as problem:
        if problem.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return True
        raise


def _stands_still(connection: libvirt.virConnect, name: str) -> bool:
    """Say whether a machine is neither leaving nor arriving; one that is absent stands still."""
    import libvirt

    try:
        domain = connection.lookupByName(name)
        arriving = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION]
        if domain.state() == arriving:
            return False
        # An operation is told of even when it is none: the type says whether one goes on.
        job = domain.jobStats()
        leaving = libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT
        return bool(job["type"] == libvirt.VIR_DOMAIN_JOB_NONE or job.get("operation") != leaving)
    except libvirt.libvirtError as problem:
        gone = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID)
        if problem.get_error_code() in gone:
            return True
        raise
