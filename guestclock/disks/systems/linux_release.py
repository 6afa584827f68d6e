"""Which Linux it is: os-release(5), else the one-line files from before it."""

from __future__ import annotations

import re

from guestclock.disks.found import System
from guestclock.disks.problem import Reason
from guestclock.disks.systems.assignments import assignments, shown
from guestclock.disks.tree import Tree

_OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
_LSB = "etc/lsb-release"
# The more special first: the others are there for programs that only know those.
_OLD = (
    ("etc/openwrt_release", "openwrt"),
    ("etc/alpine-release", "alpine"),
    ("etc/oracle-release", "ol"),
    ("etc/centos-release", "centos"),
    ("etc/fedora-release", "fedora"),
    ("etc/redhat-release", "rhel"),
    ("etc/SuSE-release", "suse"),
    ("etc/slackware-version", "slackware"),
    ("etc/gentoo-release", "gentoo"),
    ("etc/arch-release", "arch"),
    ("etc/debian_version", "debian"),
)
_TITLES = {"alpine": "Alpine Linux", "arch": "Arch Linux", "debian": "Debian GNU/Linux"}
_NUMBER = re.compile(r"\d[\w.-]{0,30}")
# Systems with an os-release of their own that run another kernel, and Android.
_OTHERS = frozenset(
    (
        "android",
        "dragonfly",
        "freebsd",
        "ghostbsd",
        "haiku",
        "illumos",
        "netbsd",
        "omnios",
        "openbsd",
        "openindiana",
        "smartos",
        "solaris",
    )
)


def read_release(tree: Tree, system: System) -> bool:
    """Fills in name, id and version; whether a Linux is there at all."""
    return _by_os_release(tree, system) or _by_old_file(tree, system) or _by_link(tree, system)


def has_release(tree: Tree) -> bool:
    """Whether one of the files is there, be it readable or not."""
    paths = (_OS_RELEASE[0], _LSB, *(path for path, _ in _OLD))
    return any(tree.find(path, follow=False) is not None for path in paths)


def _by_os_release(tree: Tree, system: System) -> bool:
    for path in _OS_RELEASE:
        text = tree.text(path)
        if text is None or (path.startswith("usr") and tree.find("etc") is None):
            continue
        fields = assignments(text)
        if not fields:
            continue
        system.id = shown(fields.get("ID", "linux").lower())
        if system.id in _OTHERS:
            return False
        name = fields.get("PRETTY_NAME") or fields.get("NAME") or "Linux"
        system.name = shown(name)
        version = fields.get("VERSION_ID") or fields.get("BUILD_ID") or ""
        if version:
            system.version = shown(version)
            key = "VERSION_ID" if fields.get("VERSION_ID") else "BUILD_ID"
            system.saw("version", f"/{path}", key, raw=system.version)
        else:
            system.lacks("version", Reason.NOT_RECORDED, f"/{path} has no VERSION_ID")
        return True
    return False


def _by_old_file(tree: Tree, system: System) -> bool:
    fields = assignments(tree.text(_LSB) or "")
    if fields.get("DISTRIB_ID"):
        system.id = shown(fields["DISTRIB_ID"].lower())
        system.name = shown(fields.get("DISTRIB_DESCRIPTION") or fields["DISTRIB_ID"])
        _versioned(system, fields.get("DISTRIB_RELEASE", ""), _LSB, "DISTRIB_RELEASE")
        return True
    for path, known in _OLD:
        text = tree.text(path)
        if text is None:
            continue
        line = shown(text.partition("\n")[0].strip())
        system.id = known
        if known == "rhel" and line.lower().startswith("centos"):
            system.id = "centos"
        title = _TITLES.get(known, known.capitalize())
        system.name = line if " " in line else f"{title} {line}".strip()
        number = _NUMBER.search(line)
        _versioned(system, number[0] if number else "", path, "")
        return True
    return False


def _by_link(tree: Tree, system: System) -> bool:
    """A link to an os-release that lies in a /usr of its own, as Flatcar's."""
    target = tree.target(_OS_RELEASE[0])
    if target is None and tree.find("etc/NIXOS") is None:
        return False
    system.name, system.id = "Linux", "linux"
    if target is None:
        system.name, system.id = "NixOS", "nixos"
    system.lacks("version", Reason.NOT_RECORDED, f"/{_OS_RELEASE[0]} is not on this file system")
    return True


def _versioned(system: System, version: str, path: str, key: str) -> None:
    if version:
        system.version = shown(version)
        system.saw("version", f"/{path}", key, raw=system.version)
    else:
        system.lacks("version", Reason.NOT_RECORDED, f"/{path} names no version")
