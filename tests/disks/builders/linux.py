"""The files of Linux systems, as far as the clock is concerned."""

from __future__ import annotations

from importlib.resources import files

from tests.disks.builders.tree import Files, Link

_RELEASES = {
    "debian": ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', "debian", "12"),
    "ubuntu": ('PRETTY_NAME="Ubuntu 24.04.1 LTS"', "ubuntu", "24.04"),
    "fedora": ('PRETTY_NAME="Fedora Linux 40 (Cloud Edition)"', "fedora", "40"),
    "alpine": ('PRETTY_NAME="Alpine Linux v3.20"', "alpine", "3.20.3"),
    "gentoo": ('PRETTY_NAME="Gentoo Linux"', "gentoo", "2.15"),
    "void": ('PRETTY_NAME="Void Linux"', "void", ""),
    "sles": ('PRETTY_NAME="SUSE Linux Enterprise Server 15 SP5"', "sles", "15.5"),
}
_OPENRC = frozenset(("alpine", "gentoo"))
ZONES = "usr/share/zoneinfo"


def zone_bytes(name: str) -> bytes:
    """The compiled zone of that name in the tzdata package."""
    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


def localtime_files(zone: str | None, how: str = "symlink") -> dict[str, bytes | Link]:
    """/etc/localtime and the zone that it is: a `symlink` to it or a `copy` of it."""
    if zone is None:
        return {}
    data = zone_bytes(zone)
    content = Link(f"/{ZONES}/{zone}") if how == "symlink" else data
    return {"etc/localtime": content, f"{ZONES}/{zone}": data}


def linux_files(
    *,
    distribution: str = "debian",
    rtc: str | None = "utc",
    zone: str | None = "Europe/Berlin",
    how: str = "symlink",
    more: Files | None = None,
) -> Files:
    """A Linux whose RTC is `utc` or `local`, or that does not say it (None).

    The setting is where the distribution's init reads it: OpenRC's conf.d/hwclock for Alpine and
    Gentoo, Void's rc.conf, else adjtime. `more` is laid over it.
    """
    title, id, version = _RELEASES[distribution]
    release = f"{title}\nNAME=x\nID={id}\n" + (f'VERSION_ID="{version}"\n' if version else "")
    found: dict[str, bytes | Link] = {
        "usr/lib/os-release": release.encode(),
        "etc/os-release": Link("../usr/lib/os-release"),
        "etc/hostname": b"guest\n",
        **localtime_files(zone, how),
    }
    if distribution in _OPENRC:
        found |= {
            "bin/busybox": b"\x7fELF",
            "sbin/init": Link("/bin/busybox"),
            "sbin/openrc": b"\x7fELF",
            "etc/inittab": b"::sysinit:/sbin/openrc sysinit\n::wait:/sbin/openrc boot\n",
            "etc/init.d/hwclock": b"#!/sbin/openrc-run\n",
            "etc/runlevels/boot/hwclock": Link("/etc/init.d/hwclock"),
        }
        if rtc is not None:
            word = "UTC" if rtc == "utc" else "local"
            found["etc/conf.d/hwclock"] = f'# see hwclock(8)\nclock="{word}"\n'.encode()
    elif distribution == "void":
        found |= {"usr/bin/runit-init": b"\x7fELF", "sbin/init": Link("/usr/bin/runit-init")}
        setting = {"utc": b"HARDWARECLOCK=UTC\n", "local": b'HARDWARECLOCK="localtime"\n'}
        found["etc/rc.conf"] = setting.get(rtc or "", b"#HARDWARECLOCK=\n")
    else:
        found |= {
            "usr/lib/systemd/systemd": b"\x7fELF",
            "usr/sbin/init": Link("../lib/systemd/systemd"),
            "sbin": Link("usr/sbin"),
        }
        if rtc is not None:
            word = "UTC" if rtc == "utc" else "LOCAL"
            found["etc/adjtime"] = f"0.0 0 0.0\n0\n{word}\n".encode()
    return {**found, **(more or {})}
