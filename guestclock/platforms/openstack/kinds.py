"""Which system is in an image, as far as its properties and its name say.

Nobody looked inside, so each answer is inferred. os_distro names a system more precisely than
os_type, which knows `linux` and `windows` alone: BSD images are marked `linux`, and a copied set
of properties leaves `windows` on a Linux. A name is the weakest of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from guestclock.evidence import Fact, Inferred, Unknown
from guestclock.platforms.libvirt.kinds import Hints, NovaImage, kind_of
from guestclock.platforms.text import clean

# What clouds call the system beside os_type and os_distro: the common names, CERN's (os_edition,
# os_distro_major) and those of Huawei's image service (with two underscores).
_NAMING = ("os", "os_name", "os_family", "__os_type", "__platform", "__os_version")
_EDITIONS = ("os_edition", "os_version", "os_distro_major")
_PROSE = ("title", "description")
_VMWARE = ("vmware_ostype", "vmware_guestid")
_ADMIN = "os_admin_user"
_KEYS = ("os_distro", "os_type", *_NAMING, *_EDITIONS, *_PROSE, *_VMWARE, _ADMIN)

_VERSIONED = r"""
      (?<![a-z])windows[-_. ]?(?:server|xp|vista|nt|7|8|10|11|20(?:00|03|08|12|16|19|22|25))
    | (?<![a-z0-9])win[-_. ]?
      (?:server|srv|(?:xp|vista|nt)(?:sp\d)?(?![a-z])|7|8(?:\.1)?|10|11
        |2k\d{0,2}|20(?:00|03|08|12|16|19|22|25))(?![0-9])
    | (?<![a-z0-9])ws?20(?:08|12|16|19|22|25)(?![0-9])
    | (?<![a-z0-9])w2k(?:3|8|12|16|19|22|25)?(?:r2)?(?![a-z0-9])
"""
# "Windows" in a sentence may be what an image is not, or is used from; with a version it is one.
_IN_PROSE = re.compile(_VERSIONED, re.VERBOSE)
_IN_NAME = re.compile(rf"(?<![a-z])(?:ms|microsoft)?windows(?![a-z])|{_VERSIONED}", re.VERBOSE)
# Windows on DOS, which takes the RTC as DOS does.
_ON_DOS = re.compile(r"(?<![a-z0-9])win(?:dows)?[-_. ]?(?:95|98|me|3\.1)(?![a-z0-9])")
_WORD = re.compile(r"[a-z]+")
_LINUX = frozenset(
    [
        "almalinux",
        "alpine",
        "amzn",
        "anolis",
        "centos",
        "cirros",
        "clearlinux",
        "coreos",
        "debian",
        "fcos",
        "fedora",
        "flatcar",
        "gentoo",
        "kali",
        "linux",
        "linuxmint",
        "mandrake",
        "mandriva",
        "nixos",
        "openeuler",
        "opensuse",
        "oraclelinux",
        "redhat",
        "rhel",
        "rocky",
        "scientific",
        "slackware",
        "sled",
        "sles",
        "suse",
        "ubuntu",
    ]
)
# Words of os_distro that are too short or too common to say anything in a name.
_DISTROS = _LINUX | frozenset(
    ["alma", "arch", "cc", "mes", "ol", "photon", "rancheros", "talos", "void"]
)
_BSD = {"freebsd": "freebsd", "opnsense": "freebsd", "pfsense": "freebsd", "openbsd": "openbsd"}

NAMELESS = Unknown(
    "neither the properties nor the name of its image say which system is in it",
    "set os_distro and os_type of the image, or name the guest with --guests",
)


def kind_of_image(name: str, properties: Mapping[str, str]) -> Fact[str]:
    """The system in an image, one of `guestclock.guest.SYSTEMS`, or why it is not known.

    Equal answers are one object, while it is remembered. Good for a volume's properties and a
    server's copies as well.
    """
    return _kind(name, tuple(map(properties.get, _KEYS)))


@lru_cache(maxsize=16384)
def _kind(name: str, texts: tuple[str | None, ...]) -> Fact[str]:
    said = {key: text.strip() for key, text in zip(_KEYS, texts, strict=True) if text}
    unsure: Fact[str] | None = None
    for fact, is_sure in _opinions(name, said):
        if is_sure:
            return _one_object(fact)
        unsure = unsure or fact
    return _one_object(unsure or NAMELESS)


@lru_cache(maxsize=16384)
def _one_object(fact: Fact[str]) -> Fact[str]:
    return fact


def _opinions(name: str, said: Mapping[str, str]) -> Iterator[tuple[Fact[str], bool]]:
    """What each text says of the system, the most precise first, and whether that settles it."""
    if distro := said.get("os_distro"):
        yield _by_distro(distro)
    if os_type := said.get("os_type"):
        kind = _BSD.get(os_type.lower()) or os_type.lower()
        if kind in ("windows", "linux", *_BSD.values()):
            yield Inferred(kind, _property("os_type", os_type)), True
    for key, text in said.items():
        found = _by_property(key, text.lower())
        if found:
            yield Inferred(found, _property(key, text)), True
    found = _by_words(name.lower(), _IN_NAME)
    if found:
        yield Inferred(found, f"the name {clean(name)[:60]}"), True


def _by_distro(text: str) -> tuple[Fact[str], bool]:
    """An os_distro, which may be libosinfo's id or short id as well (nova/virt/osinfo.py).

    A word that is not known here is most likely one more Linux, if nothing else speaks up.
    """
    low, where = text.lower(), _property("os_distro", text)
    if "://" in low:
        by_id = kind_of(Hints(osinfo=low))
        return by_id, not isinstance(by_id, Unknown)
    found = _by_words(low, _IN_NAME, _DISTROS)
    if found is None and re.fullmatch(r"(?:ms)?win[\W\d]*", low):
        found = "windows"
    if found:
        return Inferred(found, where), True
    known = kind_of(Hints(nova=NovaImage(os_distro=low)))
    if isinstance(known, Unknown):
        return Unknown(f"{where}: how it takes its RTC is not known here", NAMELESS.settle), False
    return Inferred(known.value, where), known.value != "linux"


def _by_property(key: str, low: str) -> str | None:
    if key in _NAMING:
        return "windows" if low == "win" else _by_words(low, _IN_NAME)
    if key in _EDITIONS:
        return "windows" if _IN_NAME.search(low) else None
    if key in _PROSE:
        return _by_words(low, _IN_PROSE)
    if key in _VMWARE:
        return "windows" if re.match(r"win(?!95|98|me)", low) else _by_guest_id(low)
    return "windows" if key == _ADMIN and low == "administrator" else None


def _by_guest_id(low: str) -> str | None:
    """VMware's names, such as ubuntu64Guest, other3xLinux64Guest, freebsd12_64Guest."""
    if "linux" in low or low.startswith(tuple(_LINUX)):
        return "linux"
    return "freebsd" if low.startswith("freebsd") else None


def _by_words(low: str, windows: re.Pattern[str], linux: frozenset[str] = _LINUX) -> str | None:
    """The one system that a text names; None where it names none, or two."""
    words = set(_WORD.findall(low))
    found = {_BSD[word] for word in words & _BSD.keys()}
    if words & linux:
        found.add("linux")
    if _ON_DOS.search(low) or words & {"dos", "freedos", "msdos"}:
        found.add("dos")
    elif windows.search(low):
        found.add("windows")
    return found.pop() if len(found) == 1 else None


def _property(key: str, text: str) -> str:
    return f"image property {key}={clean(text)[:60]}"
