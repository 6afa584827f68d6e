"""A `<domain>` element, read into a Machine.

Definitions of a fleet are much alike. So a domain is first taken as it stands (`RawDomain`, plain
tuples of text), and what follows from equal texts is worked out once: equal machines share one
Facts object.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from guestclock.clock import Clock, Variable
from guestclock.evidence import Assumed, Fact, Inferred, Observed, Unknown
from guestclock.guest import Guest
from guestclock.inventory import Row
from guestclock.law import Host
from guestclock.machine import Facts, Hardware, Identity, Machine, Process
from guestclock.platforms.libvirt.commandline import Overrides, overrides_of
from guestclock.platforms.libvirt.dialect import BadClock, RawClock, clock_of, raw_clock
from guestclock.platforms.libvirt.disks import disks_of
from guestclock.platforms.libvirt.kinds import NOVA, OSINFO, Hints, NovaImage, kind_of
from guestclock.platforms.surroundings import Surroundings, guest_in
from guestclock.platforms.text import clean

if TYPE_CHECKING:
    from lxml import etree

PLATFORM = "libvirt"
_WHERE = "domain/clock"
_COMMAND_LINE = "{http://libvirt.org/schemas/domain/qemu/1.0}commandline"
_OSINFO = f"{{{OSINFO}}}libosinfo"
_OSINFO_SYSTEM = f"{{{OSINFO}}}os"
_NOVA = tuple(f"{{{namespace}}}instance" for namespace in NOVA)
_DUMPED = Unknown("only a dump of the live definition was read", "ask with -c URI --live")
_READ = frozenset(("name", "uuid", "metadata", "os", "features", "clock", _COMMAND_LINE))
# The law is QEMU's. test is libvirt's mock of a driver.
_QEMU_TYPES = frozenset(("kvm", "qemu", "hvf", "test", ""))
_SPACE = " \t\r\n"
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}")


class BadDomain(ValueError):
    """A `<domain>` that says nothing that could be judged; the message says what is wrong."""


class RawDomain(NamedTuple):
    """What counts for the clock in a `<domain>`, as it stands there."""

    virt: str
    arch: str
    machine: str
    clock: RawClock
    osinfo: str | None
    nova: tuple[str | None, str | None] | None
    hyperv: bool
    command_line: tuple[tuple[str, str, str], ...]


class Domain(NamedTuple):
    """A `<domain>` with its name; `uuid` and `name` are empty where it has none."""

    name: str
    uuid: str
    live: bool
    raw: RawDomain


def read_domain(domain: etree._Element) -> Domain:
    """Takes a `<domain>` as it stands, in one pass over its children. Raises BadDomain."""
    # Plain loops with a look at each tag: lxml's filters by tag take longer than all of this.
    name = uuid = osinfo = nova = None
    arch = machine = ""
    hyperv = False
    clock: RawClock = ()
    command_line: tuple[tuple[str, str, str], ...] = ()
    for child in domain:
        tag = child.tag
        if tag not in _READ:
            continue
        match tag:
            case "name":
                if name is None:
                    name = child.text or ""
            case "uuid":
                uuid = uuid or child.text
            case "clock":
                clock += (raw_clock(child),)
            case "os":
                arch, machine = _architecture(child)
            case "features":
                hyperv = hyperv or _hyperv(child)
            case "metadata":
                for about in child:
                    if about.tag == _OSINFO:
                        osinfo = _osinfo(about)
                    elif about.tag in _NOVA:
                        nova = _nova(about)
            case _:
                command_line += _command_line(child)
    raw = RawDomain(
        domain.get("type", ""), arch, machine, clock, osinfo, nova, hyperv, command_line
    )
    return Domain(_name(name), _uuid(uuid), domain.get("id") is not None, raw)


def _architecture(system: etree._Element) -> tuple[str, str]:
    for child in system:
        if child.tag == "type":
            return child.get("arch", ""), child.get("machine", "")
    return "", ""


def _name(text: str | None) -> str:
    """libvirt takes every name but these; reports escape what would trick a reader."""
    if text is None:
        return ""
    name = text.strip(_SPACE)
    if not name:
        raise BadDomain("the name is empty")
    if "\n" in name or "\0" in name:
        raise BadDomain(f"the name {name[:60]!r} has characters that no name has")
    return name


def _uuid(text: str | None) -> str:
    if text is None:
        return ""
    uuid = text.strip().lower()
    found = _UUID.fullmatch(uuid)
    if not found:
        raise BadDomain(f"{uuid[:60]!r} is not a uuid")
    if not found[1]:
        uuid = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
    return uuid


def _hyperv(features: etree._Element) -> bool:
    for feature in features:
        if feature.tag == "hyperv":
            if feature.get("mode") == "passthrough":
                return True
            for enlightenment in feature:
                if enlightenment.get("state") != "off":
                    return True
    return False


def _osinfo(libosinfo: etree._Element) -> str | None:
    for child in libosinfo:
        if child.tag == _OSINFO_SYSTEM:
            return child.get("id")
    return None


def _nova(instance: etree._Element) -> tuple[str | None, str | None]:
    """os_type and os_distro, as far as Nova wrote them."""
    for image in instance:
        if str(image.tag).endswith("}image"):
            given = {entry.get("name"): entry.text for entry in image.iter("{*}property")}
            return given.get("os_type"), given.get("os_distro")
    return None, None


def _command_line(element: etree._Element) -> tuple[tuple[str, str, str], ...]:
    """qemu:arg and qemu:env, as ("arg", "", VALUE) and ("env", NAME, VALUE)."""
    return tuple(
        (str(child.tag).rpartition("}")[2], child.get("name", ""), child.get("value", ""))
        for child in element.iterchildren("{*}arg", "{*}env")
    )


class DomainReader:
    """Makes machines of domains, each in the same surroundings."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self._inventory = surroundings.inventory
        self._facts = lru_cache(maxsize=8192)(self._new_facts)

    def machine(self, element: etree._Element, source: str) -> Machine:
        """The machine of a `<domain>` that was read at `source`. Raises BadDomain."""
        domain = read_domain(element)
        name = domain.name or source.rpartition("/")[2]
        identity = Identity(domain.uuid or domain.name or source, name, PLATFORM, source)
        disks = disks_of(element) if self.surroundings.disks else ()
        return Machine(identity, self.facts(domain), disks)

    def facts(self, domain: Domain) -> Facts:
        """What follows from a domain; equal ones get the same object. Raises BadDomain."""
        row = None
        if self._inventory:
            row = self._inventory.guest_for(domain.name, domain.uuid)
        try:
            return self._facts(domain.raw, domain.live, row)
        except BadClock as problem:
            raise BadDomain(clean(str(problem))) from None

    def _new_facts(self, raw: RawDomain, live: bool, row: Row | None) -> Facts:
        overrides = overrides_of(raw.command_line)
        definition = definition_of(raw, overrides)
        facts = Facts(
            definition=definition,
            hardware=Hardware(raw.virt, raw.arch, raw.machine),
            guest=guest_of(raw, row),
            host=host_of(overrides, self.surroundings.host),
        )
        if not live:
            return facts
        return replace(
            facts,
            definition=_from_live(definition),
            live=definition,
            process=Process(rtc_offset=_DUMPED),
            asked=True,
        )


