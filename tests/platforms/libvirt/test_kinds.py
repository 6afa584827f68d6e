from __future__ import annotations

import pytest

from guestclock.evidence import Inferred, Unknown
from guestclock.guest import SYSTEMS
from guestclock.platforms.libvirt.kinds import Hints, NovaImage, kind_of


@pytest.mark.parametrize(
    ("identity", "kind"),
    [
        ("http://microsoft.com/win/10", "windows"),
        ("http://microsoft.com/win/2k3r2", "windows"),
        ("http://microsoft.com/winnt/4.0", "windows"),
        ("http://microsoft.com/win/98", "dos"),
        ("http://microsoft.com/win/3.1", "dos"),
        ("http://microsoft.com/msdos/6.22", "dos"),
        ("http://freedos.org/freedos/1.2", "dos"),
        ("http://freebsd.org/freebsd/13.1", "freebsd"),
        ("http://openbsd.org/openbsd/7.0", "openbsd"),
        ("http://debian.org/debian/12", "linux"),
        ("http://oracle.com/ol/8.6", "linux"),
        ("http://guix.gnu.org/guix/1.3", "linux"),
        ("http://libosinfo.org/linux/2022", "linux"),
        ("http://some-new-linux.org/distro/1", "linux"),
    ],
)
def test_the_systems_of_libosinfo(identity: str, kind: str) -> None:
    found = kind_of(Hints(osinfo=identity))
    assert found == Inferred(kind, getattr(found, "where", ""))
    assert kind in SYSTEMS
    assert identity in found.where


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        ("http://netbsd.org/netbsd/9.0", "how NetBSD takes its RTC"),
        ("http://oracle.com/solaris/11", "how Solaris takes"),
        ("http://sun.com/opensolaris/2009.06", "how Solaris takes"),
        ("http://apple.com/macosx/10.7", "how macOS takes"),
        ("http://guix.gnu.org/guix/hurd-latest", "how GNU Hurd takes"),
        ("http://libosinfo.org/unknown", "says that the system is not known"),
        ("http://example.com/os/1", "not one that is known here"),
        ("nonsense", "not one that is known here"),
    ],
)
def test_a_system_whose_rule_is_not_known_is_unknown(identity: str, reason: str) -> None:
    found = kind_of(Hints(osinfo=identity))
    assert isinstance(found, Unknown)
    assert reason in found.reason
    assert found.settle == "name it with --guests"


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (NovaImage("windows"), "windows"),
        (NovaImage("WINDOWS", "ubuntu"), "windows"),
        (NovaImage("linux"), "linux"),
        (NovaImage("linux", "freebsd"), "freebsd"),
        (NovaImage(None, "windows"), "windows"),
        (NovaImage(None, "openbsd"), "openbsd"),
        (NovaImage(None, "Ubuntu"), "linux"),
    ],
)
def test_the_image_properties_of_nova(image: NovaImage, kind: str) -> None:
    found = kind_of(Hints(nova=image))
    assert isinstance(found, Inferred)
    assert found.value == kind
    assert "Nova's image property" in found.where


@pytest.mark.parametrize("image", [NovaImage(), NovaImage("bsd"), NovaImage(None, "netbsd")])
def test_properties_that_name_no_known_system_say_where_to_look(image: NovaImage) -> None:
    found = kind_of(Hints(nova=image))
    assert isinstance(found, Unknown)
    assert "look up the image's os_type" in found.settle


def test_libosinfo_is_asked_before_nova_and_nova_before_hyperv() -> None:
    all_three = Hints("http://debian.org/debian/12", NovaImage("windows"), hyperv_features=True)
    assert kind_of(all_three) == Inferred("linux", "libosinfo id http://debian.org/debian/12")
    two = Hints(nova=NovaImage("linux"), hyperv_features=True)
    assert kind_of(two) == Inferred("linux", "Nova's image property os_type=linux")


def test_an_id_that_is_not_known_leaves_it_to_the_next_hint() -> None:
    found = kind_of(Hints(osinfo="http://libosinfo.org/unknown", hyperv_clock=True))
    assert isinstance(found, Inferred)
    assert found.value == "windows"
