from __future__ import annotations

import pytest

from guestclock.clock import Clock, Localtime, Utc
from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor.domainxml import (
    QEMU_NAMESPACE,
    read_machine,
    with_clock,
    with_environment,
    with_serial,
)

XML = """<domain type='qemu'>
  <name>m</name>
  <uuid>8b0ae4a5-6d0e-4f64-9f6a-6a0ef2a3c1d2</uuid>
  <memory unit='MiB'>16</memory>
  <os><type machine='pc'>hvm</type></os>
  <clock offset='localtime'/>
  <devices>
    <disk type='file' device='disk'><source file='/d.img'/></disk>
    <serial type='unix'><source mode='bind' path='/s'/></serial>
    <console type='unix'><source mode='bind' path='/s'/></console>
  </devices>
</domain>"""
OURS = frozenset({"TZ", "FAKETIME"})


def test_a_machine_is_read() -> None:
    machine = read_machine(XML)
    assert (machine.name, machine.memory, machine.machine) == ("m", 16 * 1024, "pc")
    assert (machine.disks, machine.serial, machine.environment) == (("/d.img",), "/s", ())
    assert machine.clock == Clock(Localtime())


@pytest.mark.parametrize(
    ("xml", "complaint"),
    [
        ("<domain", "not XML"),
        ("<network/>", "not a <domain>"),
        ("<domain/>", "with a <name>"),
        ("<domain><name>m</name></domain>", "memory"),
        ("<domain><name>m</name><memory unit='pages'>1</memory></domain>", "memory"),
        ("<domain><name>m</name><clock offset='sync'/></domain>", "unknown clock offset"),
    ],
)
def test_what_is_no_machine_is_refused(xml: str, complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        read_machine(xml)


def test_an_entity_is_not_expanded() -> None:
    bomb = "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain><name>&e;</name></domain>"
    with pytest.raises(LabError):
        read_machine(bomb)


def test_an_environment_is_added_replaced_and_removed() -> None:
    dressed = with_environment(XML, OURS, {"TZ": "Asia/Shanghai"})
    assert read_machine(dressed).environment == (("TZ", "Asia/Shanghai"),)
    assert "qemu:commandline" in dressed
    again = with_environment(dressed, OURS, {"TZ": "UTC", "FAKETIME": "+1"})
    assert read_machine(again).environment == (("TZ", "UTC"), ("FAKETIME", "+1"))
    assert read_machine(with_environment(again, OURS, {})).environment == ()


def test_what_somebody_else_wants_of_the_environment_stays() -> None:
    theirs = XML.replace(
        "</domain>",
        f"<q:commandline xmlns:q='{QEMU_NAMESPACE}'><q:env name='A' value='b'/>"
        "<q:arg value='-S'/></q:commandline></domain>",
    )
    dressed = with_environment(theirs, OURS, {"TZ": "UTC"})
    assert read_machine(dressed).environment == (("A", "b"), ("TZ", "UTC"))
    undressed = with_environment(dressed, OURS, {})
    assert read_machine(undressed).environment == (("A", "b"),)
    assert "-S" in undressed


def test_nothing_to_change_leaves_every_letter() -> None:
    assert with_environment(XML, OURS, {}) == XML
    dressed = with_environment(XML, OURS, {"TZ": "UTC"})
    assert with_environment(dressed, OURS, {"TZ": "UTC"}) == dressed


def test_the_console_moves_with_its_serial_port() -> None:
    moved = with_serial(XML, "/t")
    assert read_machine(moved).serial == "/t"
    assert "/s'" not in moved
    assert moved.count('path="/t"') == 2


def test_a_clock_is_replaced_wherever_it_was() -> None:
    for xml in (
        XML,
        XML.replace("<clock offset='localtime'/>", ""),
        XML.replace("<devices>", "<clock offset='utc'/><devices>"),
    ):
        assert read_machine(with_clock(xml, Clock(Utc()))).clock == Clock(Utc())
        assert with_clock(xml, Clock(Utc())).count("<clock") == 1
