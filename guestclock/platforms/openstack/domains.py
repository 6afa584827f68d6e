"""What the compute hosts know of a cloud's servers: their domains, found by the server's id.

Nova gives a domain the server's UUID. Only what counts for the clock is kept of each, and equal
domains share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from guestclock.machine import Facts, Machine
from guestclock.platforms.interface import Note, Read, Unread
from guestclock.platforms.surroundings import Surroundings

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain's facts, and where they were read: a connection or a file."""

    facts: Facts
    source: str


@dataclass
class Domains:
    """Domains by UUID; `asked` is whether any host or folder was given at all."""

    asked: bool = False
    by_id: dict[str, Domain] = field(default_factory=dict)
    told: list[Unread | Note] = field(default_factory=list)

    def add(self, machine: Machine) -> None:
        """Keeps a domain; of two with one UUID the running one counts.

        A machine that was migrated away may leave its definition behind.
        """
        identity = machine.identity
        mine = Domain(machine.facts, identity.source)
        other = self.by_id.get(identity.id)
        if other is not None and other.source == mine.source:
            return
        if other is not None:
            text = f"two hosts have a domain {identity.id}: the one that runs is judged"
            self.told.append(Note(f"{other.source} and {mine.source}", text))
            if mine.facts.process is None:
                return
        self.by_id[identity.id] = mine


def read_domains(
    connections: Iterable[str], folders: Iterable[str], surroundings: Surroundings, live: bool
) -> Domains:
    """All domains of connections, several at a time, and of folders of dumped XML."""
    uris, paths = tuple(connections), tuple(folders)
    found = Domains(asked=bool(uris or paths))
    if paths:
        from guestclock.platforms.libvirt.files import DomainFiles

        _keep(DomainFiles(paths, surroundings).machines(), found)
    if uris:
        from guestclock.platforms.libvirt.connection import Connection

        with ThreadPoolExecutor(min(_AT_ONCE, len(uris)), "libvirt") as pool:
            sources = [Connection(uri, surroundings, live=live) for uri in uris]
            for machines in pool.map(lambda source: list(source.machines()), sources):
                _keep(machines, found)
    return found


def _keep(machines: Iterable[Read] | Iterator[Read], found: Domains) -> None:
    for one in machines:
        if isinstance(one, Unread):
            found.told.append(one)
        else:
            found.add(one)
