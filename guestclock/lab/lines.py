"""Lines of text to and from a QEMU, with a deadline for each."""

from __future__ import annotations

import errno
import select
import socket
import time
from pathlib import Path
from typing import Protocol

from guestclock.lab.errors import LabError


class Closed(LabError):
    """The other side is gone: its process has ended, or somebody took the connection."""


class TookTooLong(LabError):
    """The other side said nothing within the time it was given."""


class Stream(Protocol):
    """What lines travel over: a socket, or a pair of pipes that looks like one."""

    def fileno(self) -> int:
        """The descriptor to wait on until there is something to read."""
        ...

    def recv(self, size: int, /) -> bytes:
        """Read what is there; nothing means the end."""
        ...

    def sendall(self, data: bytes, /) -> None:
        """Write it all."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Lines:
    """Reads and writes lines; `name` is how errors call the other side."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._name = name
        self._pending = bytearray()
        self._poll = select.poll()
        self._poll.register(stream.fileno(), select.POLLIN)

    def send(self, line: bytes) -> None:
        """Send one line. Raises Closed."""
        try:
            self._stream.sendall(line + b"\n")
        except OSError as error:
            raise Closed(f"{self._name} has gone: {error.strerror or error}") from error

    def receive(self, deadline: float) -> bytes:
        """The next line without its end, waited for until `deadline` (of time.monotonic).

        Raises TookTooLong at the deadline and Closed at the end of the stream. Lines that have
        come already are still given after it.
        """
        while (end := self._pending.find(b"\n")) < 0:
            left = deadline - time.monotonic()
            if not self._poll.poll(max(0, left) * 1000):
                raise TookTooLong(f"{self._name} did not answer in time")
            try:
                data = self._stream.recv(65536)
            except OSError as error:
                raise Closed(f"{self._name} has gone: {error.strerror or error}") from error
            if not data:
                raise Closed(f"{self._name} has gone")
            self._pending += data
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return line.rstrip(b"\r")

    def close(self) -> None:
        """Close the connection; twice does no harm."""
        self._stream.close()


def connect(path: Path, name: str) -> socket.socket:
    """A connection to a unix socket on which a QEMU or a daemon listens already.

    Raises LabError, with what is wrong, where nobody listens or the path is too long for a socket.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        if error.errno in (errno.ENOENT, errno.ECONNREFUSED):
            raise Closed(f"nobody listens on {path}", f"{name} is not running") from error
        # A path that is too long is an error without a number.
        raise LabError(f"{path} cannot be connected to: {error}") from error
    return connection
