"""Finds and ends the processes of a lab host, and no others.

Their mark is their HOME: the host's own folder. libvirt hands HOME on to everything it starts,
even to the emulators it only asks what they can do, where no variable of ours would get through.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from guestclock.lab import faketime

_PROC = Path("/proc")
SUPERVISOR = "guestclock.lab.hypervisor.supervisor"
# What is ended may just have started something: look again, but not for ever.
_ROUNDS = 5


def home_of(pid: int) -> str | None:
    """The HOME a process was started with; None when it is gone, has none or is not ours."""
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    for entry in environment.split(b"\0"):
        if entry.startswith(b"HOME="):
            return os.fsdecode(entry[5:])
    return None


def lives_in(pid: int, folder: Path) -> bool:
    """Say whether a process is one of a host's (its folder), or of a lab's (a folder above)."""
    home = home_of(pid)
    # A zombie has no environment any more, so what is found here still runs.
    return home is not None and Path(home).is_relative_to(folder)


def living_in(folder: Path) -> Iterator[int]:
    """Yield the pids of all processes whose HOME is `folder` or lies below it."""
    for entry in os.scandir(_PROC):
        if entry.name.isdecimal() and lives_in(int(entry.name), folder):
            yield int(entry.name)


def recorded(pid_file: Path, folder: Path) -> int | None:
    """The pid in a file, if that process still runs and is one of the folder's own."""
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if lives_in(pid, folder) else None


def name_of(pid: int) -> str:
    """The short name of a process (15 letters at most); empty when it is gone."""
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""


def arguments_of(pid: int) -> list[str]:
    """The arguments of a process; none when it is gone."""
    try:
        return os.fsdecode((_PROC / str(pid) / "cmdline").read_bytes()).split("\0")
    except OSError:
        return []


def wait_end(pid: int, seconds: float) -> bool:
    """Wait until a process has ended, at most so many seconds; True when it has."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return _ended(handle, time.monotonic() + seconds)
    finally:
        os.close(handle)


def end(pids: Iterable[int], folder: Path, seconds: float, first: int = signal.SIGTERM) -> None:
    """Signal each process that lives in `folder`; kill what still runs after so many seconds.

    Each is held by a pidfd before its mark is read, so a pid that was used again is never hit.
    """
    handles: dict[int, int] = {}
    try:
        for pid in pids:
            try:
                handles[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            if lives_in(pid, folder):
                _send(handles[pid], first)
            else:
                os.close(handles.pop(pid))
        deadline = time.monotonic() + seconds
        late = [handle for handle in handles.values() if not _ended(handle, deadline)]
        for handle in late:
            _send(handle, signal.SIGKILL)
        for handle in late:
            _ended(handle, time.monotonic() + seconds)
    finally:
        for pid, handle in handles.items():
            os.close(handle)
            faketime.forget(pid)


def end_all(folder: Path, seconds: float = 5.0) -> list[int]:
    """End every process that lives in `folder`; the pids that would not end.

    Machines first, then daemons; supervisors reap both and go by themselves when all are gone.
    """
    for _ in range(_ROUNDS):
        pids = set(living_in(folder))
        if not pids:
            return []
        supervisors = {pid for pid in pids if SUPERVISOR in arguments_of(pid)}
        machines = {pid for pid in pids if name_of(pid).startswith("qemu-")}
        end(machines, folder, seconds, signal.SIGKILL)
        end(pids - machines - supervisors, folder, seconds)
        end((pid for pid in supervisors if not wait_end(pid, seconds)), folder, seconds)
    return sorted(living_in(folder))


def _send(handle: int, number: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)


def _ended(handle: int, deadline: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
