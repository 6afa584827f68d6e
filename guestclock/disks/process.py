"""A process of our own that does one thing apart from us: made by fork, watched, ended."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import NoReturn

_PATIENCE_MS = 2000
_BROKEN = 70
# Where a process can see what it has open; the second one on macOS and the BSDs.
_OPEN_HERE = ("/proc/self/fd", "/dev/fd")
_KILL = 9


class Process:
    """A child that can be started, and started again after its end; `end` is our socket to it."""

    end: socket.socket

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        """The child does `serve` with its own end, and nothing else."""
        self._serve = serve
        self._pid: int | None = None
        self._status = 0

    def start(self) -> None:
        """Forks."""
        self.end, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._pid = os.fork()
        if self._pid == 0:
            _live(self._serve, other)
        other.close()

    def is_running(self) -> bool:
        """Whether it has started and not ended, as the kernel ends one when memory is short."""
        self._wait(os.WNOHANG)
        return self._pid is not None

    def kill(self) -> None:
        """Ends it, whatever it does."""
        if self.is_running():
            assert self._pid is not None
            os.kill(self._pid, _KILL)
            self._wait()

    def signal_of_death(self) -> int:
        """The signal that ended a process which has closed its end, 0 where none did."""
        if self._pid is not None and not _ends(self._pid):
            self.kill()
        self._wait()
        return os.WTERMSIG(self._status) if os.WIFSIGNALED(self._status) else 0

    def _wait(self, options: int = 0) -> None:
        if self._pid is None:
            return
        try:
            pid, status = os.waitpid(self._pid, options)
        except ChildProcessError:
            # Somebody in this program waits for all children.
            pid, status = self._pid, 0
        if pid:
            self._pid, self._status = None, status
            self.end.close()


def _ends(pid: int) -> bool:
    """Whether it ends within moments; where the system cannot tell, it is taken to."""
    import select

    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return True
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(_PATIENCE_MS))
    finally:
        os.close(handle)


def _live(serve: Callable[[socket.socket], None], end: socket.socket) -> NoReturn:
    """The whole life of the child: nothing of the parent's is flushed, called or finished in it."""
    status = _BROKEN
    try:
        _close_all_but(end.fileno())
        serve(end)
        status = 0
    finally:
        os._exit(status)


def _close_all_but(kept: int) -> None:
    """Closes what the parent had open, other images and connections to databases among it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for one in (0, 1, 2):
        os.dup2(nowhere, one)
    for one in _open_ones():
        if one > 2 and one != kept:
            try:
                os.close(one)
            except OSError:
                # The one by which the list itself was read.
                continue


def _open_ones() -> list[int]:
    for folder in _OPEN_HERE:
        try:
            return [int(name) for name in os.listdir(folder)]
        except OSError:
            continue
    return list(range(3, min(os.sysconf("SC_OPEN_MAX"), 1 << 16)))
