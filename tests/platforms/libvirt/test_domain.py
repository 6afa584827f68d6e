from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from guestclock.clock import Absolute, Catchup, Clock, Localtime, Timer, Utc, Variable, Zone
from guestclock.evidence import Assumed, Inferred, Observed, Unknown, value_of
from guestclock.inventory import Inventory, Row
from guestclock.law import Host
from guestclock.machine import Facts, Hardware, Machine
from guestclock.platforms.interface import Read
from guestclock.platforms.libvirt.domain import BadDomain, DomainReader
from guestclock.platforms.libvirt.files import FileReader
from guestclock.platforms.surroundings import Surroundings

GOLDEN = Path(__file__).parents[2] / "golden" / "domains"
READER = DomainReader(Surroundings())


def read(xml: str, reader: DomainReader = READER) -> Facts:
    return reader.machine(etree.fromstring(xml), "somewhere/vm.xml").facts


def golden(name: str) -> Machine:
    [machine] = all_golden(name)
    assert isinstance(machine, Machine)
    return machine


def all_golden(name: str) -> list[Read]:
    return FileReader(Surroundings()).read(str(GOLDEN / name))


def test_a_windows_server_of_nova() -> None:
    machine = golden("nova-windows.xml")
    assert machine.identity.id == "0f6f3f6e-6c0c-4f49-9d8a-0a2f4f7a9b01"
    assert machine.identity.name == "instance-0000002a"
    assert machine.identity.platform == "libvirt"
    assert machine.identity.source.endswith("golden/domains/nova-windows.xml")
    facts = machine.facts
    assert isinstance(facts.definition, Observed)
    assert facts.definition.value == Clock(
        Localtime(),
        (
            Timer("pit", tickpolicy="delay"),
            Timer("rtc", tickpolicy="catchup"),
            Timer("hpet", present=False),
            Timer("hypervclock", present=True),
        ),
    )
    assert facts.hardware == Hardware("kvm", "x86_64", "pc-q35-7.2")
    assert facts.guest.system == "windows"
    assert facts.guest.kind == Inferred(
        "windows", "Hyper-V features, which are written for Windows alone"
    )
    assert (facts.live, facts.process, facts.asked) == (None, None, False)


def test_the_image_properties_that_nova_writes_since_2025_count_in_any_case() -> None:
    facts = golden("nova-properties.xml").facts
    assert facts.guest.kind == Inferred("windows", "Nova's image property os_type=Windows")
    assert value_of(facts.definition) is not None
    assert facts.asked


def test_a_timezone_clock_with_a_catchup() -> None:
    facts = golden("virt-install-windows.xml").facts
    timer = Timer("rtc", tickpolicy="catchup", track="guest", catchup=Catchup(123, 120, 10000))
    assert value_of(facts.definition) == Clock(Zone("Europe/Berlin"), (timer,))
    assert facts.guest.kind == Inferred("windows", "libosinfo id http://microsoft.com/win/2k22")


def test_no_clock_is_utc_and_freedos_is_dos() -> None:
    facts = golden("virt-install-freedos.xml").facts
    assert facts.definition == Inferred(Clock(), "no <clock> element is utc")
    assert facts.guest.system == "dos"


def test_a_live_definition_is_observed_live_and_inferred_for_the_next_start() -> None:
    facts = golden("ovirt-live.xml").facts
    assert isinstance(facts.live, Observed)
    assert facts.live.value.base == Variable(28801)
    assert isinstance(facts.definition, Inferred)
    assert facts.definition.value == facts.live.value
    assert "shows what the guest wrote" in facts.definition.where
    assert facts.process is not None
    assert isinstance(facts.process.rtc_offset, Unknown)
    assert facts.guest.kind == Inferred(
        "windows", "timer hypervclock, which is written for Windows alone"
    )


def test_a_guest_that_nothing_names_is_unknown_with_a_reason() -> None:
    kind = golden("kubevirt.xml").facts.guest.kind
    assert kind == Unknown("nothing in the definition names the guest", "name it with --guests")
    assert golden("kubevirt.xml").facts.guest.system == "unknown"


def test_libvirts_own_state_of_a_running_domain() -> None:
    machine = golden("status.xml")
    assert machine.identity.name == "web"
    assert machine.facts.guest.system == "linux"
    assert machine.facts.live == Observed(Clock(), "domain/clock")


def test_a_list_of_domains_gives_each() -> None:
    first, second = all_golden("dump-of-two.xml")
    assert isinstance(first, Machine)
    assert isinstance(second, Machine)
    assert second.identity.id == "aaaaaaaa-0000-4000-8000-000000000002"
    assert value_of(second.facts.definition) == Clock(Absolute(1577836800))


def test_what_is_passed_to_qemu_past_libvirt_counts() -> None:
    facts = golden("command-line.xml").facts
    assert facts.definition == Inferred(
        Clock(Localtime(), (Timer("rtc", track="guest"),)),
        "domain/clock with qemu:arg -rtc base=localtime,clock=vm and qemu:env TZ=Asia/Tokyo",
    )
    assert facts.host.zone == Observed("Asia/Tokyo", "qemu:env TZ")


