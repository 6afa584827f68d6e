"""What each platform calls a system, and how it is told the clock that the system needs.

Where a platform cannot give the system the clock it needs, `cannot` says so: a name alone would
be copied into an image's properties and make it wrong.
"""

from __future__ import annotations

import os
import re
from functools import cache

from guestclock.disks.found import System

# osinfo-db: by the ID of os-release, the short id and the rest of the URL. The fields are the
# version as it is (0), its first number (1), its first two (2), and SUSE's service pack (3).
_OSINFO = {
    "almalinux": ("almalinux{1}", "almalinux.org/almalinux/{1}"),
    "alpine": ("alpinelinux{2}", "alpinelinux.org/alpinelinux/{2}"),
    "arch": ("archlinux", "archlinux.org/archlinux/rolling"),
    "centos": ("centos{2}", "centos.org/centos/{2}"),
    "centos-stream": ("centos-stream{1}", "centos.org/centos-stream/{1}"),
    "cirros": ("cirros{0}", "cirros-cloud.net/cirros/{0}"),
    "clear-linux-os": ("clearlinux", "clearlinux.org/clearlinux/rolling"),
    "debian": ("debian{1}", "debian.org/debian/{1}"),
    "debian-testing": ("debiantesting", "debian.org/debian/testing"),
    "fedora": ("fedora{1}", "fedoraproject.org/fedora/{1}"),
    "gentoo": ("gentoo", "gentoo.org/gentoo/rolling"),
    "mageia": ("mageia{1}", "mageia.org/mageia/{1}"),
    "manjaro": ("manjaro", "manjaro.org/manjaro/rolling"),
    "nixos": ("nixos-{2}", "nixos.org/nixos/{2}"),
    "ol": ("ol{2}", "oracle.com/ol/{2}"),
    "opensuse-leap": ("opensuse{2}", "opensuse.org/opensuse/{2}"),
    "opensuse-tumbleweed": ("opensusetumbleweed", "opensuse.org/opensuse/tumbleweed"),
    "rhel": ("rhel{2}", "redhat.com/rhel/{2}"),
    "rocky": ("rocky{1}", "rockylinux.org/rocky/{1}"),
    "slackware": ("slackware{2}", "slackware.com/slackware/{2}"),
    "sled": ("sled{3}", "suse.com/sled/{0}"),
    "sles": ("sles{3}", "suse.com/sles/{0}"),
    "sle": ("sle{3}", "suse.com/sle/{0}"),
    "ubuntu": ("ubuntu{2}", "ubuntu.com/ubuntu/{2}"),
    "void": ("voidlinux", "voidlinux.org/voidlinux/rolling"),
    "freebsd": ("freebsd{2}", "freebsd.org/freebsd/{2}"),
    "netbsd": ("netbsd{2}", "netbsd.org/netbsd/{2}"),
    "openbsd": ("openbsd{2}", "openbsd.org/openbsd/{2}"),
}
# qm.conf(5), ostype: the newer of a pair goes with the older's, as Proxmox names them.
_PROXMOX = {
    "win2k": "w2k",
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
# Words of Glance's list for os_distro that are not the ID of os-release (Glance's guide, "Useful
# image properties").
_DISTROS = {
    "opensuse-leap": "opensuse",
    "opensuse-tumbleweed": "opensuse",
    "dos": "msdos",
    "solaris": "opensolaris",
    "illumos": "opensolaris",
}
_ZONES = os.path.join(os.path.dirname(__file__), "..", "..", "data", "windows_zones.csv")
_UNKNOWN = "how it takes the RTC is not known"


def names(system: System) -> dict[str, object]:
    """By platform: `nova`, `libosinfo`, `proxmox`, `kubevirt`; each may have `cannot` or `note`.

    - nova: `os_type` and `os_distro`, the image's properties; None is one to leave out. Nova gives
      local time for os_type=windows and UTC for all else, and takes no third word
      (nova/virt/libvirt/driver.py `_set_clock`; nova/objects/fields.py `OSType`).
    - libosinfo: `id` (short) and `url`, as osinfo-db has them.
    - proxmox: `ostype` and `localtime`, 0 or 1 (qm.conf(5)).
    - kubevirt: `clock` of the domain, with `utc` or `timezone` (KubeVirt's API, `Clock`: it has
      neither libvirt's localtime nor its basis).
    """
    return {
        "nova": _nova(system),
        "libosinfo": _libosinfo(system),
        "proxmox": _proxmox(system),
        "kubevirt": _kubevirt(system),
    }


def _nova(system: System) -> dict[str, object]:
    windows, linux = system.family == "windows", system.family == "linux"
    distro = "windows" if windows else _DISTROS.get(system.id, system.id) or None
    kind = {"windows": "windows", "linux": "linux"}.get(system.family)
    found: dict[str, object] = {"os_type": kind, "os_distro": distro}
    if system.rtc == "unknown":
        return found | {"os_type": None if windows else kind, "cannot": _UNKNOWN}
    local = system.rtc == "local"
    if windows and not local:
        found |= {
            "os_type": None,
            "cannot": "a Windows with its RTC in UTC: os_type=windows gives it local time, and "
            "without os_type it lacks what Nova turns on for Windows",
        }
    elif local and not windows:
        found["cannot"] = "an RTC in local time for any system but Windows"
    elif windows:
        found["note"] = "the local time that it gives is that of the compute host"
    elif not linux:
        found["note"] = "Nova takes linux and windows only: without os_type the RTC is in UTC"
    return found


def _libosinfo(system: System) -> dict[str, object]:
    if system.family == "windows" and system.id.startswith("win"):
        return {"id": system.id, "url": f"http://microsoft.com/win/{system.id.removeprefix('win')}"}
    key = _osinfo_key(system)
    version = re.match(r"\d+(?:\.\d+)*", system.version or "")
    if key not in _OSINFO:
        return {"id": None, "cannot": "osinfo-db has no such system, as far as is known here"}
    short, url = _OSINFO[key]
    if "{" not in short:
        return {"id": short, "url": f"http://{url}"}
    if version is None:
        return {"id": None, "cannot": "its version is not known, and osinfo-db goes by that"}
    first, second = (*version[0].split("."), "0")[:2]
    pack = first if second == "0" else f"{first}sp{second}"
    fields = (version[0], first, f"{first}.{second}", pack)
    return {"id": short.format(*fields), "url": f"http://{url.format(*fields)}"}


def _osinfo_key(system: System) -> str:
    name, version = system.name.lower(), system.version
    if system.id == "centos" and "stream" in name:
        return "centos-stream"
    if system.id == "debian" and version is None:
        return "debian-testing"
    # From 15 on SUSE's editions are one entry of osinfo-db.
    if system.id in ("sles", "sled") and version and version.startswith(("15", "16")):
        return "sle"
    return system.id


def _proxmox(system: System) -> dict[str, object]:
    ostype = "l26" if system.family == "linux" else "other"
    if system.family == "windows":
        ostype = _PROXMOX.get(system.id, "other")
    elif system.id in ("solaris", "illumos"):
        ostype = "solaris"
    if system.rtc == "unknown":
        return {"ostype": ostype, "localtime": None, "cannot": _UNKNOWN}
    found: dict[str, object] = {"ostype": ostype, "localtime": int(system.rtc == "local")}
    if system.rtc == "local":
        found["note"] = "the local time is that of the node"
    return found


def _kubevirt(system: System) -> dict[str, object]:
    if system.rtc == "unknown":
        return {"cannot": _UNKNOWN}
    if system.rtc == "utc":
        return {"clock": {"utc": {}}}
    if system.utc_offset_minutes:
        return {"clock": {"utc": {"offsetSeconds": 60 * system.utc_offset_minutes}}}
    if system.zone is None:
        return {"cannot": "KubeVirt gives local time by a zone's name, and its zone is not known"}
    if system.family != "windows":
        return {"clock": {"timezone": system.zone}}
    zone = _iana(system.zone)
    if zone is None:
        return {"cannot": "KubeVirt gives local time by an IANA name, and its zone has none"}
    note = "an hour off at its first start after a change of summer time while it was shut down"
    return {"clock": {"timezone": zone}, "note": note}


@cache
def _iana(zone: str) -> str | None:
    """The IANA name of a Windows zone: the first row of its default territory in CLDR's table.

    One row is all that is wanted here: reading the table into a WindowsMap would take longer than
    reading the disk.
    """
    row = f"{zone.casefold()},001,"
    with open(_ZONES, encoding="utf-8") as table:
        for line in table:
            if line.casefold().startswith(row):
                return line.split(",")[2]
    return None
