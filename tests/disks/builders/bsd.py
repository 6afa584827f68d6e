"""The files of the BSDs, as far as the clock is concerned."""

from __future__ import annotations

from tests.disks.builders.linux import localtime_files
from tests.disks.builders.tree import Files, Link


def freebsd_files(
    *,
    rtc: str = "utc",
    zone: str | None = "Europe/Berlin",
    how: str = "copy",
    version: str = "14.1-RELEASE-p5",
    more: Files | None = None,
) -> Files:
    """A FreeBSD, its zone copied as tzsetup does and remembered in /var/db/zoneinfo."""
    found: dict[str, bytes | Link] = {
        "bin/freebsd-version": f'#!/bin/sh\n\nUSERLAND_VERSION="{version}"\n'.encode(),
        "etc/defaults/rc.conf": b'ntpd_enable="NO"\n',
        "etc/rc.conf": b'hostname="guest"\n',
        "etc/os-release": Link("../var/run/os-release"),
        **localtime_files(zone, how),
    }
    if zone is not None:
        found["var/db/zoneinfo"] = f"{zone}\n".encode()
    if rtc == "local":
        found["etc/wall_cmos_clock"] = b""
    return {**found, **(more or {})}


def openbsd_files(
    *,
    utc_offset_minutes: int | None = None,
    zone: str | None = "Europe/Berlin",
    version: str = "7.6",
    more: Files | None = None,
) -> Files:
    """An OpenBSD; the offset stands in sysctl.conf where one is given, in minutes east."""
    number = version.replace(".", "")
    found: dict[str, bytes | Link] = {
        "bsd": b"\x7fELF",
        "bsd.rd": b"\x7fELF",
        "etc/rc": b"#!/bin/sh\n",
        "etc/motd": f"OpenBSD {version} (GENERIC.MP) #338: Mon Sep 30\n\nWelcome\n".encode(),
        f"etc/signify/openbsd-{number}-base.pub": b"untrusted comment\n",
        f"etc/signify/openbsd-{int(number) + 1}-base.pub": b"untrusted comment\n",
        **localtime_files(zone),
    }
    if utc_offset_minutes is not None:
        found["etc/sysctl.conf"] = f"kern.utc_offset={utc_offset_minutes}\t# RTC\n".encode()
    return {**found, **(more or {})}


def netbsd_files(
    *,
    rtc: str = "utc",
    rtc_offset: int | None = None,
    zone: str | None = "Europe/Berlin",
    version: str = "10.0",
    more: Files | None = None,
) -> Files:
    """A NetBSD; `rtc_offset` is kern.rtc_offset in minutes west, `local` sets rtclocaltime."""
    found: dict[str, bytes | Link] = {
        "netbsd": b"\x7fELF",
        "libexec/ld.elf_so": b"\x7fELF",
        "etc/release": f"NetBSD {version}/amd64\n\nBuild settings:\n".encode(),
        "etc/defaults/rc.conf": b"rtclocaltime=NO\nntpd=NO\n",
        "etc/rc.conf": b"rc_configured=YES\n" + (b"rtclocaltime=YES\n" if rtc == "local" else b""),
        **localtime_files(zone),
    }
    if rtc_offset is not None:
        found["etc/sysctl.conf"] = f"kern.rtc_offset={rtc_offset}\n".encode()
    return {**found, **(more or {})}
