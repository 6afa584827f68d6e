"""A host's zone: written down, checked, and put where its processes look for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from guestclock.databases import SYSTEM_ROOT
from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor.folder import HostFolder
from guestclock.lab.hypervisor.namespace import set_localtime


def zone_file(zone: str) -> Path:
    """The system's file of a zone. Raises LabError: QEMU would silently take UTC instead."""
    path = SYSTEM_ROOT / zone
    if ".." not in path.parts and path.is_relative_to(SYSTEM_ROOT):
        try:
            with path.open("rb") as file:
                if file.read(4) == b"TZif":
                    return path
        except OSError:
            pass
    raise LabError(
        f"this machine has no zone {zone!r}",
        "give a name such as Asia/Shanghai; Debian keeps old names in tzdata-legacy",
    )


def keep_zone(host: HostFolder, zone: str) -> bool:
    """Write down a host's zone and make it its /etc/localtime; True when it was another."""
    file = zone_file(zone)
    with host.locked():
        settings = host.known_settings()
        set_localtime(host.path / "etc", zone, file)
        if settings.zone == zone:
            return False
        host.keep(replace(settings, zone=zone))
        return True
