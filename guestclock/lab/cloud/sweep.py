"""Short folders of labs that are gone: somebody removed a lab's folder and not the lab.

A short folder says in a file `lab` whose it is. It is swept where all of this holds: its name is
the one made of that lab's folder, it is private and this user's, nothing is where the lab's folder
was, and no process of that lab is left. Anything else stays as it is.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from guestclock.lab.cloud.places import check_private, short_bases, short_name, write_whole
from guestclock.lab.hypervisor.processes import living_in

_RECORD = "lab"


def keep_record(short: Path, lab: Path) -> None:
    """Write down whose a short folder is. Raises LabError.

    A lab that was moved or copied goes on with the folder it has, which is never swept then.
    """
    record = short / _RECORD
    if short.name != short_name(lab) or not record.exists():
        write_whole(record, os.fsencode(lab))


def sweep() -> None:
    """Remove the short folders of labs that are gone."""
    for base in short_bases():
        for short in base.glob("gc-*"):
            if _is_dead(short):
                shutil.rmtree(short, ignore_errors=True)


def _is_dead(short: Path) -> bool:
    try:
        check_private(short)
        lab = Path(os.fsdecode((short / _RECORD).read_bytes()))
        return short.name == short_name(lab) and _is_gone(lab) and not any(living_in(lab))
    except (OSError, ValueError):
        return False


def _is_gone(folder: Path) -> bool:
    try:
        folder.lstat()
    except FileNotFoundError:
        return True
    return False
