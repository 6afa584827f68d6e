from __future__ import annotations

import pytest

from guestclock.clock import Clock, Localtime, Timer, Utc
from guestclock.platforms.libvirt.dialect import format_clock
from guestclock.platforms.openstack.rule import BadOsType, check_os_type, nova_clock

PIT = Timer("pit", tickpolicy="delay")
RTC = Timer("rtc", tickpolicy="catchup")
NO_HPET = Timer("hpet", present=False)
HPET = Timer("hpet", present=True)
HYPERV = Timer("hypervclock", present=True)

# What the real LibvirtDriver._set_clock of nova 34.0.0 gave for each os_type.
NOVA_34 = [
    (None, Utc(), False),
    ("", Utc(), False),
    ("linux", Utc(), False),
    ("Linux", Utc(), False),
    ("windows", Localtime(), True),
    ("Windows", Utc(), False),
    ("WINDOWS", Utc(), False),
    (" windows", Utc(), False),
]


@pytest.mark.parametrize(("os_type", "base", "hypervclock"), NOVA_34)
def test_under_kvm_the_clock_is_that_of_nova_34(
    os_type: str | None, base: Utc | Localtime, hypervclock: bool
) -> None:
    timers = (PIT, RTC, NO_HPET, HYPERV) if hypervclock else (PIT, RTC, NO_HPET)
    assert nova_clock(os_type, "kvm") == Clock(base, timers)


@pytest.mark.parametrize(("os_type", "base", "hypervclock"), NOVA_34)
@pytest.mark.parametrize("virt_type", ["qemu", "lxc", "parallels"])
def test_other_virt_types_have_the_same_base_and_no_timers(
    os_type: str | None, base: Utc | Localtime, hypervclock: bool, virt_type: str
) -> None:
    assert nova_clock(os_type, virt_type) == Clock(base)


def test_hw_time_hpet_counts_on_x86_alone() -> None:
    assert nova_clock(None, "kvm", hpet=True).timers == (PIT, RTC, HPET)
    assert nova_clock(None, "kvm", arch="i686", hpet=False).timers == (PIT, RTC, NO_HPET)
    assert nova_clock("windows", "kvm", arch="aarch64", hpet=True).timers == (PIT, RTC, HYPERV)
    assert nova_clock(None, "qemu", hpet=True).timers == ()


def test_the_definition_libvirt_gets_for_windows_on_kvm() -> None:
    assert format_clock(nova_clock("windows", "kvm")) == (
        "<clock offset='localtime'>\n"
        "  <timer name='pit' tickpolicy='delay'/>\n"
        "  <timer name='rtc' tickpolicy='catchup'/>\n"
        "  <timer name='hpet' present='no'/>\n"
        "  <timer name='hypervclock' present='yes'/>\n"
        "</clock>"
    )


@pytest.mark.parametrize("os_type", [None, "linux", "windows", "Windows", "LINUX"])
def test_an_accepted_os_type_is_kept_as_it_was_written(os_type: str | None) -> None:
    assert check_os_type(os_type) == os_type


@pytest.mark.parametrize("os_type", ["", " windows", "windows ", "bsd", "other", "win"])
def test_any_other_os_type_is_refused(os_type: str) -> None:
    with pytest.raises(BadOsType, match="use linux or windows"):
        check_os_type(os_type)
