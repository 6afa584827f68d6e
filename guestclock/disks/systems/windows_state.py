"""What else of a Windows matters for its clock: services, sealing, hibernation, cloudbase-init."""

from __future__ import annotations

from guestclock.disks.found import System
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.tree import Tree

_HIBERNATION = "hiberfil.sys"
# Without one of these the file is only kept in reserve.
_SAVED = (b"HIBR", b"hibr", b"WAKE", b"wake", b"RSTR", b"rstr")
_IMAGE_STATE = "Microsoft\\Windows\\CurrentVersion\\Setup\\State"
_SEALED = "GENERALIZE_RESEAL"
_CLOUDBASE = (
    "Program Files/Cloudbase Solutions/Cloudbase-Init/conf/cloudbase-init.conf",
    "Program Files/Cloudbase Solutions/Cloudbase-Init/conf/cloudbase-init-unattend.conf",
)
_AGENTS = ("QEMU-GA", "qemu-ga")
_SMALL = 64 << 10
_START = ("boot", "system", "automatic", "on demand", "disabled")


def read_services(control: Key, path: str, system: System) -> None:
    """Details `w32time`, `agent` and `fast_startup` from the control set. Raises DiskProblem."""
    services = control.key("Services")
    if services is not None:
        system.details["w32time"] = _w32time(services)
        system.details["agent"] = any(services.child(name) for name in _AGENTS)
    power = control.key("Control\\Session Manager\\Power")
    value = power.value("HiberbootEnabled") if power else None
    system.details["fast_startup"] = bool(value.dword()) if value else None


def _w32time(services: Key) -> dict[str, object] | None:
    key = services.key("W32Time")
    if key is None:
        return None
    start, parameters = key.value("Start"), key.key("Parameters")
    number = start.dword() if start else None
    kind = parameters.value("Type") if parameters else None
    peers = parameters.value("NtpServer") if parameters else None
    return {
        "start": _START[number] if number is not None and number < len(_START) else None,
        "type": kind.text() if kind else None,
        "peers": ((peers.text() if peers else None) or "").split(),
    }


def read_sealed(software: Hive, path: str, system: System) -> None:
    """The detail `sealed`: whether sysprep has generalized the image. Raises DiskProblem."""
    key = software.key(_IMAGE_STATE)
    value = key.value("ImageState") if key else None
    state = (value.text() if value else None) or ""
    system.details["sealed"] = _SEALED in state
    if state:
        system.saw("sealed", path, f"{_IMAGE_STATE}\\ImageState", "REG_SZ", state[:120])


def read_hibernation(tree: Tree, system: System) -> None:
    """The detail `hibernated`. Raises DiskProblem."""
    source = tree.open(_HIBERNATION)
    head = source.read_at(0, 4) if source is not None and source.size >= 4 else b""
    saved = head in _SAVED
    system.details["hibernated"] = saved
    if saved:
        system.warn(
            "hibernated",
            "Windows is hibernated, or was shut down for a fast start: it will go on with what it "
            "had in memory, and the registry on the disk may be older",
        )


def read_cloudbase(tree: Tree, system: System) -> None:
    """The detail `real_time_clock_utc`: what cloudbase-init sets RealTimeIsUniversal to at boot.

    None where it is not installed; its default is false. Raises DiskProblem.
    """
    found: bool | None = None
    for path in _CLOUDBASE:
        text = tree.text(path, _SMALL)
        if text is None:
            continue
        found = bool(found)
        for line in text.splitlines():
            name, sign, value = line.partition("=")
            if sign and name.strip().lower() == "real_time_clock_utc":
                found = value.strip().lower() in ("true", "1", "yes", "on")
                system.saw("real_time_clock_utc", f"/{path}", "real_time_clock_utc", raw=value)
    system.details["real_time_clock_utc"] = found
