"""A plan carried out in waves: one begins when each machine of the one before is cured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from guestclock.errors import GuestclockError
from guestclock.repair.apply import apply
from guestclock.repair.journal import Journal
from guestclock.repair.steps import Outcome, State, Wishes, Work

_CURED = (State.CURED, State.ALREADY)


class Held(GuestclockError):
    """A wave with a machine that was not verified; what comes after it was not touched."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Waves:
    """How many machines the first wave has, and how many each after it; None is all the rest."""

    first: int | None = None
    each: int | None = None

    def of(self, work: Work) -> Iterator[Work]:
        """The work in waves; what is no machine goes with the machine before it."""
        size, count, begin = self.first or self.each, 0, 0
        for at, (_, lever) in enumerate(work):
            if lever.about.has_clock:
                if count == size:
                    yield work[begin:at]
                    size, count, begin = self.each, 0, at
                count += 1
        yield work[begin:]


def apply_in_waves(work: Work, waves: Waves, journal: Journal, wishes: Wishes) -> Iterator[Outcome]:
    """What `apply` tells, wave by wave. Raises Held after one that was not verified."""
    done = failed = 0
    for wave in waves.of(work):
        if failed:
            raise Held(
                f"{failed} of this wave were not verified: {len(work) - done} steps are left alone",
                "see what became of them, then guestclock resume goes on",
            )
        for outcome in apply(wave, journal, wishes):
            failed += outcome.state not in _CURED
            yield outcome
        done += len(wave)
