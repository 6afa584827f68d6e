"""A server's machine on its host: started, read, and talked to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lxml import etree

from guestclock.lab.cloud.definition import definition
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.records import Host, Server
from guestclock.lab.cloud.site import Console, Site
from guestclock.lab.errors import LabError
from guestclock.lab.guests.disk import GuestSetup, read_setup

BOOT_SECONDS = 30.0
"""How long a small guest may take to boot; it takes 0.2 s where nothing else runs."""

WAIT_SOFT_REBOOT_SECONDS = 3.0
"""How long a guest may take to heed the power button; Nova's default is 120."""


class Machine:
    """What runs, or is to run, for one server on one host."""

    def __init__(self, site: Site, server: Server, host: Host | None = None) -> None:
        self._site = site
        self._server = server
        self.hypervisor = site.hypervisor(host or server.host)
        self.name = server.domain
        self.disk = site.places.disk(server.uuid)

    @property
    def running(self) -> bool:
        """Whether it has a process, paused or not."""
        return self.hypervisor.running(self.name)

    def process(self) -> str | None:
        """Its process, by pid and start time; None when it is off."""
        pid = self.hypervisor.pid(self.name) if self.running else None
        return None if pid is None else self._site.gear.process(pid)

    def define(self) -> None:
        """Write its definition anew, by Nova's rule."""
        socket = self._site.sockets() / f"{self.name}.sock"
        self.hypervisor.define(definition(self._server, self.disk, socket))

    def start(self) -> None:
        """Start a new process of the definition there is, and wait until a small guest is up."""
        try:
            self.hypervisor.start(self.name)
        except LabError:
            if not self.running:
                raise
            # A daemon was still busy with the start that a killed command had asked for, perhaps
            # of an older definition or disk.
            self.hypervisor.destroy(self.name)
            self.hypervisor.start(self.name)
        self.await_boot()

    def restart(self) -> None:
        """Pull the plug, write the definition anew, start."""
        self.hypervisor.destroy(self.name)
        self.define()
        self.start()

    def press_power_button(self) -> bool:
        """Ask the guest to shut down; True when it is off before Nova would give up."""
        try:
            self.hypervisor.press_power_button(self.name)
        except LabError:
            # It may be on its way off already, as a killed command has asked it to be.
            if not self.hypervisor.wait_off(self.name, WAIT_SOFT_REBOOT_SECONDS):
                raise
            return True
        return self.hypervisor.wait_off(self.name, WAIT_SOFT_REBOOT_SECONDS)

    def remove(self) -> None:
        """End its process and forget its definition."""
        self.hypervisor.destroy(self.name)
        self.hypervisor.undefine(self.name)

    def setup(self) -> GuestSetup | None:
        """What is saved on its disk; None where that is not a small guest's."""
        try:
            return read_setup(self.disk)
        except (LabError, FileNotFoundError):
            return None

    def await_boot(self) -> None:
        """Wait until a small guest has booted; any other guest is not waited for."""
        if self.setup() is not None:
            with self.console() as console:
                _await_boot(console)

    def reset_from_inside(self) -> None:
        """Have the guest reboot by itself, which is a reset of the machine."""
        with self.console() as console:
            console.reset()
            _await_boot(console, again=True)

    @contextmanager
    def console(self) -> Iterator[Console]:
        """Talk to the small guest; QEMU serves one connection at a time, so others wait."""
        if self.setup() is None:
            raise LabError(
                f"{self._server.name} has no small guest that could be talked to",
                "make an image with `guestclock lab image create --guest`",
            )
        with self._site.locks.exclusive(Subject.CONSOLE, self._server.number):
            console = self._site.gear.connect(self._socket())
            try:
                yield console
            finally:
                console.close()

    def _socket(self) -> Path:
        """Where the serial port is: by the definition, or by what runs, just after a migration."""
        paths = [_serial(self.hypervisor.definition(self.name))]
        if (live := self.hypervisor.live_definition(self.name)) is not None:
            paths.append(_serial(live))
        found = [path for path in paths if path is not None]
        for path in found:
            if path.is_socket():
                return path
        if not found:
            raise LabError(f"the definition of {self._server.name} has no serial port")
        return found[0]


def _await_boot(console: Console, *, again: bool = False) -> None:
    console.wait_boot(BOOT_SECONDS, again=again)
    # A guest may say that it has booted before it hears our question. Nothing of ours may be
    # under way to it when the connection is closed, or the next one would get the answer.
    console.state()


def _serial(xml: str) -> Path | None:
    source = etree.fromstring(xml).find("devices/serial[@type='unix']/source[@path]")
    return None if source is None else Path(str(source.get("path")))
