"""Bytes of a file on a server, by ranges, each answer of which is checked.

Whatever way it is asked, a server may have no ranges, lie about them, or have another file the
next time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, NamedTuple, Protocol

from guestclock.disks.budget import Budget
from guestclock.disks.problem import Unreachable
from guestclock.disks.remote.blocks import BLOCK, Blocks
from guestclock.disks.source import FileSource, Memory, Source

_PART, _WHOLE, _NO_SUCH_RANGE = 206, 200, 416
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")
_NOTHING = re.compile(r"bytes \*/0")
_WHY = {
    401: "it asks for a login",
    403: "it does not let us",
    404: "there is nothing at that address",
    407: "the proxy asks for a login",
    429: "it is asked too often",
    503: "it is busy",
}


class Answer(NamedTuple):
    """What a server answers: headers by their names in lower case, and the body in pieces."""

    status: int
    headers: dict[str, str]
    body: Iterator[bytes]


class Transport(Protocol):
    """A way to ask a server for a part of one file."""

    def get(self, first: int, last: int, patience: float) -> AbstractContextManager[Answer]:
        """Asks for the bytes from `first` to `last`, both included, for `patience` seconds.

        Raises Unreachable, and so does reading the body.
        """
        ...


def opened(transport: Transport, budget: Budget) -> Source:
    """The file as a Source; a small one whole, where the server gives no ranges.

    The budget is one that has just begun. Raises DiskProblem.
    """
    asking = _Asking(transport, budget)
    budget.spend(BLOCK)
    with asking.get(0, BLOCK) as answer:
        if answer.status == _PART:
            return _by_ranges(asking, answer)
        if answer.status == _WHOLE:
            return _whole(answer, budget)
        about = answer.headers.get("content-range", "")
        if answer.status == _NO_SUCH_RANGE and _NOTHING.fullmatch(about):
            return Memory(b"")
        raise refused(answer)


class _Asking:
    """A transport with what there is left of time."""

    def __init__(self, transport: Transport, budget: Budget) -> None:
        self._transport = transport
        self.budget = budget
        self._deadline = time.monotonic() + budget.limits.timeout

    @contextmanager
    def get(self, offset: int, count: int) -> Iterator[Answer]:
        """The answer for `count` bytes at `offset`. Raises DiskProblem."""
        self.budget.tick()
        left = max(0.0, self._deadline - time.monotonic())
        try:
            with self._transport.get(offset, offset + count - 1, left) as answer:
                yield answer
        except Unreachable:
            # A connection that was cut as the time was over says nothing else of itself.
            self.budget.tick()
            raise


def _by_ranges(asking: _Asking, answer: Answer) -> Source:
    first, last, size = _range_of(answer)
    if first != 0:
        raise Unreachable(f"the server gave bytes from {first} on for those from 0 on")
    blocks = Blocks(size, _Ranges(asking, size, _version(answer)).fetch)
    blocks.keep(_exactly(answer, min(last + 1, BLOCK), asking.budget))
    return blocks


def _whole(answer: Answer, budget: Budget) -> Source:
    said = answer.headers.get("content-length", "")
    most = budget.limits.max_read
    if not said.isdecimal() or len(said) > 19:
        raise Unreachable(
            "the server gives no ranges and does not say how large the image is: download it"
        )
    if int(said) > most:
        raise Unreachable(
            f"the server gives no ranges, and the image's {int(said)} bytes are more than the "
            f"{most} of --max-read: download it"
        )
    return _Downloaded(answer, int(said), budget)


class _Ranges:
    """Further parts of a file of which the first has told the size and the version."""

    def __init__(self, asking: _Asking, size: int, version: str) -> None:
        self._asking = asking
        self._size = size
        self._version = version

    def fetch(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`, in several answers where the server gives less."""
        self._asking.budget.spend(count)
        whole = bytearray()
        while len(whole) < count:
            whole += self._some(offset + len(whole), count - len(whole))
        return bytes(whole)

    def _some(self, offset: int, count: int) -> bytes:
        with self._asking.get(offset, count) as answer:
            if answer.status == _WHOLE:
                raise Unreachable("the server gave ranges at first, and then no longer")
            if answer.status != _PART:
                raise refused(answer)
            first, last, size = _range_of(answer)
            if size != self._size or _version(answer) != self._version:
                raise Unreachable("the image was changed on the server while it was read")
            if first != offset or last >= offset + count:
                raise Unreachable(
                    f"the server gave bytes {first} to {last} for {count} at {offset}"
                )
            return _exactly(answer, last - first + 1, self._asking.budget)


class _Downloaded:
    """A file that a server only gives as a whole, kept where nobody else sees it."""

    def __init__(self, answer: Answer, size: int, budget: Budget) -> None:
        import tempfile

        _check_plain(answer)
        budget.spend(max(0, size - BLOCK))
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this is
        left = size
        for piece in answer.body:
            budget.tick()
            self._file.write(piece[:left])
            left -= len(piece)
            if left <= 0:
                break
        if left > 0:
            raise Unreachable("the answer was cut short")
        self._file.flush()
        self._source = FileSource(self._file.fileno())

    @property
    def size(self) -> int:
        """In bytes."""
        return self._source.size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return self._source.read_at(offset, count)


def refused(answer: Answer) -> Unreachable:
    """Why nothing came, by the status."""
    why = _WHY.get(answer.status)
    return Unreachable(f"the server answers {answer.status}{': ' + why if why else ''}")


def _range_of(answer: Answer) -> tuple[int, int, int]:
    """The first and last byte of an answer, and the size of the whole. Raises Unreachable."""
    _check_plain(answer)
    found = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    if not found:
        raise Unreachable("the server gives a part, and does not say which or of how much")
    first, last, size = (int(one) for one in found.groups())
    if not first <= last < size or size >= 1 << 63:
        raise Unreachable(f"the server gives bytes {first} to {last} of {size}, which cannot be")
    return first, last, size


def _check_plain(answer: Answer) -> None:
    if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Unreachable("the server gives the image in an encoding that was not asked for")


def _version(answer: Answer) -> str:
    """What changes with the file: its tag, else when it was changed; empty where neither is."""
    return answer.headers.get("etag") or answer.headers.get("last-modified") or ""


def _exactly(answer: Answer, count: int, budget: Budget) -> bytes:
    whole = bytearray()
    for piece in answer.body:
        budget.tick()
        whole += piece[: count - len(whole)]
        if len(whole) == count:
            return bytes(whole)
    raise Unreachable("the answer was cut short")
