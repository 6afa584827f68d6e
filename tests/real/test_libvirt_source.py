"""What is read of real machines on a real libvirt, in a daemon and a zone of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import libvirt
import pytest

from guestclock.clock import Clock, Localtime, Track, Utc, Variable, Zone
from guestclock.databases import zones_at_hand
from guestclock.evidence import Inferred, Observed, Unknown, value_of
from guestclock.lab.hypervisor.daemon import Daemon
from guestclock.lab.hypervisor.folder import HostFolder
from guestclock.lab.hypervisor.interface import Hypervisor
from guestclock.law import Host
from guestclock.machine import Facts, Machine, outlook
from guestclock.platforms.libvirt.connection import Connection
from guestclock.platforms.surroundings import Surroundings
from guestclock.rtc import RtcArguments
from tests.real.labhost import NAME, Lab, in_zone, lab_in

pytestmark = pytest.mark.real

SHANGHAI = "Asia/Shanghai"
LOCALTIME = "<clock offset='localtime'/>"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with lab_in(tmp_path, "libvirt") as lab:
        yield lab


@pytest.fixture
def host(lab: Lab) -> Hypervisor:
    return lab.host("node1", SHANGHAI)


@pytest.fixture
def uri(lab: Lab, host: Hypervisor) -> str:
    return Daemon(HostFolder((lab.folder / "hosts/node1").resolve(), "node1"), None).uri


def read(uri: str, *, live: bool = False) -> Facts:
    [machine] = Connection(uri, Surroundings(), live=live).machines()
    assert isinstance(machine, Machine), machine
    assert machine.identity.name == NAME
    return machine.facts


def test_a_machine_that_is_off_is_judged_by_the_zone_that_its_daemon_sees(
    lab: Lab, host: Hypervisor, uri: str
) -> None:
    host.define(lab.definition(LOCALTIME))
    facts = read(uri)
    assert facts.definition == Observed(Clock(Localtime()), "domain/clock")
    assert (facts.live, facts.process, facts.asked) == (None, None, True)
    assert isinstance(facts.host.zone, Inferred)
    assert facts.host.zone.value == SHANGHAI
    assert facts.host.daemon_zone is None
    # Another zone counts from the next start, and the daemon is not started anew for it.
    host.set_zone("America/New_York")
    assert value_of(read(uri).host.zone) == "America/New_York"


def test_the_process_of_a_running_machine_is_seen_in_its_own_namespace(
    lab: Lab, host: Hypervisor, uri: str
) -> None:
    host.define(lab.definition(LOCALTIME))
    host.start(NAME)
    facts = read(uri)
    process = facts.process
    assert process is not None
    assert process.pid == host.pid(NAME)
    assert process.arguments == Observed(RtcArguments("localtime"), f"/proc/{process.pid}/cmdline")
    assert process.environment_zone == Observed(None, f"/proc/{process.pid}/environ")
    assert isinstance(process.rtc_offset, Unknown)
    # This process is elsewhere, in another zone, and must not be looked at.
    assert os.path.realpath("/etc/localtime").rpartition("zoneinfo/")[2] != SHANGHAI
    assert isinstance(facts.host.zone, Observed)
    assert facts.host.zone.value == SHANGHAI
    assert f"of process {process.pid}" in facts.host.zone.where


def test_the_tz_that_libvirt_gives_a_machine_is_read(lab: Lab, host: Hypervisor, uri: str) -> None:
    host.define(lab.definition("<clock offset='timezone' timezone='Asia/Tokyo'/>"))
    host.start(NAME)
    process = read(uri).process
    assert process is not None
    assert process.environment_zone == Observed("Asia/Tokyo", f"/proc/{process.pid}/environ")


def test_a_definition_that_was_changed_while_running_differs_from_the_live_one(
    lab: Lab, host: Hypervisor, uri: str
) -> None:
    host.define(lab.definition("<clock offset='utc'/>"))
    host.start(NAME)
    host.define(lab.definition("<clock offset='timezone' timezone='Asia/Tokyo'/>"))
    facts = read(uri)
    assert value_of(facts.definition) == Clock(Zone("Asia/Tokyo"))
    assert facts.live == Observed(Clock(Utc()), "domain/clock")


def test_the_rtc_is_read_live_and_is_what_the_law_says(
    lab: Lab, host: Hypervisor, uri: str
) -> None:
    host.define(lab.definition(LOCALTIME))
    host.start(NAME)
    facts = read(uri, live=True)
    assert facts.process is not None
    assert facts.process.rtc_offset == Observed(
        value_of(facts.process.rtc_offset), "QMP qom-get /machine rtc-time"
    )
    seen = value_of(facts.process.rtc_offset)
    assert seen is not None
    assert in_zone(SHANGHAI) == float(seen)
    expected = value_of(outlook(facts, datetime.now(UTC), zones_at_hand()).offset)
    assert expected is not None
    assert abs(seen - expected) <= 1


def test_reading_live_taints_the_machine_and_reading_otherwise_does_not(
    lab: Lab, host: Hypervisor, uri: str
) -> None:
    host.define(lab.definition(LOCALTIME))
    host.start(NAME)
    read(uri)
    connection = libvirt.openReadOnly(uri)
    try:
        domain = connection.lookupByName(NAME)
        assert not any("custom monitor" in message for message in domain.messages())
        read(uri, live=True)
        assert any("custom monitor" in message for message in domain.messages())
    finally:
        connection.close()


def test_a_clock_that_the_guest_has_set_shows_in_the_live_definition(
    lab: Lab, host: Hypervisor, uri: str
) -> None:
    host.define(lab.definition("<clock offset='variable' adjustment='0' basis='utc'/>"))
    host.start(NAME)
    console = lab.console()
    try:
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        console.set_rtc(now.replace(year=now.year - 1))
    finally:
        console.close()
    live = read(uri, live=True)
    assert value_of(live.definition) == Clock(Variable(0))
    assert live.process is not None
    offset = value_of(live.process.rtc_offset)
    assert offset is not None
    assert offset < -364 * 86400


def test_the_machines_of_another_daemon_are_not_mixed_up(
    lab: Lab, host: Hypervisor, uri: str
) -> None:
    other = lab.host("node2", "America/New_York")
    other_uri = Daemon(HostFolder((lab.folder / "hosts/node2").resolve(), "node2"), None).uri
    host.define(lab.definition(LOCALTIME))
    other.define(lab.definition(LOCALTIME))
    host.start(NAME)
    assert value_of(read(uri).host.zone) == SHANGHAI
    off = read(other_uri)
    assert off.process is None
    assert value_of(off.host.zone) == "America/New_York"


def test_a_host_that_was_given_does_not_hide_what_is_seen(
    lab: Lab, host: Hypervisor, uri: str
) -> None:
    host.define(lab.definition(LOCALTIME))
    given = Surroundings(Host(Observed("Europe/Berlin", "--host-zone")))
    [machine] = Connection(uri, given).machines()
    assert isinstance(machine, Machine)
    assert value_of(machine.facts.host.zone) == SHANGHAI


PAST_LIBVIRT = """
    <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
      <qemu:arg value='-rtc'/>
      <qemu:arg value='base=localtime,clock=vm'/>
      <qemu:env name='TZ' value='Asia/Kolkata'/>
    </qemu:commandline>
  </domain>"""


@pytest.mark.parametrize(
    "clock", ["<clock offset='utc'/>", "<clock offset='timezone' timezone='Asia/Tokyo'/>"]
)
def test_what_is_passed_to_qemu_past_libvirt_wins(
    lab: Lab, host: Hypervisor, uri: str, clock: str
) -> None:
    # The lab has uses of its own for a TZ, so it is not asked to define or to start this one.
    connection = libvirt.open(uri)
    try:
        xml = lab.definition(clock).replace("</domain>", PAST_LIBVIRT)
        connection.defineXML(xml).create()
    finally:
        connection.close()
    facts = read(uri, live=True)
    assert facts.process is not None
    assert facts.process.arguments == Observed(
        RtcArguments("localtime", Track.VM), f"/proc/{facts.process.pid}/cmdline"
    )
    assert value_of(facts.process.environment_zone) == "Asia/Kolkata"
    expected = outlook(facts, datetime.now(UTC), zones_at_hand()).offset
    assert value_of(expected) == 19800
    assert value_of(facts.process.rtc_offset) in range(19798, 19802)
