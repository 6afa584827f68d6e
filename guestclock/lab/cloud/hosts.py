"""`lab host`: where servers run; each has a zone of its own."""

from __future__ import annotations

import re

from guestclock.lab.cloud import journal, rows
from guestclock.lab.cloud.actions import DeleteHost
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.problems import BadValue
from guestclock.lab.cloud.records import Host
from guestclock.lab.cloud.site import Site
from guestclock.lab.cloud.zone import host_zone
from guestclock.lab.errors import LabError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Hosts:
    """The hosts of one lab. Each method raises LabError where it cannot do what it says."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def list(self) -> list[Host]:
        """Return all hosts by name."""
        with self._site.store.reading() as connection:
            return rows.hosts(connection)

    def show(self, name: str) -> Host:
        """Return one host."""
        with self._site.store.reading() as connection:
            return rows.host(connection, name)

    def create(self, name: str, zone: str = "UTC") -> Host:
        """Enter a host; its processes start when a server first needs them."""
        if not _NAME.fullmatch(name):
            raise BadValue(f"{name!r} cannot be a host's name", "use letters, digits, . _ and -")
        zone = host_zone(zone)
        with self._site.working(), self._site.store.writing() as connection:
            return rows.add_host(connection, name, zone)

    def set_zone(self, name: str, zone: str) -> Host:
        """Give a host another zone, which machines see from their next cold start."""
        zone = host_zone(zone)
        site = self._site
        with site.working():
            host = self.show(name)
            with site.locks.exclusive(Subject.HOST, host.number):
                with site.store.writing() as connection:
                    rows.set_zone(connection, rows.host(connection, name), zone)
                host = self.show(name)
                if site.places.host(name).exists():
                    site.hypervisor(host)  # Opening a host brings it to the zone it is to have.
        return host

    def delete(self, name: str) -> None:
        """Delete a host that has no servers."""
        site = self._site
        with site.working():
            host = self.show(name)
            with site.locks.exclusive(Subject.HOST, host.number):
                with site.store.writing() as connection:
                    host = rows.host(connection, name)
                    here = [one.name for one in rows.servers(connection) if one.host == host]
                    if here:
                        raise LabError(
                            f"host {name} has servers: {', '.join(here)}", "migrate or delete them"
                        )
                    rows.begin_task(connection, Subject.HOST, host.number, DeleteHost())
                journal.remove_host(site, host)