def test_a_tz_past_libvirt_replaces_a_timezone_and_hides_the_host_but_not_from_libvirtd() -> None:
    reader = DomainReader(Surroundings(Host(zone=Assumed("Europe/Berlin", "--host-zone"))))
    facts = read(
        "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>d</name>"
        "<clock offset='timezone' timezone='Asia/Tokyo'/><qemu:commandline>"
        "<qemu:env name='TZ' value='Asia/Kolkata'/></qemu:commandline></domain>",
        reader,
    )
    assert value_of(facts.definition) == Clock(Zone("Asia/Kolkata"))
    assert facts.host == Host(Observed("Asia/Kolkata", "qemu:env TZ"), "Europe/Berlin")


def test_an_rtc_argument_that_qemu_refuses_is_said() -> None:
    with pytest.raises(BadDomain, match="qemu:arg -rtc 'base=now'"):
        read(
            "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
            "<qemu:commandline><qemu:arg value='-rtc'/><qemu:arg value='base=now'/>"
            "</qemu:commandline></domain>"
        )


def test_a_domain_that_is_not_qemus_has_no_known_definition() -> None:
    definition = golden("lxc.xml").facts.definition
    assert isinstance(definition, Unknown)
    assert "'lxc' does not run on QEMU" in definition.reason


def test_equal_machines_share_one_facts_object() -> None:
    clock = "<clock offset='localtime'><timer name='pit'/></clock>"
    xml = f"<domain type='kvm'><name>{{}}</name>{clock}</domain>"
    assert read(xml.format("a")) is read(xml.format("b"))


def test_the_inventory_beats_the_definition_and_adds_what_it_knows() -> None:
    row = Row("instance-*", "windows-universal", "Asia/Shanghai", -480, None, "guests.csv:2")
    reader = DomainReader(Surroundings(inventory=Inventory([row])))
    facts = read(
        "<domain type='kvm'><name>instance-1</name><metadata><l:libosinfo "
        "xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
        "<l:os id='http://debian.org/debian/12'/></l:libosinfo></metadata></domain>",
        reader,
    )
    where = "inventory guests.csv:2"
    assert facts.guest.kind == Assumed("windows-universal", where)
    assert facts.guest.zone == Assumed("Asia/Shanghai", where)
    assert facts.guest.bias_minutes == Assumed(-480, where)


def test_an_inventory_row_without_a_guest_leaves_the_kind_to_the_definition() -> None:
    reader = DomainReader(Surroundings(inventory=Inventory([Row("vm", zone="Asia/Tokyo")])))
    facts = read(
        "<domain><name>vm</name><clock><timer name='hypervclock'/></clock></domain>", reader
    )
    assert facts.guest.system == "windows"
    assert value_of(facts.guest.zone) == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("features", "system"),
    [
        ("<hyperv><relaxed/></hyperv>", "windows"),
        ("<hyperv mode='passthrough'/>", "windows"),
        ("<hyperv><relaxed state='off'/></hyperv>", "unknown"),
        ("<hyperv/>", "unknown"),
        ("<acpi/>", "unknown"),
    ],
)
def test_hyperv_features_count_where_one_is_on(features: str, system: str) -> None:
    facts = read(f"<domain type='kvm'><name>d</name><features>{features}</features></domain>")
    assert facts.guest.system == system


def test_a_hypervclock_that_is_not_present_says_nothing() -> None:
    facts = read("<domain><clock><timer name='hypervclock' present='no'/></clock></domain>")
    assert facts.guest.system == "unknown"


def test_a_domain_without_uuid_or_name_goes_by_its_path() -> None:
    identity = READER.machine(etree.fromstring("<domain/>"), "dumps/vm7.xml").identity
    assert (identity.id, identity.name) == ("dumps/vm7.xml", "vm7.xml")
    named = READER.machine(etree.fromstring("<domain><name> x </name></domain>"), "p").identity
    assert (named.id, named.name) == ("x", "x")


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<domain><uuid>not-one</uuid></domain>", "'not-one' is not a uuid"),
        ("<domain><name>a\nb</name></domain>", "characters that no name has"),
        ("<domain><name/></domain>", "the name is empty"),
        ("<domain><name> </name></domain>", "the name is empty"),
        ("<domain><clock offset='sync'/></domain>", "unknown clock offset 'sync'"),
    ],
)
def test_a_domain_that_says_nothing_is_refused(xml: str, message: str) -> None:
    with pytest.raises(BadDomain, match=message):
        read(xml)


def test_the_first_of_two_names_counts() -> None:
    machine = READER.machine(etree.fromstring("<domain><name>a</name><name>b</name></domain>"), "p")
    assert machine.identity.name == "a"


def test_a_live_utc_definition_has_no_word_about_adjustments() -> None:
    facts = read("<domain id='1'><name>d</name><clock offset='utc'/></domain>")
    assert isinstance(facts.definition, Inferred)
    assert facts.definition.value == Clock(Utc())
    assert "guest wrote" not in facts.definition.where


@pytest.mark.parametrize(
    "name", ["a\u202eb", "a\u00a0b", "\u3000a\u3000", "\U0001f468\u200d\U0001f469", "a\x85", "a\tb"]
)
def test_every_name_that_libvirt_takes_is_read_as_it_is(name: str) -> None:
    domain = etree.Element("domain")
    etree.SubElement(domain, "name").text = name
    assert READER.machine(domain, "p").identity.name == name
