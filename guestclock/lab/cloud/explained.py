"""A server of the lab as a machine to explain, with the hops of its cloud before it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from guestclock.clock import Clock, Utc
from guestclock.cures import Cure, right_base
from guestclock.evidence import Fact, Observed, Unknown
from guestclock.explanation import Explanation, Told, Within, explain
from guestclock.guest import NO_ZONE, Guest
from guestclock.hops import Hop
from guestclock.lab.cloud.lab import Lab
from guestclock.lab.cloud.places import default_folder
from guestclock.lab.cloud.problems import naming
from guestclock.lab.cloud.trace import Trace
from guestclock.law import Host
from guestclock.machine import Facts, Hardware, Identity, Machine, Process
from guestclock.platforms.libvirt.dialect import parse_clock
from guestclock.platforms.openstack.hops import os_type_hop, right_os_type
from guestclock.platforms.openstack.rule import nova_clock
from guestclock.platforms.qemu.process import QemuProcess
from guestclock.rtc import parse_arguments
from guestclock.zones import Zones


def trace_server(lab: str, name: str) -> Trace:
    """The trace of a server of the lab in a folder; "" is the user's own. Raises LabError."""
    folder = Path(lab) if lab else default_folder()
    with naming(lab), Lab(folder, must_exist=True) as cloud:
        return cloud.trace(name)


def explain_server(
    trace: Trace, zones: Zones, tolerance: int = 5, at: datetime | None = None
) -> Explanation:
    """Explain a server by its trace, for a next cold start at `at`: None is the lab's own now."""
    machine, at = machine_of(trace), at or trace.clock.true_utc
    told = Told(upstream(trace, machine, zones), within(trace, machine, zones))
    return explain(machine, at, zones, told, tolerance)


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
    return Machine(Identity(trace.uuid, trace.name, "lab", trace.host, "server"), facts)


def upstream(trace: Trace, machine: Machine, zones: Zones) -> tuple[Hop, ...]:
    """The image's property and the server's os_type."""
    at = trace.clock.true_utc
    facts = machine.facts
    told = Observed(trace.os_type, "the lab's server record")
    server = os_type_hop("server", told, facts, at, zones)
    if trace.image is None:
        return (server,)
    given = Observed(trace.image_os_type, f"the property of image {trace.image}")
    return (os_type_hop("image", given, facts, at, zones), server)


def within(trace: Trace, machine: Machine, zones: Zones) -> Within:
    """What Nova can do for this guest, and the cheapest cure in the lab's own commands."""
    value = right_os_type(machine.facts, trace.clock.true_utc, zones)
    if value is None:
        base = right_base(machine.facts.guest) or Utc()
        what = "no os_type is right here: set RealTimeIsUniversal in the guest, with no os_type"
        return Within(base, Cure(what, "a change inside the guest, and a cold start"))
    image = trace.image or "IMAGE"
    steps = [f"lab server rebuild {trace.name}"]
    if trace.image_os_type != value:
        steps.insert(0, f"lab image set {image} --property os_type={value}")
    cost = "the root disk is made anew and its data are lost; a reboot alone changes nothing"
    return Within(nova_clock(value, "qemu").base, Cure(", then ".join(steps), cost))


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
        environment_zone=QemuProcess(pid).environment_zone(),
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
