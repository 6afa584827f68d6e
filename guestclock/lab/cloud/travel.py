"""The lab's clock: the real one plus an offset, which all its hosts and machines follow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.places import write_whole
from guestclock.lab.cloud.problems import BadValue
from guestclock.lab.cloud.site import TIME, Site
from guestclock.lab.errors import LabError
from guestclock.lab.faketime import stepped_env

# QEMU and libfaketime were measured right between these.
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2150, 1, 1, tzinfo=UTC)
_YEARS = f"from {_FIRST.year} to {_LAST.year - 1}"


class TimeTravel:
    """Time travel of one lab. Running machines see a step as one of their host's clock."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def offset(self) -> int:
        """Return how far the lab's clock is ahead of the real one, in seconds."""
        try:
            return int(self._site.places.time.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except ValueError as error:
            raise LabError(f"{self._site.places.time} has no number of seconds") from error

    def now(self) -> datetime:
        """Return the lab's true time, aware, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset())

    def set(self, instant: datetime) -> datetime:
        """Set the lab's clock to an aware instant; return the lab's time."""
        with self._changing():
            # Rounded up, so that the lab is never earlier than it was told to be.
            return self._keep(math.ceil((instant - datetime.now(UTC)).total_seconds()))

    def step(self, seconds: int) -> datetime:
        """Step the lab's clock, positive = forward; return the lab's time."""
        with self._changing():
            return self._keep(self.offset() + seconds)

    def reset(self) -> datetime:
        """Return to real time."""
        with self._changing():
            return self._keep(0)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        locks = self._site.locks
        with self._site.working(), locks.exclusive(Subject.LAB, TIME):
            yield

    def _keep(self, offset: int) -> datetime:
        now = datetime.now(UTC)
        if not (_FIRST - now).total_seconds() <= offset < (_LAST - now).total_seconds():
            raise BadValue(f"the lab's time goes {_YEARS}")
        if offset:
            stepped_env(self._site.places.time)  # Says so where there is no libfaketime.
        write_whole(self._site.places.time, f"{offset:+d}\n".encode("ascii"))
        return self.now()


def check_year(year: int, what: str) -> None:
    """Raise BadValue for a year that `what` cannot be in."""
    if not _FIRST.year <= year < _LAST.year:
        raise BadValue(f"{what} goes {_YEARS}")
