"""Locks between commands: each is one byte of a file, and ends with whoever holds it.

Locks of an open file description (fcntl(2), F_OFD_SETLK) count between threads as between
processes, are gone the moment their holder is killed, and leave no file per lock to clean up.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

# struct flock: l_type, l_whence, l_start, l_len, l_pid; the kernel wants l_pid to be 0.
_FLOCK = struct.Struct("hhqqi0q")


class Subject(IntEnum):
    """What a lock or a task is about."""

    LAB = 0
    IMAGE = 1
    SERVER = 2
    HOST = 3
    CONSOLE = 4


_SPACING = 8


class Locks:
    """The locks of one lab, in the file given, which is made if need be."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def exclusive(
        self, subject: Subject, number: int, on_wait: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Hold a lock alone. `on_wait` is called once if somebody else has it."""
        with self._held(fcntl.F_WRLCK, subject, number, on_wait):
            yield

    @contextmanager
    def shared(
        self, subject: Subject, number: int, on_wait: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Hold a lock together with others that share it."""
        with self._held(fcntl.F_RDLCK, subject, number, on_wait):
            yield

    @contextmanager
    def try_exclusive(self, subject: Subject, number: int) -> Iterator[bool]:
        """Hold a lock alone if it is free; False, and nothing held, if it is not."""
        with self._opened() as handle:
            yield _take(handle, fcntl.F_OFD_SETLK, fcntl.F_WRLCK, subject, number)

    @contextmanager
    def _held(
        self, how: int, subject: Subject, number: int, on_wait: Callable[[], None] | None
    ) -> Iterator[None]:
        with self._opened() as handle:
            if not _take(handle, fcntl.F_OFD_SETLK, how, subject, number):
                if on_wait is not None:
                    on_wait()
                _take(handle, fcntl.F_OFD_SETLKW, how, subject, number)
            yield

    @contextmanager
    def _opened(self) -> Iterator[int]:
        # Not inherited by the processes we start: a daemon must not hold our locks.
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield handle
        finally:
            os.close(handle)


def _take(handle: int, command: int, how: int, subject: Subject, number: int) -> bool:
    request = _FLOCK.pack(how, os.SEEK_SET, number * _SPACING + subject, 1, 0)
    try:
        fcntl.fcntl(handle, command, request)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True
