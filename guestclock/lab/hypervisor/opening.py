"""Opens the hosts of a lab, and decides once for each what runs it."""

from __future__ import annotations

import importlib.util
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from guestclock.lab.errors import LabError, MissingToolError
from guestclock.lab.hypervisor.daemon import Daemon, find_daemon
from guestclock.lab.hypervisor.folder import HostFolder, Settings
from guestclock.lab.hypervisor.libvirt import LibvirtHost
from guestclock.lab.hypervisor.processes import end_all
from guestclock.lab.hypervisor.qemu import QemuHost
from guestclock.lab.hypervisor.zone import keep_zone, zone_file

if TYPE_CHECKING:
    from guestclock.lab.hypervisor.interface import Hypervisor, Kind


def open_host(
    folder: Path, name: str, zone: str, time_file: Path | None, prefer: Kind | None
) -> Hypervisor:
    """Open a host, made where it is new. See the package's own `open_host`."""
    # Processes are known by this path, so it must be one and the same for all commands.
    host = HostFolder(folder.resolve(), name)
    host.make()
    settings = _settings(host, zone, prefer)
    if prefer is not None and settings.kind != prefer:
        raise LabError(
            f"host {name} runs on {settings.kind} and stays so",
            f"make another host for {prefer}",
        )
    if not settings.settled:
        keep_zone(host, zone)
        settings = _settle(host, settings, time_file, fall_back=prefer is None)
    opened = _of(host, settings, time_file)
    opened.set_zone(zone)
    return opened


def _of(host: HostFolder, settings: Settings, time_file: Path | None) -> LibvirtHost | QemuHost:
    if settings.kind == "libvirt":
        return LibvirtHost(host, Daemon(host, time_file))
    return QemuHost(host, time_file)


def _settings(host: HostFolder, zone: str, prefer: Kind | None) -> Settings:
    settings = host.settings()
    if settings is not None:
        return settings
    zone_file(zone)
    with host.locked():
        settings = host.settings()
        if settings is None:
            reason = None if prefer else _missing_for_libvirt()
            kind = prefer or ("qemu" if reason else "libvirt")
            settings = host.new_settings(kind, zone, reason)
            host.keep(settings)
        return settings


def _settle(
    host: HostFolder, settings: Settings, time_file: Path | None, fall_back: bool
) -> Settings:
    """Try what a new host is to run on: only a daemon that serves shows that libvirt works."""
    settled = replace(settings, settled=True)
    if settings.kind == "libvirt":
        daemon = Daemon(host, time_file)
        try:
            daemon.connection()
        except LabError as problem:
            if not fall_back:
                raise
            settled = replace(settled, kind="qemu", why_not_libvirt=problem.message)
        finally:
            daemon.close()
    with host.locked():
        now = host.known_settings()
        # Another command may have been first, and machines may be defined by now.
        if now.settled:
            return now
        settled = replace(settled, zone=now.zone, runtime=now.runtime)
        host.keep(settled)
    return settled


def _missing_for_libvirt() -> str | None:
    if importlib.util.find_spec("libvirt") is None:
        return "Python's libvirt module is not installed (guestclock[libvirt])"
    try:
        find_daemon()
    except MissingToolError as problem:
        return problem.message
    return None


def end_everything(lab: Path) -> list[int]:
    """End a lab's processes, found by their mark alone, and remove their sockets."""
    hosts = lab.resolve() / "hosts"
    left = end_all(hosts)
    for path in hosts.glob("*"):
        # Half a host may be all that is there; its processes are gone, and that is what counts.
        with suppress(LabError):
            settings = HostFolder(path, path.name).settings()
            if settings is not None:
                shutil.rmtree(settings.runtime, ignore_errors=True)
    return left
