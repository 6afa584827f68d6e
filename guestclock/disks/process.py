"""A process of our own that does one thing apart from us: made by fork, watched, ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import NoReturn

from guestclock.disks.channel import Channel, channel_pair

_PATIENCE_MS = 2000
_BROKEN = 70
# Where a process can see what it has open; the second one on macOS and the BSDs.
_OPEN_HERE = ("/proc/self/fd", "/dev/fd")


class Process:
    """A child that has started; `channel` is how to talk to it."""

    def __init__(self, serve: Callable[[Channel], None]) -> None:
        """Forks. The child does `serve` with its end of the channel, and never returns."""
        self.channel, other = channel_pair()
        self._pid = os.fork()
        if self._pid == 0:
            _live(serve, other)
        other.close()
        self._status: int | None = None

    def is_running(self) -> bool:
        """Whether it has not ended, as the kernel ends a process when memory is short."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self._pid, os.WNOHANG)
            except ChildProcessError:
                # Somebody in this program waits for all children.
                pid, status = self._pid, 0
            if pid:
                self._status = status
        return self._status is None

    def end(self) -> None:
        """Ends it, whatever it does."""
        if self.is_running():
            os.kill(self._pid, signal.SIGKILL)
            self._wait()
        self.channel.close()

    def signal_of_death(self) -> int:
        """The signal that ended a process which has closed its channel, 0 where none did."""
        if self.is_running() and not _ends(self._pid):
            os.kill(self._pid, signal.SIGKILL)
        status = self._wait()
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def _wait(self) -> int:
        if self._status is None:
            try:
                self._status = os.waitpid(self._pid, 0)[1]
            except ChildProcessError:
                self._status = 0
        return self._status


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


def _live(serve: Callable[[Channel], None], channel: Channel) -> NoReturn:
    """The whole life of the child: nothing of the parent's is flushed, called or finished in it."""
    status = _BROKEN
    try:
        _close_all_but(channel.fileno())
        serve(channel)
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