def definition_of(raw: RawDomain, overrides: Overrides) -> Fact[Clock]:
    """The clock that a definition gives QEMU. Raises BadClock."""
    if raw.virt not in _QEMU_TYPES:
        return Unknown(
            f"a domain of type {raw.virt!r} does not run on QEMU, whose law this is",
            "judge it by its own platform's rules",
        )
    clock = clock_of(raw.clock)
    changed = overrides.apply(clock)
    if changed != clock:
        return Inferred(changed, f"{_WHERE} with {overrides}")
    return Observed(clock, _WHERE) if raw.clock else Inferred(clock, "no <clock> element is utc")


def _from_live(definition: Fact[Clock]) -> Fact[Clock]:
    """What the next cold start will use, of which the live definition is all that was read."""
    if isinstance(definition, Unknown):
        return definition
    where = "the live definition: the inactive one was not read and may differ"
    if isinstance(definition.value.base, Variable):
        where += "; live, a variable clock shows what the guest wrote, and its basis is utc"
    return Inferred(definition.value, where)


def host_of(overrides: Overrides, host: Host) -> Host:
    """The host as a domain's QEMU sees it: a TZ of `<qemu:env>` hides the host's zone from it.

    libvirtd keeps to the host's zone, so that one becomes the daemon's own.
    """
    if overrides.zone is None:
        return host
    daemon_zone = host.daemon_zone
    if daemon_zone is None and not isinstance(host.zone, Unknown):
        daemon_zone = host.zone.value
    return replace(host, zone=Observed(overrides.zone, "qemu:env TZ"), daemon_zone=daemon_zone)


def guest_of(raw: RawDomain, row: Row | None) -> Guest:
    """The guest, by the user's inventory first, else by what the definition says."""
    kind: Fact[str]
    if row is not None and row.guest is not None:
        kind = Assumed(row.guest, f"inventory {row.where}")
    else:
        kind = kind_of(
            Hints(
                osinfo=raw.osinfo,
                nova=None if raw.nova is None else NovaImage(*raw.nova),
                hyperv_features=raw.hyperv,
                hyperv_clock=_has_hyperv_clock(raw.clock),
            )
        )
    return guest_in(kind, row)


def _has_hyperv_clock(clock: RawClock) -> bool:
    return any(
        ("name", "hypervclock") in timer and ("present", "no") not in timer
        for _, timers in clock
        for timer, _ in timers
    )
