"""`lab server`: what Nova's API offers, and what a server's user does inside.

An operation checks, writes what it is about to do into the journal, and carries it out; commands
about the same server wait for each other.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from guestclock.lab.cloud import journal, rows
from guestclock.lab.cloud.actions import (
    ColdMigrate,
    CreateServer,
    DeleteServer,
    HardReboot,
    LiveMigrate,
    PauseServer,
    RebuildServer,
    ServerAction,
    SnapshotServer,
    SoftReboot,
    StartServer,
    StopServer,
    UnpauseServer,
)
from guestclock.lab.cloud.images import check_name
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.machine import Machine
from guestclock.lab.cloud.places import write_whole
from guestclock.lab.cloud.problems import BadValue
from guestclock.lab.cloud.records import Host, Image, Server, VmState
from guestclock.lab.cloud.site import Site
from guestclock.lab.cloud.travel import check_year
from guestclock.lab.console import GuestState
from guestclock.lab.errors import LabError
from guestclock.lab.guests.disk import disk_image
from guestclock.platforms.openstack.rule import BadOsType, check_os_type


@dataclass(frozen=True, slots=True)
class ServerView:
    """A server as it is shown: its row, what is under way, and its image's name if it is there."""

    server: Server
    task_state: str | None
    image: Image | None

    @property
    def status(self) -> str:
        """The status by Nova's words."""
        under_way = _STATUS_UNDER_WAY.get(self.task_state or "")
        return under_way or _STATUS[self.server.vm_state]


_STATUS: dict[VmState, str] = {
    "building": "BUILD",
    "active": "ACTIVE",
    "paused": "PAUSED",
    "stopped": "SHUTOFF",
    "error": "ERROR",
}
_STATUS_UNDER_WAY = {
    SoftReboot.task_state: "REBOOT",
    HardReboot.task_state: "HARD_REBOOT",
    RebuildServer.task_state: "REBUILD",
    LiveMigrate.task_state: "MIGRATING",
    ColdMigrate.task_state: "RESIZE",
}

# In which states Nova's API lets what be done (nova/compute/api.py, check_instance_state).
_ANY: tuple[VmState, ...] = ("building", "active", "paused", "stopped", "error")


