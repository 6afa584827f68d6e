"""What a machine's own disk says of its guest, and what was said of the guest without it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from guestclock.guest import Guest
from guestclock.zones import next_transition, offset_at

Offsets: TypeAlias = tuple[tuple[datetime, int], ...]
"""From which instant on which offset holds, in seconds east of UTC; the first begins the window."""


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A disk of a machine as its definition names it; `form` is empty where it says none."""

    path: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class ZoneOnDisk:
    """The rules of its zone that a system brings along, from `offsets[0][0]` until `until`."""

    name: str
    offsets: Offsets
    until: datetime
    where: str

    def first_difference(self, zone: ZoneInfo) -> tuple[datetime, int, int] | None:
        """The first instant at which they differ from `zone`, with both offsets, theirs first.

        They can begin to differ only where one of the two changes.
        """
        begin = self.offsets[0][0]
        changes = [when for when, _ in self.offsets if when < self.until]
        found = next_transition(zone, begin, self.until)
        while found is not None:
            changes.append(found.at)
            found = next_transition(zone, found.at, self.until)
        place = 0
        for when in sorted(changes):
            while place + 1 < len(self.offsets) and self.offsets[place + 1][0] <= when:
                place += 1
            ours, theirs = offset_at(zone, when), self.offsets[place][1]
            if ours != theirs:
                return when, theirs, ours
        return None


@dataclass(frozen=True, slots=True)
class OnDisk:
    """One system on a disk; `where` is the volume, `remarks` are pairs of a code and a text."""

    name: str
    guest: Guest
    where: str
    sealed: bool = False
    rules: ZoneOnDisk | None = None
    remarks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Disk:
    """What was read of a disk. `told` is the guest as everything but the disk has it.

    `unknown` is a word of the documented vocabulary where no system was found, else empty;
    `detail` says it for people.
    """

    image: str
    told: Guest
    systems: tuple[OnDisk, ...] = ()
    unknown: str = ""
    detail: str = ""

    @property
    def system(self) -> OnDisk | None:
        """The only system that is there, None where there are none or several."""
        return self.systems[0] if len(self.systems) == 1 else None
