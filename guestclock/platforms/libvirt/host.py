"""What is seen, through /proc, of the host of a local libvirt connection: its daemon and QEMUs.

A QEMU inherits the daemon's mount namespace, so the /etc/localtime that the daemon sees is that of
the next machine to start, in containers too. The daemon's own TZ counts for basis='localtime'.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from guestclock.evidence import Fact, Inferred, Observed, Unknown
from guestclock.law import Host
from guestclock.machine import Process
from guestclock.platforms.qemu.dialect import NoQemu, parse_words
from guestclock.platforms.qemu.localtime import zone_of_root
from guestclock.platforms.qemu.process import QemuProcess, qemu_processes
from guestclock.platforms.text import clean
from guestclock.rtc import BadRtcArguments, RtcArguments

_DAEMONS = ("libvirtd", "virtqemud")
_SOCKETS = ("virtqemud-sock", "libvirt-sock")
_NO_PROCESS = Unknown(
    "no QEMU process with this machine's uuid is seen on this host", "run guestclock as root there"
)


class LocalHost:
    """The host of a local connection to libvirt's QEMU driver."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._processes: dict[str, list[QemuProcess]] = {}

    def host(self, given: Host) -> Host:
        """The host for the next machine to start; what was given counts for what is not seen."""
        daemon = find_daemon(self._uri)
        if daemon is None:
            zone = zone_of_root("", "this host")
            daemon_zone = given.daemon_zone
        else:
            zone = daemon.localtime_zone()
            own = daemon.environment_zone()
            daemon_zone = given.daemon_zone if isinstance(own, Unknown) else own.value
        if isinstance(zone, Unknown):
            zone = given.zone if not isinstance(given.zone, Unknown) else zone
        else:
            zone = Inferred(zone.value, f"{zone.where}; QEMU will see the same")
        return replace(given, zone=zone, daemon_zone=daemon_zone)

    def process(self, uuid: str, name: str) -> QemuProcess | Unknown:
        """The process of a running machine. Those of all machines are looked up at once.

        Where several daemons of this host have a machine of that uuid, libvirt's pid file says
        which is meant.
        """
        if uuid not in self._processes:
            self._processes = _by_uuid()
        found = self._processes.get(uuid, [])
        if len(found) > 1:
            recorded = set(_recorded(self._uri, name))
            found = [process for process in found if process.pid in recorded]
        return found[0] if len(found) == 1 else _NO_PROCESS


def is_local(uri: str) -> bool:
    """Whether a connection ends at a QEMU driver on this host, so that /proc shows its machines."""
    parts = urlsplit(uri)
    return parts.scheme in ("qemu", "qemu+unix") and not parts.netloc


def find_daemon(uri: str) -> QemuProcess | None:
    """The process that serves a local connection, found by its socket; None where it is not seen.

    An embedded driver is this very process.
    """
    parts = urlsplit(uri)
    if parts.path == "/embed":
        return QemuProcess(os.getpid())
    inodes = _listening(set(_socket_paths(parts.path, parse_qs(parts.query).get("socket", []))))
    for name in os.listdir("/proc"):
        if name.isdigit() and _comm(name) in _DAEMONS and inodes & set(_sockets(name)):
            return QemuProcess(int(name))
    return None


def _socket_paths(path: str, given: list[str]) -> Iterator[str]:
    if given:
        yield os.path.realpath(given[0])
        return
    for socket in _SOCKETS:
        yield os.path.realpath(os.path.join(_state_folder(path, given), socket))


def _state_folder(path: str, given: list[str]) -> str:
    if given:
        return os.path.dirname(given[0])
    if path != "/session":
        return "/run/libvirt"
    runtime = os.environ.get("XDG_RUNTIME_DIR") or str(Path.home() / ".cache")
    return os.path.join(runtime, "libvirt")


def _recorded(uri: str, name: str) -> Iterator[int]:
    """The pid in libvirt's file for a machine of a session, or of the system."""
    parts = urlsplit(uri)
    folder = _state_folder(parts.path, parse_qs(parts.query).get("socket", []))
    for place in (f"{folder}/qemu/run/{name}.pid", f"{folder}/qemu/{name}.pid"):
        try:
            yield int(Path(place).read_text())
        except (OSError, ValueError):
            continue


def _listening(paths: set[str]) -> set[str]:
    """The inodes of the unix sockets at some paths, as /proc/net/unix has them."""
    try:
        lines = Path("/proc/net/unix").read_text(errors="surrogateescape").splitlines()[1:]
    except OSError:
        return set()
    fields = (line.split(maxsplit=7) for line in lines)
    return {field[6] for field in fields if len(field) == 8 and os.path.realpath(field[7]) in paths}


def _comm(pid: str) -> str:
    try:
        return Path("/proc", pid, "comm").read_text(errors="replace").strip()
    except OSError:
        return ""


def _sockets(pid: str) -> Iterator[str]:
    """The inodes of a process's open sockets; none where that may not be read."""
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            target = os.readlink(entry.path)
            if target.startswith("socket:["):
                yield target[8:-1]
    except OSError:
        return


def _by_uuid() -> dict[str, list[QemuProcess]]:
    found: dict[str, list[QemuProcess]] = {}
    for process in qemu_processes():
        words = process.words()
        if isinstance(words, Observed):
            try:
                found.setdefault(parse_words(words.value).uuid, []).append(process)
            except NoQemu:
                continue
    return found


def process_facts(process: QemuProcess) -> Process:
    """What /proc shows of a QEMU process."""
    return Process(process.pid, _arguments(process), process.environment_zone())


def _arguments(process: QemuProcess) -> Fact[RtcArguments]:
    words = process.words()
    if isinstance(words, Unknown):
        return words
    try:
        return Observed(parse_words(words.value).arguments, words.where)
    except (NoQemu, BadRtcArguments) as problem:
        return Unknown(f"{words.where}: {clean(str(problem))}")
