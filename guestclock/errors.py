"""The errors a user is meant to read: one line that says what is wrong, one that says what helps.

The command line prints them on standard error and leaves with their `exit_code`; nothing else
that is raised is shown as if it had been foreseen.
"""

from __future__ import annotations

from typing import ClassVar


class GuestclockError(Exception):
    """Something foreseen went wrong; the message says what, the hint what to do about it.

    Both are lower case and without a closing stop, as they follow "guestclock: " and "hint: ".
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageProblem(GuestclockError):
    """What was asked for makes no sense: an unknown zone, two options that exclude each other."""

    exit_code: ClassVar[int] = 2


class Unreadable(GuestclockError):
    """A file, a connection or a process could not be read, so that nothing is said about it."""

    exit_code: ClassVar[int] = 3
