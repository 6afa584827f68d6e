"""The hosts of a lab: real libvirt where there is one, else plain QEMU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from guestclock.lab.hypervisor.interface import Hypervisor, Kind


def open_host(
    folder: Path,
    name: str,
    zone: str,
    time_file: Path | None = None,
    prefer: Kind | None = None,
) -> Hypervisor:
    """Open the host `name` of a lab; `folder` is the host's own, LAB/hosts/NAME.

    A new host is made: on libvirt where that works, else on QEMU, unless `prefer` says which; it
    stays what it is. `zone` is what its machines see from their next cold start. With
    `time_file` all its processes follow the "+SECONDS" in that file (libfaketime). Raises
    LabError.
    """
    from guestclock.lab.hypervisor.opening import open_host

    return open_host(folder, name, zone, time_file, prefer)


def why_not_libvirt(folder: Path) -> str | None:
    """Say why an opened host runs on plain QEMU; None when libvirt runs it, or it was asked so."""
    from guestclock.lab.hypervisor.folder import HostFolder

    return HostFolder(folder.resolve(), folder.name).known_settings().why_not_libvirt


def end_everything(lab: Path) -> list[int]:
    """End every process of all hosts of a lab (LAB/hosts/*); its machines lose power.

    Needs no daemon and no file that is whole, only the processes' mark, their HOME.
    Returns the pids that would not end, which should be none.
    """
    from guestclock.lab.hypervisor.opening import end_everything

    return end_everything(lab)
