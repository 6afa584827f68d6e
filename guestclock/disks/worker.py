"""Inspects images, each in a process that can reach nothing: one for many, made anew as it dies."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from guestclock.disks.process import Process

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from guestclock.disks.budget import Budget, Limits
    from guestclock.disks.inquiry import Inquiry
    from guestclock.disks.record import ImageRecord
    from guestclock.disks.source import Source


_ahead: list[Process] = []


def start_ahead() -> None:
    """Starts the process of the next Inspector now, which then makes itself ready meanwhile."""
    process = Process(_serve)
    process.start()
    _ahead.append(process)


def _serve(end: socket.socket) -> None:
    # Imported there, while the program goes on with what it needs itself.
    from guestclock.disks.channel import Channel
    from guestclock.disks.child import serve

    serve(Channel(end))


class Inspector:
    """Reads images one after the other, in a process that starts and ends with the `with`.

    `notes` are what the process could not be kept from here, known with the first answer.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        follow: bool = False,
        allowed: Sequence[str] = (),
        at: int | None = None,
    ) -> None:
        """`follow` and `allowed` are for backing files: whether they are read, and in which
        folders beside the image's own. `at` is in seconds since 1970, now where not given.
        """
        self.notes: list[str] = []
        self._process = _ahead.pop() if _ahead else Process(_serve)
        self._limits = limits
        self._at = int(time.time()) if at is None else at
        self._follow = follow
        self._allowed = tuple(allowed)

    def __enter__(self) -> Inspector:
        # As early as can be: before threads, connections and passwords are there to be copied.
        if not self._process.is_running():
            self._process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()

    def inspect(self, path: str, form: str | None = None) -> ImageRecord:
        """The image at a path or an http(s) address. Raises nothing that either could cause.

        `form` is the container's format where someone knows it, and is believed.
        """
        if path.startswith(("http://", "https://")):
            from guestclock.disks.remote.address import redacted
            from guestclock.disks.remote.http import at_address

            return self.inspect_source(at_address(path), redacted(path), form)
        return self._inquiry.about_file(path, form)

    def inspect_source(
        self, source: Source | Callable[[Budget], Source], path: str, form: str | None = None
    ) -> ImageRecord:
        """The image in a Source, or in what opens one; `path` is what it is called."""
        return self._inquiry.about_source(source, path, form)

    @cached_property
    def _inquiry(self) -> Inquiry:
        from guestclock.disks.inquiry import Inquiry

        return Inquiry(
            self._process, self._limits, self._at, self._follow, self._allowed, self.notes
        )
