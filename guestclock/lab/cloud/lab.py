"""The lab: a one-machine cloud, real down to the guests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from guestclock.databases import zones_at_hand
from guestclock.lab.cloud import journal, rows
from guestclock.lab.cloud.actions import DestroyLab, DownLab
from guestclock.lab.cloud.hosts import Hosts
from guestclock.lab.cloud.images import Images
from guestclock.lab.cloud.locks import Locks, Subject
from guestclock.lab.cloud.machine import Machine
from guestclock.lab.cloud.places import Places, write_whole
from guestclock.lab.cloud.problems import NoLab
from guestclock.lab.cloud.records import Server
from guestclock.lab.cloud.servers import Servers
from guestclock.lab.cloud.site import OPENING, WHOLE, Gear, RealGear, Site
from guestclock.lab.cloud.store import Store
from guestclock.lab.cloud.sweep import sweep
from guestclock.lab.cloud.trace import ClockReading, Trace, rtc_arguments_of
from guestclock.lab.cloud.travel import TimeTravel
from guestclock.lab.guests.disk import GuestSetup
from guestclock.zones import local_at

if TYPE_CHECKING:
    from guestclock.lab.hypervisor.interface import Kind


class Lab:
    """One lab in a folder; also a context manager.

    It is made if need be; with `must_exist` NoLab is raised instead, and nothing is written.
    Opening it carries through what killed commands have left. `tell` takes lines that its user
    should see. Raises LabError for whatever cannot be done, BadValue for what makes no sense.
    """

    def __init__(
        self,
        folder: Path,
        hypervisor: Kind | None = None,
        *,
        must_exist: bool = False,
        tell: Callable[[str], None] | None = None,
        gear: Gear | None = None,
    ) -> None:
        places = Places(folder.resolve())
        open_site = _open_existing if must_exist else _open
        self._site = open_site(places, hypervisor, tell or _unsaid, gear or RealGear())
        self.time = TimeTravel(self._site)
        self.images = Images(self._site, self.time)
        self.servers = Servers(self._site)
        self.hosts = Hosts(self._site)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Where the lab is."""
        return self._site.places.folder

    def close(self) -> None:
        """Close the lab's books; its machines run on."""
        self._site.store.close()

    def clock(self, name: str) -> ClockReading:
        """Read a server's clock from its running machine, now."""
        server = self.servers.show(name).server
        with self._site.working():
            return self._clock(Machine(self._site, server), server)

    def trace(self, name: str) -> Trace:
        """Return everything there is to know about one server's clock."""
        view = self.servers.show(name)
        server, image = view.server, view.image
        with self._site.working():
            machine = Machine(self._site, server)
            defined = machine.name in machine.hypervisor.names()
            pid = machine.hypervisor.pid(machine.name) if defined else None
            return Trace(
                name=server.name,
                uuid=server.uuid,
                status=view.status,
                image=image.name if image else None,
                image_os_type=image.properties.get("os_type") if image else None,
                os_type=server.os_type,
                host=server.host.name,
                host_zone=server.host.zone,
                hypervisor=machine.hypervisor.kind,
                definition=machine.hypervisor.definition(machine.name) if defined else None,
                live=machine.hypervisor.live_definition(machine.name) if defined else None,
                pid=pid,
                rtc_arguments=rtc_arguments_of(pid) if pid is not None else None,
                setup=machine.setup(),
                guest_zone=server.zone,
                clock=self._clock(machine, server),
            )

    def down(self) -> None:
        """End all processes of the lab; servers are stopped, and all state stays."""
        with self._site.alone():
            with self._site.store.writing() as connection:
                rows.begin_task(connection, Subject.LAB, WHOLE, DownLab())
            journal.take_down(self._site)

    def destroy(self) -> None:
        """End all processes and remove the lab; it is closed then."""
        with self._site.alone():
            with self._site.store.writing() as connection:
                rows.begin_task(connection, Subject.LAB, WHOLE, DestroyLab())
            journal.remove(self._site)

    def _clock(self, machine: Machine, server: Server) -> ClockReading:
        setup = machine.setup()
        rtc = machine.hypervisor.rtc(machine.name) if machine.running else None
        guest = None
        before = self.time.now()
        if setup is not None and server.vm_state == "active":
            with machine.console() as console:
                before = self.time.now()
                guest = console.state()
        after = self.time.now()
        # An RTC has whole seconds, cut off.
        true_utc = (before + (after - before) / 2).replace(microsecond=0)
        error = None
        if guest is not None:
            error = int((guest.utc - true_utc.replace(tzinfo=None)).total_seconds())
        return ClockReading(
            rtc=rtc,
            guest=guest,
            true_utc=true_utc,
            true_local=_true_local(true_utc, server, setup),
            error=error,
            silence=_silence(server, setup) if guest is None else None,
        )


def _true_local(instant: datetime, server: Server, setup: GuestSetup | None) -> datetime | None:
    zone: ZoneInfo | None = None
    if server.zone is not None:
        zone = zones_at_hand().truth.get(server.zone)
    if zone is not None:
        return local_at(zone, instant)
    if setup is None:
        return None
    return instant.replace(tzinfo=None) - timedelta(minutes=setup.bias_minutes)


def _unsaid(line: str) -> None:
    """For a program that does not care."""


def _silence(server: Server, setup: GuestSetup | None) -> str:
    if server.vm_state != "active":
        state = "in error" if server.vm_state == "error" else server.vm_state
        what = "its guest does" if server.vm_state == "paused" else "its RTC and its guest do"
        return f"server {server.name} is {state}: {what} not run"
    assert setup is None, "a small guest that runs is asked"
    return f"server {server.name} has no small guest that could be asked"


def _open(places: Places, prefer: Kind | None, tell: Callable[[str], None], gear: Gear) -> Site:
    sweep()
    while True:
        places.make()
        site = _opened(places, tell, gear)
        # A lab that was half destroyed is all gone once that is finished: the next is a new one.
        if not journal.finish_lab(site):
            return _finished(site, prefer)


def _open_existing(
    places: Places, prefer: Kind | None, tell: Callable[[str], None], gear: Gear
) -> Site:
    if not places.database.exists():
        raise NoLab(places.folder)
    site = _opened(places, tell, gear)
    if journal.finish_lab(site):
        raise NoLab(places.folder, finished=True)
    return _finished(site, prefer)


def _opened(places: Places, tell: Callable[[str], None], gear: Gear) -> Site:
    locks = Locks(places.lock)
    with locks.exclusive(Subject.LAB, OPENING):
        if not places.time.exists():
            write_whole(places.time, b"+0\n")
        return Site(places, Store(places.database), locks, gear, tell)


def _finished(site: Site, prefer: Kind | None) -> Site:
    """Finish what killed commands have left."""
    with site.working():
        if prefer is not None:
            site.keep_kind(prefer)
        journal.finish_all(site)
    return site
