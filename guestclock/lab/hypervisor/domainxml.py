"""What the lab needs to know of a domain's XML, and the one thing it adds: an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from guestclock.clock import Clock
from guestclock.lab.errors import LabError
from guestclock.platforms.libvirt.dialect import BadClock, format_clock, parse_clock

QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
_COMMANDLINE = f"{{{QEMU_NAMESPACE}}}commandline"
_ENV = f"{{{QEMU_NAMESPACE}}}env"


@dataclass(frozen=True, slots=True)
class Machine:
    """What a domain definition says, as far as the lab is concerned.

    `memory` is in KiB; `disks` and `serial` are paths; `environment` what `qemu:env` adds.
    """

    name: str
    uuid: str
    memory: int
    machine: str
    clock: Clock
    disks: tuple[str, ...]
    serial: str | None
    environment: tuple[tuple[str, str], ...]


def parse(xml: str) -> etree._Element:
    """Read a definition's XML; nothing is fetched or expanded. Raises LabError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        return etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as problem:
        raise LabError(f"the definition is not XML: {problem}") from None


def read_machine(xml: str) -> Machine:
    """What a definition says. Raises LabError for one that libvirt would refuse as well."""
    domain = parse(xml)
    name = domain.findtext("name")
    if domain.tag != "domain" or not name:
        raise LabError("the definition is not a <domain> with a <name>")
    try:
        clock = parse_clock(domain)
    except BadClock as problem:
        raise LabError(f"the definition of {name}: {problem}") from None
    disks = domain.findall("devices/disk[@device='disk']/source[@file]")
    serial = domain.find("devices/serial[@type='unix']/source[@path]")
    kind = domain.find("os/type")
    return Machine(
        name=name,
        uuid=domain.findtext("uuid") or "",
        memory=_memory(domain),
        machine=(kind.get("machine") if kind is not None else None) or "pc",
        clock=clock,
        disks=tuple(str(disk.get("file")) for disk in disks),
        serial=None if serial is None else str(serial.get("path")),
        environment=tuple(
            (str(env.get("name")), str(env.get("value") or ""))
            for env in domain.iterfind(f"{_COMMANDLINE}/{_ENV}")
        ),
    )


_KIB = {"KiB": 1, "k": 1, "MiB": 1 << 10, "M": 1 << 10, "GiB": 1 << 20, "G": 1 << 20}


def _memory(domain: etree._Element) -> int:
    element = domain.find("memory")
    unit = (element.get("unit") if element is not None else None) or "KiB"
    try:
        return int(domain.findtext("memory") or "") * _KIB[unit]
    except (ValueError, KeyError):
        raise LabError("the definition needs a <memory unit='MiB'> of a whole number") from None


def with_environment(xml: str, ours: frozenset[str], environment: Mapping[str, str]) -> str:
    """Return the definition with these `qemu:env`; earlier ones named in `ours` are dropped.

    Returned as it was, to the letter, where nothing is to change.
    """
    domain = parse(xml)
    commandline = domain.find(_COMMANDLINE)
    present = {} if commandline is None else _environment(commandline)
    if {name: value for name, value in present.items() if name in ours} == environment:
        return xml
    if commandline is None:
        commandline = _append_commandline(domain)
    for env in commandline.findall(_ENV):
        if env.get("name") in ours:
            commandline.remove(env)
    for name, value in environment.items():
        etree.SubElement(commandline, _ENV, name=name, value=value)
    if len(commandline) == 0:
        domain.remove(commandline)
    return etree.tostring(domain, encoding="unicode")


def _environment(commandline: etree._Element) -> dict[str, str]:
    return {str(e.get("name")): str(e.get("value") or "") for e in commandline.findall(_ENV)}


def _append_commandline(domain: etree._Element) -> etree._Element:
    # The prefix is libvirt's own spelling, which people look for.
    return etree.SubElement(domain, _COMMANDLINE, nsmap={"qemu": QEMU_NAMESPACE})


def with_serial(xml: str, path: str) -> str:
    """Return the definition with its serial port's socket, and its console's, at another path."""
    domain = parse(xml)
    for tag in ("serial", "console"):
        for source in domain.iterfind(f"devices/{tag}[@type='unix']/source[@path]"):
            source.set("path", path)
    return etree.tostring(domain, encoding="unicode")


def with_clock(xml: str, clock: Clock) -> str:
    """Return the definition with another `<clock>`, as libvirt would write it."""
    domain = parse(xml)
    element = etree.fromstring(format_clock(clock))
    old = domain.findall("clock")
    if old:
        element.tail = old[0].tail
        domain.replace(old[0], element)
        for another in old[1:]:
            domain.remove(another)
    else:
        domain.append(element)
    return etree.tostring(domain, encoding="unicode")
