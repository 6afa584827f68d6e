"""The file that notifications are recorded in: lines that are whole, a size that is bounded.

Each line is written by one call to the kernel before its message is acknowledged, so that killing
the recorder loses none. The disk itself is asked (fsync) when a file is rotated and at the end: a
power failure may take what the kernel had not written yet.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from types import TracebackType

from guestclock.errors import Unreadable, UsageProblem
from guestclock.platforms.text import shown

_OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK


class Recording:
    """FILE, which is rotated to FILE.1, FILE.2 and so on, for its owner's eyes only.

    No file gets longer than `most_bytes`, and `keep` rotated ones are kept beside FILE. FILE.lock
    keeps a second recorder out. Raises UsageProblem where FILE is something else or is in use,
    Unreadable where it cannot be written.
    """

    def __init__(self, path: str, most_bytes: int, keep: int) -> None:
        self._path = path
        self._most = most_bytes
        self._keep = keep
        # Not even a lock is left beside a file that was named by mistake.
        os.close(self._checked(self._open(path)))
        self._lock = self._locked(self._open(f"{path}.lock"))
        try:
            self._file = self._checked(self._open(path))
            self._size = self._end_of_lines()
        except BaseException:
            os.close(self._lock)
            raise

    def write(self, line: bytes) -> None:
        """Appends a line with its end, or nothing of it. Raises Unreadable, as on a full disk."""
        if self._size and self._size + len(line) > self._most:
            self._rotate()
        try:
            written = os.write(self._file, line)
            if written < len(line):
                os.ftruncate(self._file, self._size)
                raise Unreadable(f"{shown(self._path)} cannot be written: the disk is full")
        except OSError as problem:
            raise self._unwritable(problem) from None
        self._size += len(line)

    def close(self) -> None:
        """Waits until all is on the disk."""
        try:
            os.fsync(self._file)
        except OSError as problem:
            raise self._unwritable(problem) from None
        finally:
            os.close(self._file)
            os.close(self._lock)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self, path: str) -> int:
        try:
            file = os.open(path, _OPEN, 0o600)
        except ValueError:
            raise UsageProblem(f"{shown(path)} is not the path of a file") from None
        except OSError as problem:
            raise self._unwritable(problem) from None
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise UsageProblem(f"{shown(path)} is not a file, and cannot be rotated")
        return file

    def _checked(self, file: int) -> int:
        """The file, if it is empty or looks like a record; it is closed otherwise."""
        try:
            if os.pread(file, 1, 0) in (b"", b"{"):
                return file
        except OSError as problem:
            os.close(file)
            raise self._unwritable(problem) from None
        os.close(file)
        raise UsageProblem(
            f"{shown(self._path)} is there already and is no record of notifications",
            "give the name of a new file",
        )

    def _locked(self, lock: int) -> int:
        """The lock file, if nobody holds it; it is closed otherwise."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(lock)
            if not isinstance(problem, BlockingIOError):
                raise self._unwritable(problem) from None
            raise UsageProblem(
                f"{shown(self._path)} is being written by another guestclock listen",
                "give this one a file of its own",
            ) from None
        return lock

    def _end_of_lines(self) -> int:
        """The size in bytes, after ending a line that was torn when a recorder was killed."""
        try:
            os.fchmod(self._file, 0o600)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                size += os.write(self._file, b"\n")
            return size
        except OSError as problem:
            os.close(self._file)
            raise self._unwritable(problem) from None

    def _rotate(self) -> None:
        """Moves each file one on, over the oldest, and begins a new one."""
        try:
            os.fsync(self._file)
            for number in range(self._keep, 1, -1):
                with suppress(FileNotFoundError):
                    os.replace(f"{self._path}.{number - 1}", f"{self._path}.{number}")
            os.replace(self._path, f"{self._path}.1")
        except OSError as problem:
            raise self._unwritable(problem) from None
        begun = self._open(self._path)
        os.close(self._file)
        self._file, self._size = begun, 0

    def _unwritable(self, problem: OSError) -> Unreadable:
        path = problem.filename or self._path
        return Unreadable(f"{shown(os.fsdecode(path))} cannot be written: {problem.strerror}")
