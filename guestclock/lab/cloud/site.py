"""What all parts of one lab share: its files, its books, its locks, its hosts and its clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from guestclock.lab import faketime
from guestclock.lab.cloud import rows
from guestclock.lab.cloud.locks import Locks, Subject
from guestclock.lab.cloud.places import Places, make_private, short_folder
from guestclock.lab.cloud.records import Host
from guestclock.lab.cloud.store import Store
from guestclock.lab.cloud.sweep import keep_record
from guestclock.lab.errors import LabError

if TYPE_CHECKING:
    from datetime import datetime

    from guestclock.lab.console import GuestState
    from guestclock.lab.hypervisor.interface import Hypervisor, Kind

# The numbers of the locks about the lab as a whole.
WHOLE, OPENING, TIME = 0, 1, 2


class Console(Protocol):
    """What the lab asks of a small guest's serial port."""

    def wait_boot(self, timeout: float, *, again: bool = False) -> GuestState:
        """What the guest said as it booted."""

    def state(self) -> GuestState:
        """The guest's clock now."""

    def set_local(self, local: datetime) -> GuestState:
        """Set the clock as the guest's user would."""

    def reset(self) -> None:
        """Have the guest reset its machine."""

    def close(self) -> None:
        """Close the connection."""


class Gear(Protocol):
    """How a site gets at real machines; tests have another."""

    def open_host(
        self, folder: Path, name: str, zone: str, time_file: Path | None, prefer: Kind | None
    ) -> Hypervisor:
        """Open a host's hypervisor."""

    def end_everything(self, lab: Path) -> list[int]:
        """End every process of a lab's hosts; return the pids that would not end."""

    def connect(self, socket: Path) -> Console:
        """Connect to a small guest's serial port."""

    def process(self, pid: int) -> str | None:
        """Name a process for good: its pid and start time; None when it is gone."""


@dataclass(slots=True)
class Site:
    """One lab, opened. `tell` takes a line that its user should know (not data)."""

    places: Places
    store: Store
    locks: Locks
    gear: Gear
    tell: Callable[[str], None]
    _hosts: dict[str, Hypervisor] = field(default_factory=dict)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep the lab from going down or away meanwhile. Raises LabError if it has gone."""

        def wait() -> None:
            self.tell("waiting for another command, which takes the lab down")

        self.check_there()
        with self.locks.shared(Subject.LAB, WHOLE, wait):
            self.check_there()
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other command works on the lab, and keep all others waiting."""

        def wait() -> None:
            self.tell("waiting for other commands to end")

        self.check_there()
        with self.locks.exclusive(Subject.LAB, WHOLE, wait):
            self.check_there()
            yield

    def check_there(self) -> None:
        """Raise LabError if another command has destroyed the lab since it was opened."""
        if not self.places.database.exists():
            raise LabError(f"the lab in {self.places.folder} has just been destroyed")

    def hypervisor(self, host: Host) -> Hypervisor:
        """Return a host's hypervisor, with the zone that the host has now."""
        opened = self._hosts.get(host.name)
        if opened is None:
            time_file = self.places.time if faketime.library() else None
            opened = self.gear.open_host(
                self.places.host(host.name), host.name, host.zone, time_file, self._kind()
            )
            self.keep_kind(opened.kind)
            self._hosts[host.name] = opened
        if opened.zone != host.zone:
            opened.set_zone(host.zone)
        return opened

    def forget_hosts(self) -> None:
        """Forget the opened hypervisors, as processes of theirs are gone."""
        self._hosts.clear()

    def sockets(self) -> Path:
        """Return the short folder of the serial sockets, made when missing.

        It is written down, since XDG_RUNTIME_DIR differs between a login and a timer's job.
        """
        with self.store.reading() as connection:
            known = rows.setting(connection, "sockets")
        if known is not None:
            try:
                make_private(Path(known))
            except OSError:
                known = None
        if known is None:
            known = str(short_folder(self.places.folder))
            with self.store.writing() as connection:
                rows.set_setting(connection, "sockets", known)
        keep_record(Path(known), self.places.folder)
        return Path(known)

    def keep_kind(self, kind: Kind) -> None:
        """Keep the kind of all hosts of the lab, once and for all. Raises LabError for another."""
        with self.store.reading() as connection:
            kept = rows.setting(connection, "hypervisor")
        if kept is None:
            with self.store.writing() as connection:
                rows.set_setting(connection, "hypervisor", kind)
        elif kept != kind:
            raise LabError(
                f"the hosts of this lab run on {kept}, not on {kind}",
                "leave --hypervisor out, or use another lab by --lab",
            )

    def _kind(self) -> Kind | None:
        """The kind that was asked for or has been found to work; None before the first start."""
        with self.store.reading() as connection:
            kept = rows.setting(connection, "hypervisor")
        if kept is None:
            return None
        return "libvirt" if kept == "libvirt" else "qemu"


class RealGear:
    """Real hypervisors, real consoles."""

    def open_host(
        self, folder: Path, name: str, zone: str, time_file: Path | None, prefer: Kind | None
    ) -> Hypervisor:
        """Open a host's hypervisor."""
        from guestclock.lab.hypervisor import open_host

        return open_host(folder, name, zone, time_file, prefer)

    def end_everything(self, lab: Path) -> list[int]:
        """End every process of a lab's hosts."""
        from guestclock.lab.hypervisor import end_everything

        return end_everything(lab)

    def connect(self, socket: Path) -> Console:
        """Connect to a small guest's serial port."""
        from guestclock.lab.console import GuestConsole

        return GuestConsole.connect(socket)

    def process(self, pid: int) -> str | None:
        """Name a process by its pid and its start time in clock ticks since boot (proc(5))."""
        try:
            status = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return None
        # The second field may hold anything, so fields are counted after its last bracket.
        return f"{pid}:{os.fsdecode(status.rpartition(b')')[2].split()[19])}"
