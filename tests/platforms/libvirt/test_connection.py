"""The connection against libvirt's own mock of a hypervisor, and against none."""

from __future__ import annotations

import sys
from pathlib import Path

import libvirt
import pytest

from guestclock.clock import Clock, Localtime, Utc, Variable
from guestclock.evidence import Inferred, Observed, Unknown, value_of
from guestclock.inventory import Inventory, Row
from guestclock.machine import Machine
from guestclock.platforms.interface import Read, Unread
from guestclock.platforms.libvirt.connection import Connection
from guestclock.platforms.surroundings import Surroundings

NOWHERE = Surroundings()


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A mock host with a running, a shut off and a transient machine, made anew per connection."""
    test = "xmlns:test='http://libvirt.org/schemas/domain/test/1.0'"

    def domain(name: str, number: int, clock: str, states: str) -> str:
        return (
            f"<domain type='test' {test}><name>{name}</name>"
            f"<uuid>00000000-0000-4000-8000-{number:012}</uuid><memory>1024</memory>"
            f"<os><type arch='x86_64'>hvm</type></os>{clock}{states}</domain>"
        )

    path = tmp_path / "node.xml"
    off = "<test:runstate>5</test:runstate>"
    path.write_text(
        "<node>"
        + domain("web", 1, "<clock offset='localtime'/>", "")
        + domain("db", 2, "<clock offset='utc' adjustment='5'/>", off)
        + domain("job", 3, "", "<test:transient/>")
        + "</node>"
    )
    return f"test://{path}"


def read(uri: str, surroundings: Surroundings = NOWHERE, *, live: bool = False) -> list[Read]:
    return list(Connection(uri, surroundings, live=live).machines())


def named(collected: list[Read]) -> dict[str, Machine]:
    machines = [one for one in collected if isinstance(one, Machine)]
    assert len(machines) == len(collected)
    return {one.identity.name: one for one in machines}


def test_machines_come_by_name_with_both_definitions(uri: str) -> None:
    machines = named(read(uri))
    assert list(machines) == ["db", "job", "web"]
    web = machines["web"]
    assert web.identity.id == "00000000-0000-4000-8000-000000000001"
    assert (web.identity.platform, web.identity.source) == ("libvirt", uri)
    assert web.facts.definition == Observed(Clock(Localtime()), "domain/clock")
    assert web.facts.live == web.facts.definition
    assert web.facts.asked
    assert web.facts.process is not None


def test_a_machine_that_is_off_has_no_live_definition_and_no_process(uri: str) -> None:
    facts = named(read(uri))["db"].facts
    assert value_of(facts.definition) == Clock(Variable(5))
    assert (facts.live, facts.process, facts.asked) == (None, None, True)


def test_a_transient_machine_has_no_definition_of_its_own(uri: str) -> None:
    definition = named(read(uri))["job"].facts.definition
    assert isinstance(definition, Inferred)
    assert definition.value == Clock(Utc())
    assert "its manager writes the next one" in definition.where


def test_processes_of_another_driver_are_not_looked_for_here(uri: str) -> None:
    process = named(read(uri))["web"].facts.process
    assert process is not None
    assert isinstance(process.arguments, Unknown)
    assert process.arguments.reason == "QEMU runs on another host, whose processes are not seen"


def test_the_inventory_counts_for_connections_too(uri: str) -> None:
    inventory = Inventory([Row("web", "windows", "Asia/Tokyo")])
    assert (
        named(read(uri, Surroundings(inventory=inventory)))["web"].facts.guest.system == "windows"
    )


def test_an_rtc_that_cannot_be_read_is_unknown(uri: str) -> None:
    process = named(read(uri, live=True))["web"].facts.process
    assert process is not None
    assert isinstance(process.rtc_offset, Unknown)
    assert process.rtc_offset.reason.startswith("the monitor was not read:")


def test_a_connection_that_fails_is_one_line(tmp_path: Path) -> None:
    [unread] = read(f"test://{tmp_path}/none.xml")
    assert isinstance(unread, Unread)
    assert unread.source == f"test://{tmp_path}/none.xml"
    assert unread.reason.isprintable()


def test_a_domain_that_goes_away_meanwhile_is_not_there(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = libvirt.virDomain.XMLDesc

    def ended(domain: libvirt.virDomain, flags: int = 0) -> str:
        if domain.name() == "job":
            # libvirt's own error for a domain that is not there.
            domain.connect().lookupByName("nobody")
        return str(described(domain, flags))

    monkeypatch.setattr(libvirt.virDomain, "XMLDesc", ended)
    assert list(named(read(uri))) == ["db", "web"]


def test_a_domain_that_cannot_be_read_does_not_stop_the_others(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = libvirt.virDomain.XMLDesc

    def gone(domain: libvirt.virDomain, flags: int = 0) -> str:
        if domain.name() == "job":
            raise libvirt.libvirtError("no answer")
        return str(described(domain, flags))

    monkeypatch.setattr(libvirt.virDomain, "XMLDesc", gone)
    db, job, web = read(uri)
    assert isinstance(db, Machine)
    assert job == Unread(f"{uri} job", "no answer")
    assert isinstance(web, Machine)


def test_without_the_extra_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    [unread] = read("qemu:///system")
    assert unread == Unread(
        "qemu:///system",
        "the Python package libvirt is not installed: pip install 'guestclock[libvirt]'",
    )
