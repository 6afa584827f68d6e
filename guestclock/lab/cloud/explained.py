"""A server of the lab as a machine to explain, with the hops of its cloud before it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from guestclock.clock import Clock
from guestclock.evidence import Fact, Observed, Unknown
from guestclock.guest import NO_ZONE, Guest
from guestclock.hops import Hop
from guestclock.lab.cloud.lab import Lab
from guestclock.lab.cloud.places import default_folder
from guestclock.lab.cloud.trace import Trace
from guestclock.law import Host
from guestclock.machine import Facts, Hardware, Identity, Machine, Process
from guestclock.platforms.libvirt.dialect import parse_clock
from guestclock.platforms.openstack.hops import os_type_hop
from guestclock.rtc import parse_arguments
from guestclock.zones import Zones


def find_server(lab: str, name: str, zones: Zones) -> tuple[Machine, tuple[Hop, ...], datetime]:
    """A server of the lab in a folder ("" is the user's own), its hops, and the lab's time."""
    with Lab(Path(lab) if lab else default_folder()) as cloud:
        trace = cloud.trace(name)
    machine = machine_of(trace)
    return machine, upstream(trace, machine, zones), trace.clock.true_utc


def machine_of(trace: Trace) -> Machine:
    """The machine that a trace is of."""
    process = None
    live: Fact[Clock] | None = None
    if trace.pid is not None:
        process = _process(trace, trace.pid)
        live = _clock(trace.live, "its live definition")
    facts = Facts(
        definition=_clock(trace.definition, "its definition"),
        live=live,
        process=process,
        asked=True,
        hardware=Hardware("qemu", "x86_64", "pc"),
        guest=_guest(trace),
        host=Host(Observed(trace.host_zone, f"the lab's host {trace.host}")),
    )
    return Machine(Identity(trace.uuid, trace.name, "lab", trace.host), facts)


def upstream(trace: Trace, machine: Machine, zones: Zones) -> tuple[Hop, ...]:
    """The image's property and the server's os_type."""
    at = trace.clock.true_utc
    facts = machine.facts
    server = os_type_hop("server", trace.os_type, "the lab's server record", facts, at, zones)
    if trace.image is None:
        return (server,)
    where = f"the property of image {trace.image}"
    return (os_type_hop("image", trace.image_os_type, where, facts, at, zones), server)


def _clock(xml: str | None, where: str) -> Fact[Clock]:
    if xml is None:
        return Unknown("the server is not defined on its host", "start it")
    return Observed(parse_clock(etree.fromstring(xml)), where)


def _process(trace: Trace, pid: int) -> Process:
    arguments = trace.rtc_arguments
    reading = trace.clock.rtc
    return Process(
        pid=pid,
        arguments=Unknown("QEMU has no -rtc")
        if arguments is None
        else Observed(parse_arguments(arguments), f"the command line of process {pid}"),
        rtc_offset=Unknown("its RTC was not read")
        if reading is None
        else Observed(_since_utc(reading, trace.clock.true_utc), "QMP rtc-time"),
    )


def _since_utc(reading: datetime, true_utc: datetime) -> int:
    return int((reading - true_utc.astimezone(UTC).replace(tzinfo=None)).total_seconds())


def _guest(trace: Trace) -> Guest:
    setup = trace.setup
    if setup is None:
        return Guest()
    system = "linux"
    if setup.kind == "windows":
        system = "windows-universal" if setup.universal else "windows"
    where = "the server's disk"
    return Guest(
        system=system,
        zone=Observed(trace.guest_zone, "the image it was made of")
        if trace.guest_zone
        else NO_ZONE,
        bias_minutes=Observed(setup.bias_minutes, where),
        kind=Observed(system, where),
    )
