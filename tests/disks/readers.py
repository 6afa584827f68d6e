"""Readers that stand in for the real one in the process that reads images: each takes one number
of what `inspect` may run into, and says in a record what it saw.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from guestclock.disks import child
from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import References
from guestclock.disks.record import ImageRecord, nothing_read
from guestclock.disks.source import Source

Reader = Callable[[Source, References, Budget], str]


def answer(path: str, detail: str) -> ImageRecord:
    """A record that says `detail`; that there is no system is what makes it the smallest one."""
    return nothing_read(path, "no-os", detail)


def use(monkeypatch: pytest.MonkeyPatch, reader: Reader) -> None:
    """Has every process that starts from now on read images by `reader`."""

    def read(
        source: Source,
        path: str,
        references: References,
        budget: Budget,
        at: int,
        form: str | None,
    ) -> ImageRecord:
        return answer(path, reader(source, references, budget))

    monkeypatch.setattr(child, "load", lambda: read)
