"""What every source gives: machines, what their manager knows of them, and what was not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from guestclock.evidence import Known
from guestclock.explanation import Told
from guestclock.findings.finding import Case, Finding
from guestclock.machine import Identity, Machine
from guestclock.zones import Zones


@dataclass(frozen=True, slots=True)
class Unread:
    """A source or a machine that was given and could not be read; `reason` is one line."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a source could not tell though nothing failed, such as a table that is not granted.

    Counted in the summary; no exit code hangs on it. `text` is one line, with what would settle it.
    """

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Own:
    """What a platform's own rules say of a machine.

    `replaced` are ids of general rules whose findings these say better, and are left out.
    """

    findings: tuple[Finding, ...]
    replaced: frozenset[str] = frozenset()


NOTHING = Own(())


class Origin(Protocol):
    """What a platform's manager knows of a machine, beyond what its host shows."""

    def own(self, case: Case) -> Own:
        """What the platform's rules find; `case` has the general cause of a wrong cold start."""
        ...

    def told(self, machine: Machine, at: datetime, zones: Zones, tolerance: int) -> Told:
        """What `explain` adds: hops before the definition, operations ahead, what records show."""
        ...


@dataclass(frozen=True, slots=True)
class Managed:
    """A machine that a manager defines anew at its cold starts, such as a server of Nova."""

    machine: Machine
    origin: Origin


@dataclass(frozen=True, slots=True)
class Examined:
    """An object that is no machine (an image, a volume, a host), and what is wrong with it.

    `inside` says what is wrong if that is the system that was found in it; None for an object
    that has none.
    """

    identity: Identity
    findings: tuple[Finding, ...]
    inside: Callable[[Known[str]], tuple[Finding, ...]] | None = field(default=None, compare=False)


Read: TypeAlias = Machine | Unread
"""What a host, a file or a process gives."""

Collected: TypeAlias = Read | Managed | Examined | Note
"""What a whole cloud gives."""


class Source(Protocol):
    """A place where machines are: a file, a folder, a connection."""

    def machines(self) -> Iterator[Read]:
        """Each machine as it is read, in the order of path or name; nothing is kept."""
        ...
