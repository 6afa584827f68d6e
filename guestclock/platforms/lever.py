"""What every lever can do: one way to change one thing of a machine, and to see what it is now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from guestclock.errors import GuestclockError


class Restart(Enum):
    """How a machine is started anew: `soft` asks its guest to shut down, `hard` ends it."""

    NEVER = "never"
    SOFT = "soft"
    HARD = "hard"


class Acts(Enum):
    """From when on a changed value acts."""

    COLD_START = "the next cold start"
    HARD_REBOOT = "the next hard reboot"
    LATER = "what is made of it from then on"


@dataclass(frozen=True, slots=True)
class About:
    """What to know of a lever before it is used, each in one line."""

    changes: str
    acts: Acts
    downtime: str
    beside: str
    needs: str
    undone: str
    verified: str

    @property
    def has_clock(self) -> bool:
        """Whether its target is a machine, whose clock says if the change was a cure."""
        return self.acts is not Acts.LATER


@dataclass(frozen=True, slots=True)
class Target:
    """What is changed: `id` is its UUID; `source` names where it is, without user or password."""

    id: str
    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a machine shows after its restart.

    `value` is what the running machine was made from, in the lever's words, None where it is
    off. `error` is what the RTC is off from what that value promises, in seconds, positive where
    it is ahead; None where it was not read, for `reason`.
    """

    value: str | None
    error: int | None
    reason: str = ""


class BadValue(ValueError):
    """A value outside the lever's vocabulary; the message says what is known."""


class Refused(GuestclockError):
    """A lever does not act on this target as it is now; nothing was changed."""


def nothing_to_restart(target: Target) -> Refused:
    """The refusal of a lever whose target is no machine."""
    return Refused(f"{target.name} is no machine, so there is nothing to start anew")


class Lever(Protocol):
    """One way to change a machine's clock. Values are texts of a closed vocabulary."""

    @property
    def about(self) -> About:
        """What it changes, and what that costs."""
        ...

    def checked(self, value: str) -> str:
        """The value in its one normal form. Raises BadValue."""
        ...

    def read(self, target: Target) -> str:
        """The present value. Raises Refused where this lever is not for the target."""
        ...

    def write(self, target: Target, old: str, new: str) -> None:
        """Changes `old` to `new` and nothing else. Raises Refused where it is not `old`."""
        ...

    def restart(self, target: Target, how: Restart) -> None:
        """Starts the machine anew, or where it is off; returns when it runs. Raises Refused."""
        ...

    def reading(self, target: Target) -> Reading:
        """What the running machine shows. Raises Refused where it is not there."""
        ...
