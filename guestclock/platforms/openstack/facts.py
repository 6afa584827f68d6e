"""A server as a machine: what Nova will define at its next hard reboot, and what runs now.

Servers of a cloud are much alike: equal ones get the same Facts, and are judged once.
"""

from __future__ import annotations

from dataclasses import replace

from guestclock.clock import Clock
from guestclock.evidence import Assumed, Fact, Inferred, Unknown, value_of
from guestclock.inventory import Row
from guestclock.law import Host
from guestclock.machine import Facts, Hardware, Identity, Machine
from guestclock.platforms.openstack.column import resolved
from guestclock.platforms.openstack.domains import Domain, Domains
from guestclock.platforms.openstack.kinds import kind_of_image
from guestclock.platforms.openstack.records import Cloud, OsType, Server
from guestclock.platforms.openstack.rule import nova_clock
from guestclock.platforms.surroundings import Surroundings, guest_in

PLATFORM = "openstack"
_NOT_STORED = Unknown("the definition on its host was not read", "read it with -c URI or --xml DIR")
_GONE = Unknown("no host that was asked has its domain", "give its host with -c URI")
_WITHOUT_DOMAIN = {False: _NOT_STORED, True: _GONE}


class FactsMaker:
    """Makes the machine of each server; `domains` are those of the hosts that were asked."""

    def __init__(self, cloud: Cloud, domains: Domains, surroundings: Surroundings) -> None:
        self._cloud = cloud
        self._domains = domains
        self._surroundings = surroundings
        # Keyed by what counts: the domain by its identity, as equal domains share their facts.
        self._made: dict[tuple[object, ...], tuple[Facts, Facts | None]] = {}

    def machine(self, server: Server) -> tuple[Machine, Server]:
        """The machine, and the server with its os_type as the sources together know it."""
        domain = self._domains.by_id.get(server.id)
        column = resolved(server, self._cloud, domain.facts if domain else None)
        if column is not server.column:
            server = replace(server, column=column)
        identity = Identity(server.id, server.name, PLATFORM, server.source, "server")
        return Machine(identity, self._facts(server, column, domain)), server

    def _facts(self, server: Server, column: OsType, domain: Domain | None) -> Facts:
        inventory = self._surroundings.inventory
        row = inventory.guest_for(server.name, server.id) if inventory else None
        kind = self._kind(server, column, row)
        given = domain.facts if domain else None
        host = self._surroundings.host_of(server.host)
        virt = self._virt(server)
        key = (column, id(kind), id(given), row, id(host), virt)
        made = self._made.get(key)
        if made is not None and made[1] is given:
            return made[0]
        if len(self._made) > _REMEMBERED:
            self._made.clear()
        facts = self._new_facts(column, kind, row, given, host, virt)
        self._made[key] = (facts, given)
        return facts

    def _new_facts(
        self,
        column: OsType,
        kind: Fact[str],
        row: Row | None,
        domain: Facts | None,
        host: Host,
        virt: str,
    ) -> Facts:
        if domain is None:
            return Facts(
                definition=next_definition(column, Hardware(virt)),
                stored=_WITHOUT_DOMAIN[self._domains.asked],
                hardware=Hardware(virt),
                guest=guest_in(kind, row),
                host=host,
            )
        if not isinstance(domain.host.zone, Unknown | Assumed):
            host = domain.host
        return replace(
            domain,
            definition=next_definition(column, domain.hardware),
            stored=domain.definition,
            guest=guest_in(kind, row),
            host=host,
        )

    def _virt(self, server: Server) -> str:
        host = self._cloud.hosts.get(server.host)
        return host.virt if host else ""

    def _kind(self, server: Server, column: OsType, row: Row | None) -> Fact[str]:
        """The system inside: the user's word first, then the image, the server's copies of it."""
        if row is not None and row.guest is not None:
            return _assumed(row.guest, row.where)
        image = self._cloud.images.get(server.image)
        volume = self._cloud.volumes.get(server.volume)
        found: Fact[str] = _NAMELESS
        if image is not None:
            found = kind_of_image(image.name, image.properties)
        elif volume is not None:
            found = kind_of_image(volume.name, volume.properties)
        if value_of(found) == "windows":
            return found
        copied = _copied(server, column)
        if copied:
            # The image may have been given another os_type since: the copy is older.
            mine = kind_of_image("", copied)
            if isinstance(found, Unknown) or value_of(mine) == "windows":
                found = found if isinstance(mine, Unknown) else mine
        return found


_REMEMBERED = 8192
_NAMELESS = Unknown("nothing says which system is in it", "name it with --guests")
_ASSUMED: dict[tuple[str, str], Assumed[str]] = {}


def _assumed(guest: str, where: str) -> Assumed[str]:
    kept = _ASSUMED.get((guest, where))
    if kept is None:
        kept = _ASSUMED[guest, where] = Assumed(guest, f"inventory {where}")
    return kept


def _copied(server: Server, column: OsType) -> dict[str, str]:
    copied = dict(server.copied)
    for fact in (column, server.metadata):
        value = value_of(fact)
        if value:
            copied["os_type"] = value
    return copied


def next_definition(column: OsType, hardware: Hardware) -> Fact[Clock]:
    """The clock that Nova will write at the next hard reboot, of the server's os_type."""
    if isinstance(column, Unknown):
        return column
    clock = nova_clock(column.value, hardware.virt or "kvm", hardware.arch or "x86_64")
    said = "no os_type" if column.value is None else f"os_type={column.value[:60]}"
    return Inferred(clock, f"Nova's rule for {said} ({column.where})")
