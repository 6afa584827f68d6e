"""What a lab refuses for other reasons than the state it is in, and the lab that is not there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from guestclock.errors import GuestclockError, UsageProblem
from guestclock.lab.errors import LabError

_COMMAND = "guestclock lab "


class BadValue(LabError):
    """A value that no lab would take, such as a zone that is none: a matter of usage."""

    exit_code: ClassVar[int] = UsageProblem.exit_code


class NoLab(LabError):
    """There is no lab where one was to be read. `finished`: there was one, half destroyed."""

    def __init__(self, folder: Path, *, finished: bool = False) -> None:
        super().__init__(f"there is no lab in {folder}", f"`{_COMMAND}image create ...` makes one")
        self.finished = finished


@contextmanager
def naming(folder: str | None) -> Iterator[None]:
    """Let the commands in hints name the lab as its user has, if so: each works as it stands."""
    try:
        yield
    except GuestclockError as error:
        if folder and error.hint:
            error.hint = error.hint.replace(_COMMAND, f"{_COMMAND}--lab {shlex.quote(folder)} ")
        raise
