"""The small guest's console: what its user could type and read, over the machine's serial port.

guest.asm has the words. Every command carries a number of ours and its answer repeats it, so that
an answer that came too late is never taken for the next one's.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from guestclock.lab.errors import LabError
from guestclock.lab.lines import Lines, Stream, TookTooLong, connect

ResetMethod = Literal["kbc", "cf9", "triple"]

_TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"
_STATE = re.compile(rf"(?:boot|state) rtc={_TIME} utc={_TIME} local={_TIME} bias=(-?\d+)")


@dataclass(frozen=True, slots=True)
class GuestState:
    """A guest's clock as the guest itself tells it, in naive whole seconds.

    `rtc` is its RTC's reading, `utc` what it takes for UTC, `local` what it shows its user, and
    `bias_minutes` the minutes (positive west) between these two.
    """

    rtc: datetime
    utc: datetime
    local: datetime
    bias_minutes: int


class GuestConsole:
    """One connection to a small guest's serial port; also a context manager.

    Each command is given `patience` seconds; a guest answers within milliseconds.
    """

    def __init__(self, stream: Stream, patience: float = 5.0) -> None:
        self._lines = Lines(stream, "the guest")
        self._patience = patience
        # Not from 1: an answer to an earlier connection may still be on its way.
        self._number = random.randrange(1000, 1_000_000)  # noqa: S311
        # Whoever was here before may have gone in the middle of a line.
        self._lines.send(b"")

    @classmethod
    def connect(cls, path: Path, patience: float = 5.0) -> GuestConsole:
        """Connect to the unix socket of a running machine's serial port. Raises Closed, LabError.

        QEMU serves one connection at a time: a second one waits until the first is closed.
        """
        return cls(connect(path, "the machine"), patience)

    def __enter__(self) -> GuestConsole:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait_boot(self, timeout: float, *, again: bool = False) -> GuestState:
        """What the guest said as it booted, which may be yet to come.

        With `again`, only a boot not yet heard of on this connection counts: the one after a reset.
        Raises TookTooLong after `timeout` seconds, Closed when the machine goes.
        """
        deadline = time.monotonic() + timeout
        tag = None if again else self._ask("boot")
        while True:
            line = self._line(deadline)
            if line.startswith("boot ") or (tag is not None and line.startswith(f"{tag} ")):
                return parse_state(line.removeprefix(f"{tag} "))
            if line.startswith("error the disk"):
                raise LabError(f"the guest cannot boot: {line.removeprefix('error ')}")

    def state(self) -> GuestState:
        """The guest's clock now."""
        return parse_state(self._answer("state"))

    def set_local(self, local: datetime) -> GuestState:
        """Set the clock as the guest's user would, who knows local time only.

        A windows guest writes it to the RTC as it is, others as UTC; the bias of that time is
        saved. Fractions of seconds are dropped.
        """
        return parse_state(self._answer(f"local {_text(local)}"))

    def set_rtc(self, rtc: datetime) -> GuestState:
        """Write the RTC and nothing else: the guest's own clock goes on as it was."""
        return parse_state(self._answer(f"rtc {_text(rtc)}"))

    def reset(self, method: ResetMethod = "kbc") -> None:
        """Have the guest reset its machine: keyboard controller, port 0xCF9 or triple fault.

        The next boot is to be waited for with `wait_boot(timeout, again=True)`.
        """
        self._answer(method)

    def power_off(self) -> None:
        """Have the guest power its machine off."""
        self._answer("off")

    def close(self) -> None:
        """Close the connection; the guest goes on."""
        self._lines.close()

    def _ask(self, command: str) -> str:
        self._number += 1
        tag = str(self._number)
        self._lines.send(f"{tag} {command}".encode("ascii"))
        return tag

    def _answer(self, command: str) -> str:
        tag = self._ask(command)
        deadline = time.monotonic() + self._patience
        while True:
            try:
                line = self._line(deadline)
            except TookTooLong as error:
                raise TookTooLong(
                    f"the guest did not answer {command!r}",
                    "is it running, and nobody else connected to its console?",
                ) from error
            if line.startswith(f"{tag} "):
                answer = line.removeprefix(f"{tag} ")
                if answer.startswith("error "):
                    raise LabError(f"the guest refused {command!r}: {answer[6:]}")
                return answer

    def _line(self, deadline: float) -> str:
        return self._lines.receive(deadline).decode("ascii", "replace")


def parse_state(line: str) -> GuestState:
    """Read the guest's `boot` or `state` line. Raises LabError if it is neither."""
    found = _STATE.fullmatch(line)
    if found is None:
        raise LabError(f"the guest said something that is no state: {line!r}")
    try:
        rtc, utc, local = (datetime.fromisoformat(text) for text in found.groups()[:3])
    except ValueError as error:
        raise LabError(f"the guest said a time that is none: {line!r}") from error
    return GuestState(rtc, utc, local, int(found[4]))


def _text(naive: datetime) -> str:
    if naive.tzinfo is not None:
        raise ValueError("a guest's user and its RTC know no zones: give a naive time")
    return naive.isoformat(timespec="seconds")
