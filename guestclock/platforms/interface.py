"""What every source of machines gives: machines, and what could not be read, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from guestclock.machine import Machine


@dataclass(frozen=True, slots=True)
class Unread:
    """A source or a machine that was given and could not be read; `reason` is one line."""

    source: str
    reason: str


Collected: TypeAlias = Machine | Unread


class Source(Protocol):
    """A place where machines are: a file, a folder, a connection."""

    def machines(self) -> Iterator[Collected]:
        """Each machine as it is read, in the order of path or name; nothing is kept."""
        ...
