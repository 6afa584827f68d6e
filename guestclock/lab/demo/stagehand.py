"""The lab of a demo: made for it, gone after it, whatever happened to the demo itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from guestclock.lab.cloud import Lab
from guestclock.lab.cloud.places import default_folder

if TYPE_CHECKING:
    from guestclock.lab.hypervisor.interface import Kind


@contextmanager
def temporary_lab(kind: Kind | None, tell: Callable[[str], None]) -> Iterator[Lab]:
    """Give an empty lab that is destroyed afterwards, with all its processes.

    It lies in the user's state folder under our process id, so that the next demo can clear away
    what one that was killed has left.
    """
    folder = default_folder().with_name("demo")
    _clear(folder)
    lab = Lab(folder / str(os.getpid()), kind, tell=tell)
    try:
        yield lab
    finally:
        lab.destroy()
        _remove_if_empty(folder)


def _clear(folder: Path) -> None:
    for left in folder.glob("*"):
        if left.name.isdecimal() and not Path("/proc", left.name).exists():
            Lab(left).destroy()


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # Another demo is played at the same time.
