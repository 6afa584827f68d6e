"""What recorded notifications say of servers: the newest of each, by the time of its sender.

A record is read with the files that were rotated out of it. Its lines are those of `guestclock
listen`, or raw notifications as others record them, in oslo.messaging's envelope or without. They
may come from strangers: lines are bounded, and one that is no notification is counted and skipped.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO, Final

from guestclock.platforms.interface import Note, Unread
from guestclock.platforms.openstack.notice import BadNotice, Notice, ServerNotice, notice_of
from guestclock.platforms.openstack.records import Notified
from guestclock.platforms.text import clean, shown

LONGEST_LINE: Final = 2**20
"""Bytes: a longer line is skipped. A raw notification of a server takes about 2,000."""

MOST_SERVERS: Final = 1_000_000
"""Servers above it are left out, so that a hostile file cannot take all memory."""


def read_notifications(path: str) -> tuple[dict[str, Notified], list[Unread | Note]]:
    """The newest of each server that is not deleted, by id, and what could not be told.

    A record that cannot be read is an Unread; damaged lines and a torn last one are Notes.
    """
    reading = _Reading(path)
    with ExitStack() as opened:
        try:
            files = _open_files(path, opened)
        except _Refused as problem:
            return {}, [Unread(shown(path), str(problem))]
        for name, file in files:
            try:
                reading.read(shown(name), file)
            except OSError as problem:
                reading.told.append(Unread(shown(name), clean(problem.strerror or str(problem))))
    return reading.result()


class _Refused(ValueError):
    """A record that cannot be opened; the message is one line."""


def _open_files(path: str, opened: ExitStack) -> list[tuple[str, BinaryIO]]:
    """The files of a record, the oldest first.

    The newest is opened first: a rotation on the way shows a file twice then, and hides none.
    """
    files: dict[int, tuple[str, BinaryIO]] = {}
    missing: _Refused | None = None
    for name in (path, *_rotated(path)):
        try:
            file = _open(name)
        except FileNotFoundError as problem:
            missing = missing or _Refused(f"it cannot be read: {problem.strerror}")
            continue
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "not the path of a file"
            raise _Refused(f"{_within(name, path)} cannot be read: {reason}") from None
        if file is None:
            raise _Refused(f"{_within(name, path)} is not a file")
        opened.enter_context(file)
        files.setdefault(os.fstat(file.fileno()).st_ino, (name, file))
    if not files:
        raise missing or _Refused("it cannot be read")
    return list(reversed(files.values()))


def _within(name: str, path: str) -> str:
    return "it" if name == path else shown(os.path.basename(name))


def _rotated(path: str) -> Iterator[str]:
    """FILE.1, FILE.2 and so on, as far as they are there, in that order."""
    folder, name = os.path.split(path)
    numbered = re.compile(re.escape(name) + r"\.([1-9][0-9]{0,5})")
    try:
        found = [numbered.fullmatch(other) for other in os.listdir(folder or ".")]
    except (OSError, ValueError):
        return
    for number in sorted(int(match[1]) for match in found if match):
        yield f"{path}.{number}"


def _open(path: str) -> BinaryIO | None:
    """A file, or None for what is something else."""
    # Whoever opens a pipe waits for its writer, unless he says that he will not.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    return None


class _Reading:
    """One pass over the files of a record."""

    def __init__(self, path: str) -> None:
        self.told: list[Unread | Note] = []
        self._source = shown(path)
        self._newest: dict[str, ServerNotice] = {}
        self._rescues: dict[str, ServerNotice] = {}
        self._bad = 0
        self._first_bad = ""
        self._left_out = 0

    def read(self, name: str, file: BinaryIO) -> None:
        """Takes in one file; `name` is for messages. Raises OSError."""
        for number, line in enumerate(_lines(file), 1):
            try:
                notice = None if line.isspace() else _decoded(line)
            except BadNotice:
                if line.endswith(b"\n"):
                    self._count_bad(f"line {number} of {name}")
                else:
                    torn = f"the last line of {name} is torn and was left out"
                    self.told.append(Note(self._source, torn))
                continue
            if isinstance(notice, ServerNotice):
                self._take(notice)

    def result(self) -> tuple[dict[str, Notified], list[Unread | Note]]:
        """What was found, after all files."""
        if self._bad:
            lines = "1 line that is" if self._bad == 1 else f"{self._bad} lines that are"
            self._note(f"{lines} no notification left out, first {self._first_bad}")
        if self._left_out:
            self._note(f"only {MOST_SERVERS} servers are kept; {self._left_out} notices left out")
        found = {
            server: self._notified(notice)
            for server, notice in self._newest.items()
            if not notice.is_deleted
        }
        if not self._newest and not self.told:
            need = "Nova sends them with notification_format=versioned or both"
            self._note(f"it has no versioned notification of a server: {need}")
        return found, self.told

    def _note(self, text: str) -> None:
        self.told.append(Note(self._source, text))

    def _count_bad(self, where: str) -> None:
        self._bad += 1
        self._first_bad = self._first_bad or where

    def _take(self, notice: ServerNotice) -> None:
        newest = self._newest.get(notice.server)
        if newest is None and len(self._newest) >= MOST_SERVERS:
            self._left_out += 1
            return
        if newest is None or newest.at <= notice.at:
            self._newest[notice.server] = notice
        if not notice.tells_of_rescue and not notice.runs_as_itself:
            return
        # The newest that a rescue began, or that it is over.
        rescue = self._rescues.get(notice.server)
        if rescue is None or rescue.at <= notice.at:
            self._rescues[notice.server] = notice

    def _notified(self, notice: ServerNotice) -> Notified:
        rescue = self._rescues.get(notice.server)
        image: str | None = None
        if rescue is not None and rescue.tells_of_rescue:
            # Without an image of its own Nova rescues with the server's.
            image = rescue.rescue_image or rescue.image
        return Notified(notice.os_type, notice.at, notice.event, notice.host, notice.image, image)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines; of one that is too long only its beginning, which is no notification."""
    while line := file.readline(LONGEST_LINE):
        rest = line
        while not rest.endswith(b"\n") and (rest := file.readline(LONGEST_LINE)):
            line = b"{...\n"
        yield line


def _decoded(line: bytes) -> Notice | None:
    try:
        return notice_of(json.loads(line))
    except (ValueError, RecursionError):
        raise BadNotice("no JSON") from None
