"""One machine of a host on plain QEMU: its files, its process, its monitor."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guestclock.clock import Variable
from guestclock.lab import faketime
from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor import domainxml, processes
from guestclock.lab.hypervisor.folder import HostFolder, write_whole
from guestclock.lab.hypervisor.launch import launch
from guestclock.lab.hypervisor.qemu_command import command
from guestclock.lab.qmp import Qmp, QmpError, rtc_time

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,62}")
_END_SECONDS = 5.0
_MOVE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class QemuMachine:
    """The machine `name` on a host whose sockets are in `runtime`."""

    host: HostFolder
    runtime: Path
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise LabError(
                f"{self.name!r} cannot be a machine's name", "use letters, digits and - _ . +"
            )

    @property
    def defined(self) -> Path:
        """The definition."""
        return self.host.path / "machines" / f"{self.name}.xml"

    @property
    def saved(self) -> Path:
        """The saved state; whole when it is there."""
        return self.host.path / "saved" / f"{self.name}.state"

    @property
    def saved_definition(self) -> Path:
        """The live definition from when the state was saved."""
        return self.host.path / "saved" / f"{self.name}.xml"

    @property
    def live(self) -> Path:
        """The definition of the running process."""
        return self.runtime / f"{self.name}.xml"

    @property
    def arriving(self) -> Path:
        """A mark: this machine is on its way here, and its definition holds once it has come."""
        return self.runtime / f"{self.name}.arriving"

    @property
    def partly(self) -> Path:
        """A state on its way to `saved`."""
        return self.saved.with_suffix(".partly")

    @property
    def state_socket(self) -> Path:
        """Where a state comes in or goes out."""
        return self.runtime / f"{self.name}.state"

    @property
    def leaving(self) -> Path:
        """A mark: this machine is on its way to another host."""
        return self.runtime / f"{self.name}.leaving"

    def pid(self) -> int | None:
        """QEMU's pid while it runs."""
        file = self.runtime / f"{self.name}.pid"
        pid = processes.recorded(file, self.host.path)
        # The number may be another machine's by now; QEMU was told the file to write it to.
        return pid if pid and str(file) in processes.arguments_of(pid) else None

    def definition(self) -> str:
        """The definition. Raises LabError where there is none."""
        try:
            return self.defined.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LabError(f"host {self.host.name} has no machine {self.name}") from None

    def monitor(self) -> Qmp:
        """A connection to its monitor, which serves one at a time. Raises LabError when off."""
        if self.pid() is None:
            raise LabError(f"{self.name} is not running")
        socket_path = self.runtime / f"{self.name}.qmp"
        try:
            return Qmp.connect(socket_path)
        except QmpError:
            # The answer to a command that was killed comes to whoever is connected next.
            return Qmp.connect(socket_path)

    def status(self) -> str:
        """QEMU's own word for its state, such as running or paused; "off" without a process."""
        if self.pid() is None:
            return "off"
        with self.monitor() as monitor:
            return str(monitor.execute("query-status")["status"])

    def live_definition(self) -> str | None:
        """The running machine's definition; a `variable` clock says what the RTC is now."""
        if self.pid() is None:
            return None
        xml = self.live.read_text(encoding="utf-8")
        machine = domainxml.read_machine(xml)
        if not isinstance(machine.clock.base, Variable):
            return xml
        with self.monitor() as monitor:
            reading = rtc_time(monitor).replace(tzinfo=UTC)
        now = host_now(dict(machine.environment).get(_TIME_FILE))
        offset = round((reading - now).total_seconds())
        # A reading is up to a second late; libvirt, too, changes the figure only for a write.
        if abs(offset - machine.clock.base.adjustment) < _WRITTEN:
            return xml
        return domainxml.with_clock(
            xml, replace(machine.clock, base=replace(machine.clock.base, adjustment=offset))
        )

    def launch(
        self, xml: str, zone: str, time_file: Path | None, lock: int, *, arriving: bool = False
    ) -> None:
        """Start a process of this definition, under the host's lock.

        With `arriving` it waits for a state, from a file or another host. Raises LabError.
        """
        environment = {} if time_file is None else faketime.stepped_env(time_file)
        xml = domainxml.with_environment(xml, frozenset(environment), environment)
        machine = domainxml.read_machine(xml)
        now = host_now(environment.get(_TIME_FILE))
        monitor, pid = self.runtime / f"{self.name}.qmp", self.runtime / f"{self.name}.pid"
        begun = command(machine, zone, now, monitor, pid)
        arguments = (*begun.arguments, "-incoming", "defer") if arriving else begun.arguments
        clock = replace(machine.clock, base=begun.base)
        write_whole(self.live, domainxml.with_clock(xml, clock))
        launch(
            self.host,
            arguments,
            {"LANG": "C.UTF-8", **dict(begun.environment)},
            zone=zone,
            record=self.runtime / f"{self.name}.json",
            setup="",
            lock=lock,
            root_needs_namespace=False,
        )

    def arrive(self, socket: Path) -> None:
        """Get ready to take the state from a unix socket."""
        with self.monitor() as monitor:
            _want_migration_events(monitor)
            monitor.execute("migrate-incoming", uri=f"unix:{socket}")

    def wait_arrived(self) -> None:
        """Wait until the state has come and the machine goes on as it was."""
        with self.monitor() as monitor:
            _wait_migration(monitor)

    def send(self, socket: Path) -> None:
        """Send the state to a unix socket until it is gone; the machine then stands still."""
        with self.monitor() as monitor:
            _want_migration_events(monitor)
            monitor.execute("migrate", uri=f"unix:{socket}")
            _wait_migration(monitor)

    def save(self) -> None:
        """Write the state to a file of its own, whole or not at all; the machine stands still.

        Over a socket, as QEMU writes to a file itself only from 8.2 on. If this process is
        killed meanwhile, QEMU notices and the machine goes on.
        """
        self.state_socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener, self.monitor() as monitor:
            listener.settimeout(_MOVE_SECONDS)
            listener.bind(str(self.state_socket))
            listener.listen(1)
            _want_migration_events(monitor)
            monitor.execute("migrate", uri=f"unix:{self.state_socket}")
            connection, _ = listener.accept()
            with connection, self.partly.open("wb") as file:
                connection.settimeout(_MOVE_SECONDS)
                with connection.makefile("rb") as stream:
                    shutil.copyfileobj(stream, file)
                file.flush()
                os.fsync(file.fileno())
            _wait_migration(monitor)
        self.partly.replace(self.saved)

    def load(self) -> None:
        """Take up the saved state, as a process that was started to wait for it."""
        self.state_socket.unlink(missing_ok=True)
        self.arrive(self.state_socket)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_MOVE_SECONDS)
            connection.connect(str(self.state_socket))
            with self.saved.open("rb") as file:
                connection.sendfile(file)
        self.wait_arrived()

    def end(self, first: int = signal.SIGTERM) -> None:
        """Pull the plug by a signal, and remove what a process leaves."""
        pid = self.pid()
        if pid is not None:
            processes.end([pid], self.host.path, _END_SECONDS, first)
        for suffix in ("pid", "qmp", "xml", "json", "state", "arriving", "leaving"):
            (self.runtime / f"{self.name}.{suffix}").unlink(missing_ok=True)


_TIME_FILE = "FAKETIME_TIMESTAMP_FILE"
_WRITTEN = 2


def host_now(time_file: str | None) -> datetime:
    """The time of the host's clock, as a process sees it that follows `time_file`."""
    now = datetime.now(UTC)
    if time_file is None:
        return now
    try:
        return now + timedelta(seconds=float(Path(time_file).read_text().split()[0]))
    except FileNotFoundError:
        return now
    except (ValueError, IndexError):
        raise LabError(f"{time_file} does not hold '+SECONDS'") from None


def _want_migration_events(monitor: Qmp) -> None:
    wanted: list[Mapping[str, object]] = [{"capability": "events", "state": True}]
    monitor.execute("migrate-set-capabilities", capabilities=wanted)


def _wait_migration(monitor: Qmp) -> None:
    # Asked first: an event before this connection is told to nobody.
    status = monitor.execute("query-migrate").get("status")
    while status not in ("completed", "failed", "cancelled"):
        status = monitor.wait_event("MIGRATION", _MOVE_SECONDS)["data"]["status"]
    if status != "completed":
        detail = monitor.execute("query-migrate")
        raise LabError(f"QEMU could not move the machine's state: {json.dumps(detail)}")