class Servers:
    """The servers of one lab. Each method raises LabError where it cannot do what it says."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def list(self) -> list[ServerView]:
        """Return all servers by name."""
        with self._site.store.reading() as connection:
            names = [server.uuid for server in rows.servers(connection)]
        views = []
        for uuid in names:
            with suppress(LabError):  # One may be deleted meanwhile.
                views.append(self.show(uuid))
        return views

    def show(self, name: str) -> ServerView:
        """Return one server, by name or id; one whose machine went off by itself is stopped."""
        with self._site.store.reading() as connection:
            server = rows.server(connection, name)
        if server.vm_state in ("active", "paused"):
            with (
                self._site.working(),
                self._site.locks.try_exclusive(Subject.SERVER, server.number) as free,
            ):
                if free:
                    self._sync_power_state(server.uuid)
        with self._site.store.reading() as connection:
            server = rows.server(connection, server.uuid)
            task = rows.task(connection, Subject.SERVER, server.number)
            image = rows.find_image(connection, server.image_uuid)
        return ServerView(server, task.action.task_state if task else None, image)

    def create(self, name: str, image: str, host: str | None = None) -> Server:
        """Create a server of an image and start it, by default on the oldest host."""
        check_name(name, "a server")
        site = self._site
        with site.working(), ExitStack() as held:
            with site.store.writing() as connection:
                found = _usable(rows.image(connection, image))
                hosts = rows.hosts(connection)
                if not hosts:
                    raise LabError("the lab has no host", "`guestclock lab host create` makes one")
                where = rows.host(connection, host) if host else min(hosts, key=_age)
                server = rows.add_server(connection, name, where, found)
                action = CreateServer(found.uuid)
                rows.begin_task(connection, Subject.SERVER, server.number, action)
                # Nobody else knows the number before the commit, so the lock is free.
                held.enter_context(site.locks.exclusive(Subject.SERVER, server.number))
            journal.run(site, server, action)
        return self.show(server.uuid).server

    def reboot(self, name: str, *, hard: bool = False) -> Server:
        """Reboot as Nova does: both ways start a new process, the hard one a new definition."""
        if hard:
            allowed: tuple[VmState, ...] = ("active", "stopped", "paused", "error")
            return self._operate(name, "reboot", allowed, lambda s: HardReboot(self._process(s)))
        return self._operate(name, "reboot", ("active",), lambda s: SoftReboot(self._process(s)))

    def stop(self, name: str) -> Server:
        """Shut the server down."""
        return self._operate(name, "stop", ("active", "error"), lambda _: StopServer())

    def start(self, name: str) -> Server:
        """Start a server that is stopped, by a definition written anew."""
        return self._operate(name, "start", ("stopped",), lambda _: StartServer())

    def pause(self, name: str) -> Server:
        """Stop the server's virtual CPUs."""
        return self._operate(name, "pause", ("active",), lambda _: PauseServer())

    def unpause(self, name: str) -> Server:
        """Let the server's virtual CPUs run on."""
        return self._operate(name, "unpause", ("paused",), lambda _: UnpauseServer())

    def rebuild(self, name: str, image: str | None = None) -> Server:
        """Replace the disk by an image's, by default its own, whose os_type the server takes."""
        site = self._site
        with self._held(name, "rebuild", ("active", "stopped", "error")) as server:
            before = self._process(server)
            with site.store.writing() as connection:
                found = _usable(rows.image(connection, image or server.image_uuid))
                rows.take_image(connection, server, found)
                start = server.vm_state != "stopped"
                action = RebuildServer(found.uuid, start, before)
                rows.begin_task(connection, Subject.SERVER, server.number, action)
                server = rows.server(connection, server.uuid)
            journal.run(site, server, action)
        return self.show(server.uuid).server

    def snapshot(self, name: str, image_name: str) -> Image:
        """Make an image of a server, with the properties Nova gives it.

        They are those the server's image had when the server was made of it; os_type is the
        server's own if it has one (nova/virt/libvirt/driver.py, `_create_snapshot_metadata`).
        """
        check_name(image_name, "an image")
        site = self._site
        with self._held(name, "createImage", ("active", "stopped", "paused")) as server:
            properties = {
                **server.image_properties,
                "image_type": "snapshot",
                "base_image_ref": server.image_uuid,
                "instance_uuid": server.uuid,
            }
            if server.os_type:
                properties["os_type"] = server.os_type
            with site.store.writing() as connection:
                image = rows.add_image(connection, image_name, server.zone, properties)
                action = SnapshotServer(image.uuid)
                rows.begin_task(connection, Subject.SERVER, server.number, action)
            journal.run(site, server, action)
        return replace(image, status="active")

    def migrate(self, name: str, host: str | None = None, *, live: bool = False) -> Server:
        """Move a server to another host, by default the next younger one.

        Live, the definition and the RTC go along as they are. Cold, the server is shut down and
        the definition is written anew over there.
        """
        allowed: tuple[VmState, ...] = ("active", "paused") if live else ("active", "stopped")

        def action(server: Server) -> ServerAction:
            with self._site.store.reading() as connection:
                hosts = rows.hosts(connection)
                target = rows.host(connection, host) if host else _next_host(hosts, server.host)
            if target.name == server.host.name:
                raise LabError(f"{server.name} is on host {target.name} already")
            if live:
                return LiveMigrate(server.host.name, target.name)
            return ColdMigrate(server.host.name, target.name, server.vm_state == "active")

        return self._operate(name, "os-migrateLive" if live else "migrate", allowed, action)

    def delete(self, name: str) -> None:
        """Delete a server and its disk."""
        with self._held(name, "delete", _ANY) as server:
            self._begin(server, action := DeleteServer())
            journal.run(self._site, server, action)

    def set_time(self, name: str, local: datetime) -> GuestState:
        """Set the guest's clock as its user would, to a naive local time; return its state."""
        check_year(local.year, "a guest's time")
        with (
            self._held(name, "set the time of", ("active",)) as server,
            Machine(self._site, server).console() as console,
        ):
            return console.set_local(local)

    def guest_reboot(self, name: str) -> None:
        """Reboot the guest from inside: a reset, in the same process."""
        with self._held(name, "reboot the guest of", ("active",)) as server:
            Machine(self._site, server).reset_from_inside()

    def set_universal(self, name: str, universal: bool) -> None:
        """Set or clear RealTimeIsUniversal on the disk of a stopped small Windows guest."""
        with self._held(name, "change the registry of", ("stopped",)) as server:
            machine = Machine(self._site, server)
            setup = machine.setup()
            if setup is None or setup.kind != "windows":
                raise LabError(f"{server.name} is no small windows guest: it has no registry")
            write_whole(machine.disk, disk_image(replace(setup, universal=universal)))

    def _operate(
        self,
        name: str,
        verb: str,
        allowed: tuple[VmState, ...],
        action_for: Callable[[Server], ServerAction],
    ) -> Server:
        with self._held(name, verb, allowed) as server:
            self._begin(server, action := action_for(server))
            journal.run(self._site, server, action)
        return self.show(server.uuid).server

    def _begin(self, server: Server, action: ServerAction) -> None:
        with self._site.store.writing() as connection:
            rows.begin_task(connection, Subject.SERVER, server.number, action)

    @contextmanager
    def _held(self, name: str, verb: str, allowed: tuple[VmState, ...]) -> Iterator[Server]:
        """Hold a server for one operation, if its state allows that."""
        site = self._site
        with site.working():
            with site.store.reading() as connection:
                server = rows.server(connection, name)

            def wait() -> None:
                site.tell(f"waiting for another command about server {server.name}")

            with site.locks.exclusive(Subject.SERVER, server.number, wait):
                server = self._sync_power_state(server.uuid)
                if server.vm_state not in allowed:
                    raise LabError(
                        f"cannot {verb} server {server.name} while it is in vm_state"
                        f" {server.vm_state}",
                        f"it must be {' or '.join(allowed)}",
                    )
                yield server

    def _sync_power_state(self, uuid: str) -> Server:
        """Return the server as it is now; one that went off by itself is stopped, as in Nova."""
        site = self._site
        with site.store.reading() as connection:
            server = rows.server(connection, uuid)
            left = rows.task(connection, Subject.SERVER, server.number)
        if left is not None:
            # Whoever did this was killed after we had looked for such.
            journal.finish(site, Subject.SERVER, server.number)
        elif server.vm_state in ("active", "paused") and not Machine(site, server).running:
            site.tell(f"server {server.name} has gone off by itself")
            with site.store.writing() as connection:
                rows.set_vm_state(connection, server, "stopped")
        with site.store.reading() as connection:
            return rows.server(connection, uuid)

    def _process(self, server: Server) -> str | None:
        return Machine(self._site, server).process()


def _usable(image: Image) -> Image:
    if image.status != "active":
        raise LabError(f"image {image.name} is still being saved", "wait until it is active")
    try:
        check_os_type(image.properties.get("os_type"))
    except BadOsType as error:
        hint = f"`guestclock lab image set --property os_type=windows {shlex.quote(image.name)}`"
        raise BadValue(str(error), hint) from error
    return image


def _next_host(hosts: list[Host], here: Host) -> Host:
    later = [host for host in hosts if host.number > here.number]
    return min(later or hosts, key=_age)


def _age(host: Host) -> int:
    return host.number
