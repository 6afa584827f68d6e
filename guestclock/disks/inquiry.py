"""One question after the other to the process that reads images: what it may have, how long it is
waited for, what its death means.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from guestclock.disks.answer import is_reason, is_record
from guestclock.disks.broker import Broker
from guestclock.disks.budget import Budget, Limits
from guestclock.disks.channel import Channel, Garbled, Gone, Late
from guestclock.disks.child import GRACE
from guestclock.disks.problem import DiskProblem, NotAnImage, Reason, Unreachable
from guestclock.disks.process import Process
from guestclock.disks.references import Policy
from guestclock.disks.source import Source

if TYPE_CHECKING:
    from typing import Any

    from guestclock.disks.record import ImageRecord

Opening: TypeAlias = Callable[[Budget], Source]
"""Opens what is no file of this host, by a budget of its own. Raises DiskProblem."""

_START_SECONDS = 60.0
_REPORT = "guestclock's own reader failed on it ({}): please report it"


class Inquiry:
    """Asks a process about images, and starts it anew when one was too much for it."""

    def __init__(
        self,
        process: Process,
        limits: Limits,
        at: int,
        follow: bool,
        allowed: Sequence[str],
        notes: list[str],
    ) -> None:
        """What the process says of itself goes to `notes`."""
        self._process = process
        self._limits = limits
        self._at = at
        self._follow = follow
        self._allowed = allowed
        self._notes = notes
        self._is_ready = False

    def about_file(self, path: str, form: str | None) -> ImageRecord:
        """The record of the image at a path."""
        try:
            descriptor = _open(path)
        except DiskProblem as problem:
            return _nothing(path, problem.reason, problem.detail)
        try:
            policy = Policy(path, descriptor, self._follow, self._allowed)
            text = {"path": path, "form": form, "name": os.path.basename(path)}
            return self._ask(text, Broker(policy), descriptor)
        finally:
            os.close(descriptor)

    def about_source(self, source: Source | Opening, path: str, form: str | None) -> ImageRecord:
        """The record of an image that is called `path`."""
        try:
            opened = source(Budget(self._limits)) if callable(source) else source
            size = opened.size
        except DiskProblem as problem:
            return _nothing(path, problem.reason, problem.detail)
        text = {"path": path, "form": form, "name": path.rpartition("/")[2], "size": size}
        return self._ask(text, Broker(source=opened), None)

    def _ask(self, text: dict[str, Any], broker: Broker, descriptor: int | None) -> ImageRecord:
        process, path = self._process, text["path"]
        if not process.is_running():
            self._is_ready = False
            process.start()
        try:
            found = self._answered(text, broker, descriptor, Channel(process.end))
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
            process.kill()
            raise
        process.kill()
        return _nothing(path, reason, detail)

    def _answered(
        self, text: dict[str, Any], broker: Broker, descriptor: int | None, channel: Channel
    ) -> ImageRecord:
        patience = self._limits.timeout + GRACE
        late = time.monotonic() + patience + (0 if self._is_ready else _START_SECONDS)
        asked = text | {"limits": self._limits, "at": self._at}
        channel.send(asked, descriptor=descriptor, deadline=late)
        while True:
            told = channel.receive(late).text
            match told:
                case {"ready": list(notes)} if not self._is_ready:
                    self._is_ready = True
                    self._notes += [one for one in notes if one not in self._notes]
                    late = time.monotonic() + patience
                case {"record": found}:
                    if not is_record(found):
                        raise Garbled("a record is none")
                    return found
                case {"failed": reason, "detail": str(detail)} if is_reason(reason):
                    raise _Failed(Reason(reason), detail)
                case _:
                    broker.answer(told, channel, late)


class _Failed(Exception):
    """The process says itself that it cannot go on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = _REPORT.format(detail[:200]) if reason is Reason.FAULT else detail[:200]


def _nothing(path: str, reason: Reason, detail: str) -> ImageRecord:
    # A record knows what is found, of which little else here has to be known.
    from guestclock.disks.record import nothing_read

    return nothing_read(path, reason.value, detail)


def _of_death(number: int) -> tuple[Reason, str]:
    import signal

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
