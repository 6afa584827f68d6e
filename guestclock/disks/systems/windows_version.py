"""Which Windows it is: product, edition and build, and libosinfo's name for it."""

from __future__ import annotations

from guestclock.disks.found import System
from guestclock.disks.problem import Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.systems.windows_hives import Values

CURRENT = "Microsoft\\Windows NT\\CurrentVersion"
# From which build on, the name of the client and of the server (osinfo-db).
_BUILDS = (
    (26_100, "win11", "win2k25"),
    (22_000, "win11", "win2k22"),
    (20_348, "win10", "win2k22"),
    (17_763, "win10", "win2k19"),
    (14_393, "win10", "win2k16"),
    (10_240, "win10", ""),
    (9_600, "win8.1", "win2k12r2"),
    (9_200, "win8", "win2k12"),
    (7_600, "win7", "win2k8r2"),
    (6_000, "winvista", "win2k8"),
    (3_790, "winxp", "win2k3"),
    (2_600, "winxp", ""),
    (2_195, "win2k", "win2k"),
    (1_381, "winnt4.0", "winnt4.0"),
)
_WINDOWS_11 = 22_000


def read_version(software: Hive, path: str, system: System) -> None:
    """Fills in name, version (release and build) and id. Raises DiskProblem.

    Details: `edition` (EditionID), `installation` (InstallationType: Client, Server, Server Core).
    """
    values = Values(software.key(CURRENT), path, CURRENT)
    product, installation = values.text("ProductName"), values.text("InstallationType")
    build, told_by = _build(values)
    server = _is_server(product, installation)
    details = {"edition": values.text("EditionID") or None, "installation": installation or None}
    version = _version(values, build)
    if product:
        values.saw(system, "name", "ProductName")
        system.name = product
        if not server and build >= _WINDOWS_11:
            # Microsoft left the product's name as it was.
            system.name = product.replace("Windows 10", "Windows 11")
        system.id = _id(build, server, product)
    else:
        missing = f"{CURRENT}\\ProductName" if values.there else f"key {CURRENT}"
        system.lacks("name", Reason.NOT_RECORDED, f"{path} has no {missing}")
    if build:
        values.saw(system, "version", told_by)
        system.version = version
    else:
        system.lacks("version", Reason.NOT_RECORDED, f"{path} has no {CURRENT}\\CurrentBuild")
    system.details.update(details)


def _build(values: Values) -> tuple[int, str]:
    """The build and the value that has it; Windows XP's CurrentBuild is an obsolete text."""
    for name in ("CurrentBuild", "CurrentBuildNumber"):
        text = values.text(name)
        if text.isascii() and text.isdigit() and len(text) < 7:
            return int(text), name
    return 0, ""


def _version(values: Values, build: int) -> str:
    """Such as "21H2 (20348.2700)"; ReleaseId stopped at 2009, where DisplayVersion begins."""
    revision = values.number("UBR")
    full = str(build) if revision is None else f"{build}.{revision}"
    names = ("DisplayVersion", "ReleaseId", "CSDVersion")
    release = next((text for name in names if (text := values.text(name))), "")
    return f"{release} ({full})" if release else full


def _is_server(product: str, installation: str) -> bool:
    """By InstallationType, which says Client or Server since Windows Vista, else by the name."""
    if installation:
        return "server" in installation.lower()
    return "server" in product.lower()


def _id(build: int, server: bool, product: str) -> str:
    if server and "2003 R2" in product:
        return "win2k3r2"
    for first, client, of_server in _BUILDS:
        if build >= first:
            return of_server if server else client
    return ""
