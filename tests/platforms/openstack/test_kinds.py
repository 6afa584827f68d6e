"""Which system an image's properties and name say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.evidence import Inferred, Unknown, value_of
from guestclock.guest import SYSTEMS
from guestclock.platforms.openstack.kinds import kind_of_image
from guestclock.platforms.openstack.records import Image


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"os_type": "windows"}, "windows"),
        ({"os_type": "Windows"}, "windows"),
        ({"os_type": "LINUX"}, "linux"),
        ({"os_distro": "windows"}, "windows"),
        ({"os_distro": "Windows"}, "windows"),
        ({"os_distro": "win"}, "windows"),
        ({"os_distro": "win10"}, "windows"),
        ({"os_distro": "win2k19"}, "windows"),
        ({"os_distro": "windows2019"}, "windows"),
        ({"os_distro": "http://microsoft.com/win/2k16"}, "windows"),
        ({"os_distro": "win98"}, "dos"),
        ({"os_distro": "msdos"}, "dos"),
        ({"os_distro": "freebsd13.0"}, "freebsd"),
        ({"os_distro": "openbsd"}, "openbsd"),
        ({"os_distro": "ubuntu20.04"}, "linux"),
        ({"os_distro": "arch"}, "linux"),
        ({"os_distro": "CC"}, "linux"),
        ({"os_distro": "a new one"}, "linux"),
        # os_distro is more precise than os_type.
        ({"os_type": "windows", "os_distro": "ubuntu"}, "linux"),
        ({"os_type": "linux", "os_distro": "freebsd"}, "freebsd"),
        ({"os_type": "linux", "os_distro": "windows"}, "windows"),
        # ... unless nobody knows it.
        ({"os_type": "windows", "os_distro": "server2019"}, "windows"),
        ({"os_distro": "server2019", "os_admin_user": "Administrator"}, "windows"),
        ({"os_distro": "http://example.com/x", "os_type": "windows"}, "windows"),
        # What clouds write beside them.
        ({"os": "WINDOWS", "os_edition": "DESKTOP", "os_distro_major": "w10entx64"}, "windows"),
        ({"os": "LINUX", "os_version": "9"}, "linux"),
        ({"__os_type": "Windows", "__os_version": "Windows Server 2016"}, "windows"),
        ({"os_edition": "Windows Server Datacenter"}, "windows"),
        ({"os_family": "win"}, "windows"),
        ({"vmware_ostype": "windows9Server64Guest"}, "windows"),
        ({"vmware_ostype": "winNetEnterpriseGuest"}, "windows"),
        ({"vmware_ostype": "ubuntu64Guest"}, "linux"),
        ({"vmware_ostype": "other3xLinux64Guest"}, "linux"),
        ({"vmware_ostype": "freebsd12_64Guest"}, "freebsd"),
        ({"os_admin_user": "Administrator"}, "windows"),
        ({"title": "Windows 10 Pro"}, "windows"),
        ({"description": "Microsoft Windows Server 2022, patched"}, "windows"),
    ],
)
def test_properties_name_the_system(properties: dict[str, str], kind: str) -> None:
    found = kind_of_image("", properties)
    assert isinstance(found, Inferred)
    assert found.value == kind
    assert found.where


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"os_type": "bsd"},
        {"os_distro": "netbsd"},
        {"os_admin_user": "root"},
        {"vmware_ostype": "darwin16_64Guest"},
        {"vmware_ostype": "win98Guest"},
        {"os_version": "10"},
        {"description": "not for use from windows"},
        {"description": "built on Windows 10 from a Debian"},
        {"title": "a door with windows"},
        {"hw_qemu_guest_agent": "windows"},
    ],
)
def test_properties_that_do_not_name_it_leave_it_unknown(properties: dict[str, str]) -> None:
    found = kind_of_image("", properties)
    assert isinstance(found, Unknown)
    assert found.settle


@pytest.mark.parametrize(
    "name",
    [
        "win10",
        "Win10-gold",
        "WIN-7",
        "win8.1",
        "win2022",
        "win7x64",
        "winxpsp3",
        "Windows",
        "windows-server-2019",
        "WindowsServer2019",
        "WindowsServerCore",
        "mswindows10",
        "w2k19",
        "w2k8r2",
        "ws2022",
        "w2019std",
        "Win2k19Std",
        "my_win11_vdi",
    ],
)
def test_a_name_says_windows(name: str) -> None:
    assert value_of(kind_of_image(name, {})) == "windows"


@pytest.mark.parametrize(
    "name",
    [
        "darwin",
        "darwin20",
        "winery",
        "winter",
        "twin",
        "twin10",
        "goodwin-2019",
        "win-20190101",
        "virtio-win-0.1.240",
        "w10",
        "arch",
        "window",
        "swindows",
        "windowsill",
        "windows-tools-ubuntu",
        "win70",
    ],
)
def test_a_name_that_only_looks_like_it_says_nothing(name: str) -> None:
    assert isinstance(kind_of_image(name, {}), Unknown)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ubuntu-22.04", "linux"), ("FreeBSD-14", "freebsd"), ("opnsense", "freebsd")],
)
def test_a_name_says_another_system(name: str, kind: str) -> None:
    assert value_of(kind_of_image(name, {})) == kind


def test_a_name_is_the_weakest() -> None:
    assert value_of(kind_of_image("win10", {"os_type": "linux"})) == "linux"
    assert value_of(kind_of_image("win10", {"os_distro": "debian"})) == "linux"
    assert value_of(kind_of_image("ubuntu", {"os_type": "windows"})) == "windows"
    assert value_of(kind_of_image("win10", {"os_distro": "a new one"})) == "windows"


def test_equal_texts_give_the_same_object() -> None:
    one = kind_of_image("a", {"os_type": "windows", "hw_disk_bus": "virtio"})
    assert kind_of_image("a", {"hw_disk_bus": "scsi", "os_type": "windows"}) is one


@given(
    st.text(max_size=300),
    st.dictionaries(
        st.sampled_from(["os_distro", "os_type", "os", "title", "vmware_ostype", "os_version"]),
        st.text(max_size=300),
    ),
)
def test_any_text_is_survived(name: str, properties: dict[str, str]) -> None:
    found = kind_of_image(name, properties)
    if not isinstance(found, Unknown):
        assert found.value in SYSTEMS
        assert found.where.isprintable()
        assert len(found.where) < 160
    assert Image("i", name, properties).os_type == properties.get("os_type")
