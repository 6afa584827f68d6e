"""Other systems, by a marker that is cheap to see: at least their name, where it is a rule the RTC.

None of them is modelled further; what is not written here is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.systems.assignments import assignments, short, shown
from guestclock.disks.systems.interface import Moment
from guestclock.disks.systems.local_zone import read_zone
from guestclock.disks.tree import Tree

_RTC_CONFIG = "etc/rtc_config"
_MAC = "System/Library/CoreServices/SystemVersion.plist"
_BUILD = "system/build.prop"
_PRODUCT = re.compile(
    r"<key>(ProductName|ProductVersion)</key>\s{0,80}<string>([^<]{1,60})</string>"
)
_NO_ZONE = "it keeps no zone: its clock is the wall's"


def detect(tree: Tree, budget: Budget, at: Moment) -> Iterator[System]:
    """illumos and Solaris, macOS, Android, DOS and the Windows that runs on it."""
    for reader in (_solaris, _macos, _android, _dos):
        system = reader(tree, at)
        if system is not None:
            yield system
            return


def _solaris(tree: Tree, at: Moment) -> System | None:
    """The RTC is in the zone of /etc/rtc_config, UTC where there is none (rtc(8) of illumos)."""
    if tree.find("etc/driver_aliases") is None or tree.find("etc/release") is None:
        return None
    system = System("other", "Solaris", id="solaris")
    try:
        line = (tree.text("etc/release") or "").strip().partition("\n")[0].strip()
        system.name = shown(line) or "Solaris"
        if not line.startswith(("Oracle Solaris", "Solaris")):
            system.id = "illumos"
        number = re.search(r"\d[\w.-]{0,30}", line)
        system.version = number[0] if number else None
        if number:
            system.saw("version", "/etc/release", raw=line)
        zone = assignments(tree.text(_RTC_CONFIG) or "").get("zone_info")
        utc = zone in (None, "GMT", "UTC", "Etc/UTC", "Etc/GMT")
        system.rtc = "utc" if utc else "local"
        system.saw("rtc", f"/{_RTC_CONFIG}", "zone_info", raw=zone or "not set")
        zone = zone or assignments(tree.text("etc/default/init") or "").get("TZ")
        if zone and re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]{1,60}", zone):
            system.zone = zone
            system.saw("zone", f"/{_RTC_CONFIG}", "zone_info", raw=zone)
        else:
            system.lacks("zone", Reason.NOT_RECORDED, f"its zone is {short(zone)}")
    except DiskProblem as problem:
        system.lacks("rtc", problem)
    return system


def _macos(tree: Tree, at: Moment) -> System | None:
    text = tree.text(_MAC)
    if text is None:
        return None
    fields = dict(_PRODUCT.findall(text))
    fields = {key: shown(value) for key, value in fields.items()}
    system = System("other", "macOS", fields.get("ProductVersion"), "macos")
    system.name = " ".join(one for one in (fields.get("ProductName"), system.version) if one)
    if system.version:
        system.saw("version", f"/{_MAC}", "ProductVersion", raw=system.version)
    system.lacks("rtc", Reason.NOT_RECORDED, "how macOS takes its RTC is not written on its disk")
    read_zone(tree, system, at)
    return system


def _android(tree: Tree, at: Moment) -> System | None:
    text = tree.text(_BUILD)
    if text is None:
        return None
    pairs = (line.partition("=") for line in text.split("\n"))
    version = {key: value.strip() for key, _, value in pairs}.get("ro.build.version.release", "")
    version = shown(version, 30)
    system = System("other", f"Android {version}".strip(), version or None, "android")
    if version:
        system.saw("version", f"/{_BUILD}", "ro.build.version.release", raw=version)
    system.lacks("rtc", Reason.NOT_RECORDED, "its devices each keep their RTC in another way")
    system.lacks("zone", Reason.NOT_RECORDED, "it is a property of the data partition")
    return system


def _dos(tree: Tree, at: Moment) -> System | None:
    """DOS has no idea of UTC: the RTC is the wall's clock, in no zone."""
    name = _dos_name(tree)
    if name is None:
        return None
    system = System("other", name, id="freedos" if name == "FreeDOS" else "dos", rtc="local")
    if name.startswith("Windows"):
        system.id = "win9x"
    system.saw("rtc", "/COMMAND.COM", raw="it is there")
    system.lacks("version", Reason.NOT_RECORDED, "no file says which version it is")
    system.lacks("zone", Reason.NOT_RECORDED, _NO_ZONE)
    return system


def _dos_name(tree: Tree) -> str | None:
    if not _has_bytes(tree, "COMMAND.COM"):
        return None
    if tree.find("WINDOWS/SYSTEM.DAT") is not None:
        return "Windows 95, 98 or Me"
    if _has_bytes(tree, "KERNEL.SYS"):
        return "FreeDOS"
    # Windows NT leaves both empty beside itself.
    if _has_bytes(tree, "IO.SYS") or _has_bytes(tree, "IBMBIO.COM"):
        return "DOS"
    return None


def _has_bytes(tree: Tree, path: str) -> bool:
    node = tree.find(path)
    return node is not None and node.size > 0
