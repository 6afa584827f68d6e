"""Which Windows it is: product, edition and build, and libosinfo's name for it."""

from __future__ import annotations

from guestclock.disks.found import System
from guestclock.disks.problem import Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key

CURRENT = "Microsoft\\Windows NT\\CurrentVersion"
# From which build on, the name of the client and of the server (osinfo-db).
_BUILDS = (
    (26100, "win11", "win2k25"),
    (22000, "win11", "win2k25"),
    (20348, "win10", "win2k22"),
    (17763, "win10", "win2k19"),
    (10240, "win10", "win2k16"),
    (9600, "win8.1", "win2k12r2"),
    (9200, "win8", "win2k12"),
    (7600, "win7", "win2k8r2"),
    (6000, "winvista", "win2k8"),
    (3790, "winxp", "win2k3"),
    (2600, "winxp", "win2k3"),
    (2195, "win2k", "win2k"),
)
_WINDOWS_11 = 22000


def read_version(hive: Hive, path: str, system: System) -> None:
    """Fills in name, version, id and the details edition and installation. Raises DiskProblem."""
    key = hive.key(CURRENT)
    if key is None:
        system.lacks("version", Reason.NOT_RECORDED, f"{path} has no key {CURRENT}")
        return
    product = _text(key, "ProductName") or "Windows"
    build = _text(key, "CurrentBuild") or _text(key, "CurrentBuildNumber")
    number = int(build) if build.isascii() and build.isdigit() and len(build) < 8 else 0
    server = "Server" in product or "server" in _text(key, "InstallationType").lower()
    if not server and number >= _WINDOWS_11:
        # Microsoft left the product's name as it was.
        product = product.replace("Windows 10", "Windows 11")
    system.name = product
    system.id = _id(number, server)
    release = _text(key, "DisplayVersion") or _text(key, "ReleaseId") or _text(key, "CSDVersion")
    revision = key.value("UBR")
    patch = revision.dword() if revision else None
    if build:
        full = f"{build}.{patch}" if patch is not None else build
        system.version = f"{release} ({full})" if release else full
        system.saw("version", path, f"{CURRENT}\\CurrentBuild", "REG_SZ", full)
    else:
        system.lacks("version", Reason.NOT_RECORDED, f"{CURRENT} has no CurrentBuild")
    system.details["edition"] = _text(key, "EditionID") or None
    system.details["installation"] = _text(key, "InstallationType") or None


def _text(key: Key, name: str) -> str:
    value = key.value(name)
    return ((value.text() if value else None) or "").strip()[:120]


def _id(build: int, server: bool) -> str:
    for first, client, of_server in _BUILDS:
        if build >= first:
            return of_server if server else client
    return ""
