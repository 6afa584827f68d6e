"""Inspects images, each in a process that can reach nothing: one for many, made anew as it dies."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from guestclock.disks.answer import is_reason, is_record
from guestclock.disks.broker import Broker
from guestclock.disks.budget import Budget, Limits
from guestclock.disks.channel import Channel, Garbled, Gone, Late
from guestclock.disks.child import GRACE, serve
from guestclock.disks.problem import DiskProblem, NotAnImage, Reason, Unreachable
from guestclock.disks.process import Process
from guestclock.disks.record import nothing_read
from guestclock.disks.references import Policy
from guestclock.disks.source import Source

if TYPE_CHECKING:
    from typing import Any

    from guestclock.disks.record import ImageRecord

Opening: TypeAlias = Callable[[Budget], Source]
"""Opens what is no file of this host, by a budget of its own. Raises DiskProblem."""

_START_SECONDS = 60.0
_REPORT = "guestclock's own reader failed on it ({}): please report it"


class Inspector:
    """Reads images one after the other, in a process that starts and ends with the `with`."""

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
        self._limits = limits
        self._follow = follow
        self._allowed = tuple(allowed)
        self._at = int(time.time()) if at is None else at
        self._process: Process | None = None
        self._is_ready = False
        self.notes: list[str] = []

    def __enter__(self) -> Inspector:
        # As early as can be: before threads, connections and passwords are there to be copied.
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def inspect(self, path: str, form: str | None = None) -> ImageRecord:
        """The image at a path or an http(s) address. Raises nothing that either could cause.

        `form` is the container's format where someone knows it, and is believed.
        """
        if path.startswith(("http://", "https://")):
            from guestclock.disks.remote.address import redacted
            from guestclock.disks.remote.http import at_address

            return self.inspect_source(at_address(path), redacted(path), form)
        try:
            descriptor = _open(path)
        except DiskProblem as problem:
            return nothing_read(path, problem.reason.value, problem.detail)
        try:
            policy = Policy(path, descriptor, self._follow, self._allowed)
            text = {"path": path, "form": form, "name": os.path.basename(path)}
            return self._ask(text, Broker(policy), descriptor)
        finally:
            os.close(descriptor)

    def inspect_source(
        self, source: Source | Opening, path: str, form: str | None = None
    ) -> ImageRecord:
        """The image in a Source, or in what opens one; `path` is what it is called."""
        try:
            opened = source(Budget(self._limits)) if callable(source) else source
            size = opened.size
        except DiskProblem as problem:
            return nothing_read(path, problem.reason.value, problem.detail)
        text = {"path": path, "form": form, "name": path.rpartition("/")[2], "size": size}
        return self._ask(text, Broker(source=opened), None)

    def _ask(self, text: dict[str, Any], broker: Broker, descriptor: int | None) -> ImageRecord:
        if self._process is None or not self._process.is_running():
            self._end()
            self._start()
        assert self._process is not None
        process, path = self._process, text["path"]
        try:
            found = self._answered(text, broker, descriptor, process.channel)
            found["path"] = path
            return found
        except _Failed as problem:
            reason, detail = problem.reason, problem.detail
        except Late:
            reason, detail = Reason.LIMIT, f"it takes longer than {self._limits.timeout:g} s"
        except Gone:
            reason, detail = _of_death(process.signal_of_death())
        except Garbled:
            reason, detail = Reason.FAULT, _REPORT.format("its answer is none")
        except BaseException:
            # Whoever interrupts us leaves a question without an answer behind.
            self._end()
            raise
        self._end()
        return nothing_read(path, reason.value, detail)

    def _answered(
        self, text: dict[str, Any], broker: Broker, descriptor: int | None, channel: Channel
    ) -> ImageRecord:
        patience = self._limits.timeout + GRACE
        late = time.monotonic() + patience + (0 if self._is_ready else _START_SECONDS)
        channel.send(text, descriptor=descriptor, deadline=late)
        while True:
            told = channel.receive(late).text
            match told:
                case {"ready": list(notes)}:
                    self._is_ready = True
                    self.notes += [one for one in notes if one not in self.notes]
                    late = time.monotonic() + patience
                case {"record": found}:
                    if not is_record(found):
                        raise Garbled("a record is none")
                    return found
                case {"failed": reason, "detail": str(detail)} if is_reason(reason):
                    raise _Failed(Reason(reason), detail)
                case _:
                    broker.answer(told, channel, late)

    def _start(self) -> None:
        limits, at = self._limits, self._at
        self._is_ready = False
        self._process = Process(lambda channel: serve(channel, limits, at))

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _Failed(Exception):
    """The process says itself that it cannot go on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = _REPORT.format(detail[:200]) if reason is Reason.FAULT else detail[:200]


def _of_death(number: int) -> tuple[Reason, str]:
    if number == signal.SIGXCPU:
        return Reason.LIMIT, "it takes too much of the processor's time"
    if number == signal.SIGKILL:
        return Reason.LIMIT, "the system ended its reader, as it does where memory is short"
    how = signal.Signals(number).name if number else "it ended"
    return Reason.FAULT, _REPORT.format(how)


def _open(path: str) -> int:
    """A descriptor of a regular file or a block device, for reading. Raises DiskProblem."""
    try:
        # Anything else is not even opened: a pipe waits, a tape winds, a watchdog wakes.
        _check_kind(os.stat(path))
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else None
        raise Unreachable(f"it cannot be opened: {reason or 'no path'}") from None
    try:
        _check_kind(os.fstat(descriptor))
    except DiskProblem:
        os.close(descriptor)
        raise
    return descriptor


def _check_kind(found: os.stat_result) -> None:
    mode = found.st_mode
    if stat.S_ISDIR(mode):
        raise NotAnImage("it is a folder")
    if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
        raise NotAnImage("it is neither a file nor a block device")
