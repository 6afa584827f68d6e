"""What each platform calls a system, and how it is told the clock that the system needs.

Where a platform cannot give the system the clock it needs, `cannot` says so: a name alone would
be copied into an image's properties and make it wrong.
"""

from __future__ import annotations

from guestclock.disks.found import System

# Proxmox's ostype by libosinfo's short id (qm.conf(5)); what is newer goes by the newest.
_PROXMOX = {
    "winxp": "wxp",
    "win2k3": "w2k3",
    "win2k3r2": "w2k3",
    "winvista": "wvista",
    "win2k8": "w2k8",
    "win7": "win7",
    "win2k8r2": "win7",
    "win8": "win8",
    "win8.1": "win8",
    "win2k12": "win8",
    "win2k12r2": "win8",
    "win10": "win10",
    "win2k16": "win10",
    "win2k19": "win10",
    "win11": "win11",
    "win2k22": "win11",
    "win2k25": "win11",
}
# Distributions whose id in os-release is not what libosinfo begins its short id with.
_LIBOSINFO = {
    "almalinux": "almalinux",
    "rocky": "rocky",
    "opensuse-leap": "opensuse",
    "sles": "sle",
    "amzn": "amazon",
    "ol": "ol",
}
# Those that libosinfo has one entry for, whatever their version.
_ROLLING = {
    "arch": "archlinux",
    "gentoo": "gentoo",
    "opensuse-tumbleweed": "opensusetumbleweed",
    "debian": "debiantesting",
}
# Those that it knows by their major version.
_MAJOR = frozenset(("debian", "almalinux", "rocky", "centos", "fedora"))


def names(system: System) -> dict[str, object]:
    """By platform: nova, libosinfo, proxmox, kubevirt.

    nova: `os_type` and `os_distro` are what the image's properties should be; None means that the
    property is left out. proxmox: `ostype` and `localtime` (0 or 1). kubevirt: `clock` of the
    VirtualMachine's domain. Sources: Nova's libvirt driver (`_set_clock`), osinfo-db, qm.conf(5),
    KubeVirt's API `Clock`.
    """
    short = _short_id(system)
    return {
        "nova": _nova(system),
        "libosinfo": {"id": short},
        "proxmox": _proxmox(system, short),
        "kubevirt": _kubevirt(system),
    }


def _needs_local(system: System) -> bool | None:
    return {"local": True, "utc": False}.get(system.rtc)


def _nova(system: System) -> dict[str, object]:
    local = _needs_local(system)
    found: dict[str, object] = {
        "os_type": "windows" if system.family == "windows" else "linux",
        "os_distro": system.id if system.family == "linux" else system.family,
    }
    if system.family not in ("windows", "linux"):
        # Nova compares with "windows" alone; any other word than these two only confuses readers.
        found["os_type"] = None
    if system.family == "windows" and local is False:
        found["os_type"] = None
        found["note"] = "it takes the RTC for UTC: with os_type=windows it would be wrong"
    if system.family != "windows" and local:
        found["cannot"] = "only os_type=windows gives an RTC in local time"
    return found


def _proxmox(system: System, short: str | None) -> dict[str, object]:
    ostype = {"windows": "win11", "linux": "l26"}.get(system.family, "other")
    if system.family == "windows" and short is not None:
        ostype = _PROXMOX.get(short, ostype)
    local = _needs_local(system)
    return {"ostype": ostype, "localtime": None if local is None else int(local)}


def _kubevirt(system: System) -> dict[str, object]:
    local = _needs_local(system)
    if local is None:
        return {"cannot": "how it takes the RTC is not known"}
    if not local:
        return {"clock": {"utc": {}}}
    if system.zone is None:
        return {"cannot": "a clock in local time needs the zone's name, which is not known"}
    if system.family == "windows":
        return {"clock": {"timezone": _iana(system.zone)}} if _iana(system.zone) else _NO_NAME
    return {"clock": {"timezone": system.zone}}


_NO_NAME: dict[str, object] = {"cannot": "its zone has no IANA name"}


def _iana(zone: str) -> str | None:
    """The IANA name of a Windows zone, by CLDR's table."""
    from guestclock.databases import windows_zone_map

    for row in windows_zone_map():
        if row.territory == "001" and row.windows.casefold() == zone.casefold():
            return row.iana
    return None


def _short_id(system: System) -> str | None:
    """libosinfo's short id, None where it has none that is known here."""
    if system.family == "windows":
        return system.id or None
    if system.family != "linux":
        version = (system.version or "").partition("-")[0]
        return f"{system.family}{version}" if version else None
    id = system.id
    if system.version is None or id in ("arch", "gentoo", "opensuse-tumbleweed"):
        return _ROLLING.get(id)
    version = system.version
    if id in _MAJOR:
        version = version.partition(".")[0]
    if id == "alpine":
        return "alpinelinux" + ".".join(version.split(".")[:2])
    return _LIBOSINFO.get(id, id) + version
