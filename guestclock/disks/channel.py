"""What the program and its reader say to each other: small JSON messages, bytes, descriptors.

Neither side allocates by a length that the other one claims, and nothing is unpickled: what comes
from a reader, which has seen hostile bytes, is data and no more.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from typing import Any, NamedTuple

MOST_TEXT = 16 << 20
"""The longest message, in bytes of JSON."""

MOST_DATA = 4 << 20
"""The most bytes that come with a message."""

_HEAD = struct.Struct("<II")
_PIECE = 1 << 16


class Gone(Exception):
    """The other side has closed the channel, as a process does when it ends."""


class Late(Exception):
    """The other side neither spoke nor listened in time."""


class Garbled(Exception):
    """What came is no message."""


class Message(NamedTuple):
    """What came: an object, the bytes that belong to it, and a descriptor, or None."""

    text: dict[str, Any]
    data: bytes = b""
    descriptor: int | None = None


class Channel:
    """One end of a socket pair. Whoever receives a descriptor has to close it."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(
        self,
        text: dict[str, Any],
        data: bytes = b"",
        descriptor: int | None = None,
        deadline: float | None = None,
    ) -> None:
        """Sends a message; the descriptor stays open here too. Raises Gone, Late, Garbled.

        `deadline` is a reading of time.monotonic(), None to wait for ever.
        """
        told = json.dumps(text).encode()
        if len(told) > MOST_TEXT or len(data) > MOST_DATA:
            raise Garbled("a message is too long to be sent")
        rest = memoryview(_HEAD.pack(len(told), len(data)) + told + data)
        try:
            self._wait_until(deadline)
            if descriptor is not None:
                rest = rest[socket.send_fds(self._end, [rest[:_PIECE]], [descriptor]) :]
            while rest:
                self._wait_until(deadline)
                rest = rest[self._end.send(rest) :]
        except TimeoutError:
            raise Late from None
        except OSError:
            raise Gone from None

    def receive(self, deadline: float | None = None, descriptors: bool = False) -> Message:
        """The next message; a descriptor is only taken where one may come.

        Raises Gone, Late, Garbled.
        """
        found: list[int] = []
        try:
            head = self._exactly(_HEAD.size, deadline, found if descriptors else None)
            long, more = _HEAD.unpack(head)
            if long > MOST_TEXT or more > MOST_DATA:
                raise Garbled("a message is too long to be one")
            text = _object(self._exactly(long, deadline))
            data = self._exactly(more, deadline)
        except BaseException:
            _close(found)
            raise
        _close(found[1:])
        return Message(text, data, found[0] if found else None)

    def _exactly(
        self, count: int, deadline: float | None, descriptors: list[int] | None = None
    ) -> bytes:
        whole = bytearray()
        while len(whole) < count:
            part = self._some(min(count - len(whole), _PIECE), deadline, descriptors)
            if not part:
                raise Gone
            whole += part
        return bytes(whole)

    def _some(self, most: int, deadline: float | None, descriptors: list[int] | None) -> bytes:
        try:
            self._wait_until(deadline)
            if descriptors is None:
                return self._end.recv(most)
            part, found, _, _ = socket.recv_fds(self._end, most, 1)
        except TimeoutError:
            raise Late from None
        except OSError:
            raise Gone from None
        descriptors += found
        for one in found:
            os.set_inheritable(one, False)
        return part

    def _wait_until(self, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self._end.settimeout(left)


def _object(told: bytes) -> dict[str, Any]:
    try:
        text = json.loads(told)
    except (ValueError, RecursionError):
        raise Garbled("a message is not JSON") from None
    if not isinstance(text, dict):
        raise Garbled("a message is no JSON object")
    return text


def _close(descriptors: list[int]) -> None:
    for one in descriptors:
        os.close(one)
