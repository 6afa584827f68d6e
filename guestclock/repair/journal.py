"""The journal of one plan: what was about to be done and what became of it, durable in that order.

One JSON object a line. Each line has the SHA-256 of itself and the line before it, so that a line
that was changed, lost or moved is seen. A line that a crash cut short is the last one, tells of
nothing that was done (an intent is durable before its change is begun), and is cut off.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from guestclock.errors import Unreadable

SUFFIX = ".journal"
_START = "0" * 64


class JournalDamaged(Unreadable):
    """A journal whose lines do not follow from each other; nothing is done on its word."""


class JournalBusy(Unreadable):
    """Another command writes this journal now."""


class Event(Enum):
    """What a line tells. `step` is a step of the plan, by its id."""

    BEGUN = "begun"
    INTENT = "intent"
    DONE = "done"
    REFUSED = "refused"
    RESTARTING = "restarting"
    RESTARTED = "restarted"
    NOT_RESTARTED = "not-restarted"
    VERIFIED = "verified"
    FAILED = "failed"
    UNDO_INTENT = "undo-intent"
    UNDONE = "undone"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `at` is aware, in UTC; `step` is empty where the whole plan is meant."""

    event: Event
    at: datetime
    step: str
    told: dict[str, Any]


class History:
    """What was told of each step, in order; a plan of 10,000 steps asks for each of them."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._of: dict[str, list[Event]] = {}
        for one in entries:
            self.add(one)

    def add(self, entry: Entry) -> None:
        """Takes in a further line."""
        self._of.setdefault(entry.step, []).append(entry.event)

    def of(self, step: str) -> list[Event]:
        """The events of a step; of none for one that was never begun."""
        return self._of.get(step, [])


def path_of(folder: Path, plan: str) -> Path:
    """Where the journal of the plan with this id is."""
    return folder / f"{plan}{SUFFIX}"


class Journal:
    """A journal that is open for writing, by one writer at a time."""

    def __init__(self, descriptor: int, entries: list[Entry], tail: str) -> None:
        self._descriptor = descriptor
        self._tail = tail
        self.entries = entries
        self.history = History(entries)

    def write(self, event: Event, step: str = "", **told: Any) -> Entry:  # noqa: ANN401
        """Adds a line and returns when it is on the disk.

        Raises Unreadable where it cannot be written; what it announces must not be done then.
        """
        entry = Entry(event, datetime.now(UTC).replace(microsecond=0), step, told)
        line, tail = _line(entry, self._tail)
        before = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            _write_all(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError as problem:
            # What stands half is no line; where even this fails, the next reader cuts it off.
            os.ftruncate(self._descriptor, before)
            raise Unreadable(
                f"the journal cannot be written: {problem.strerror}",
                "nothing more is changed; make room and go on with guestclock resume",
            ) from None
        self._tail = tail
        self.entries.append(entry)
        self.history.add(entry)
        return entry


@contextmanager
def opened(folder: Path, plan: str) -> Iterator[Journal]:
    """The journal of a plan, made where there is none yet, for its one writer.

    Raises JournalBusy, JournalDamaged, Unreadable.
    """
    path = path_of(folder, plan)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
    except OSError as problem:
        raise Unreadable(f"{path} cannot be opened: {problem.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalBusy(
                f"{path}: another guestclock works on this plan", "wait until it has ended"
            ) from None
        _make_durable(folder)
        content = _content(descriptor)
        entries, tail, whole = _entries(content, path)
        if whole < len(content):
            os.ftruncate(descriptor, whole)
            os.fsync(descriptor)
        yield Journal(descriptor, entries, tail)
    finally:
        os.close(descriptor)


def read(path: Path) -> list[Entry]:
    """The lines of a journal, for one who only looks. Raises JournalDamaged, Unreadable."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}") from None
    return _entries(content, path)[0]


def _line(entry: Entry, tail: str) -> tuple[bytes, str]:
    """The bytes of a line after the one with the checksum `tail`, and its own checksum."""
    fields = {
        "event": entry.event.value,
        "at": entry.at.isoformat(),
        "step": entry.step,
        "told": entry.told,
    }
    digest = _digest(fields, tail)
    return (json.dumps({**fields, "sum": digest}, sort_keys=True) + "\n").encode(), digest


def _digest(fields: dict[str, Any], tail: str) -> str:
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{tail}\n{text}".encode()).hexdigest()


def _entries(content: bytes, path: Path) -> tuple[list[Entry], str, int]:
    """The whole lines, the last one's checksum, and how many bytes they take."""
    entries: list[Entry] = []
    tail, whole = _START, 0
    # What comes after the last newline was cut short by a crash.
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            fields = json.loads(line)
            digest = fields.pop("sum")
            if digest != _digest(fields, tail):
                raise ValueError
            at = datetime.fromisoformat(fields["at"])
            entries.append(Entry(Event(fields["event"]), at, fields["step"], fields["told"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise JournalDamaged(
                f"{path}, line {number}: it is not what was written there",
                "compare with the systems by hand, as its values cannot be trusted",
            ) from None
        tail = digest
        whole += len(line) + 1
    return entries, tail, whole


def _content(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0) if size else b""


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _make_durable(folder: Path) -> None:
    """The name of a new file is in its folder, which has to be on the disk too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
