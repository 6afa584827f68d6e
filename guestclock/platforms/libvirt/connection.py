"""The machines of a libvirt connection: both definitions, and the process where it is ours to see.

Reading is read-only. Only `live` opens the connection for writing, as QEMU's monitor, the one
place where a running machine's RTC can be read without its guest, is closed to readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from guestclock.evidence import Inferred, Unknown
from guestclock.machine import NOT_READ, Facts, Identity, Machine, Process
from guestclock.platforms.interface import Read, Unread
from guestclock.platforms.libvirt.commandline import overrides_of
from guestclock.platforms.libvirt.dialect import BadClock
from guestclock.platforms.libvirt.disks import disks_of
from guestclock.platforms.libvirt.domain import (
    PLATFORM,
    BadDomain,
    Domain,
    DomainReader,
    definition_of,
    read_domain,
)
from guestclock.platforms.libvirt.files import Refused, parse, safe_parser
from guestclock.platforms.libvirt.host import LocalHost, is_local, process_facts
from guestclock.platforms.libvirt.monitor import LibvirtConnection, LibvirtDomain, rtc_offset
from guestclock.platforms.qemu.process import QemuProcess
from guestclock.platforms.surroundings import Surroundings
from guestclock.platforms.text import clean

_REMOTE = Unknown("QEMU runs on another host, whose processes are not seen", "run guestclock there")


def _is_gone(problem: Exception) -> bool:
    """Whether a domain was removed after it was listed: there is nothing left to read."""
    import libvirt

    if not isinstance(problem, libvirt.libvirtError):
        return False
    return bool(problem.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN)


class Connection:
    """All machines of one libvirt connection, by name."""

    def __init__(self, uri: str, surroundings: Surroundings, *, live: bool = False) -> None:
        self._uri = uri
        self._given = surroundings
        self._live = live
        self._local = LocalHost(uri) if is_local(uri) else None
        self._parser = safe_parser()

    def machines(self) -> Iterator[Read]:
        """Each machine; a connection that fails is one Unread."""
        try:
            import libvirt
        except ModuleNotFoundError:
            need = "the Python package libvirt is not installed: pip install 'guestclock[libvirt]'"
            yield Unread(self._uri, need)
            return
        # Every error is raised as well, and is reported once.
        libvirt.registerErrorHandler(lambda *_: None, None)
        try:
            opened = libvirt.open if self._live else libvirt.openReadOnly
            connection = opened(self._uri)
        except libvirt.libvirtError as problem:
            yield Unread(self._uri, clean(str(problem)))
            return
        try:
            yield from self._domains(connection, libvirt.libvirtError)
        finally:
            connection.close()

    def _domains(self, connection: LibvirtConnection, error: type[Exception]) -> Iterator[Read]:
        try:
            domains = sorted(connection.listAllDomains(0), key=lambda domain: domain.name())
        except error as problem:
            yield Unread(self._uri, clean(str(problem)))
            return
        for domain in domains:
            try:
                yield self._machine(domain)
            except (error, BadDomain, BadClock, Refused) as problem:
                if not _is_gone(problem):
                    yield Unread(f"{self._uri} {domain.name()}", clean(str(problem)))

    def _machine(self, domain: LibvirtDomain) -> Machine:
        import libvirt

        xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        element = parse(xml.encode(), self._parser)
        inactive = read_domain(element)
        facts = replace(self._reader.facts(inactive), asked=True)
        if domain.isActive():
            facts = self._running(domain, facts)
        disks = disks_of(element) if self._given.disks else ()
        return Machine(Identity(inactive.uuid, inactive.name, PLATFORM, self._uri), facts, disks)

    def _running(self, domain: LibvirtDomain, facts: Facts) -> Facts:
        live = read_domain(parse(domain.XMLDesc(0).encode(), self._parser))
        overrides = overrides_of(live.raw.command_line)
        process, host = self._process(live), facts.host
        if process.pid is not None and overrides.zone is None:
            zone = QemuProcess(process.pid).localtime_zone()
            host = host if isinstance(zone, Unknown) else replace(host, zone=zone)
        if self._live:
            process = replace(process, rtc_offset=rtc_offset(domain))
        definition = facts.definition
        if not domain.isPersistent() and not isinstance(definition, Unknown):
            where = "the live definition of a transient domain: its manager writes the next one"
            definition = Inferred(definition.value, where)
        return replace(
            facts,
            definition=definition,
            live=definition_of(live.raw, overrides),
            process=process,
            host=host,
        )

    def _process(self, live: Domain) -> Process:
        found = _REMOTE if self._local is None else self._local.process(live.uuid, live.name)
        if isinstance(found, Unknown):
            return Process(None, found, found, NOT_READ)
        return process_facts(found)

    @cached_property
    def _reader(self) -> DomainReader:
        """Reads definitions for the host as it is seen, or was given."""
        given = self._given
        if self._local is not None:
            given = replace(given, host=self._local.host(given.host))
        return DomainReader(given)
