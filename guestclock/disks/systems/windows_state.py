"""In what state a Windows was left: sealed by sysprep, in its setup, hibernated."""

from __future__ import annotations

import re

from guestclock.disks.found import System
from guestclock.disks.problem import Reason
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.systems.assignments import short, shown
from guestclock.disks.systems.windows_hives import Values
from guestclock.disks.tree import Tree

_STATE = "Microsoft\\Windows\\CurrentVersion\\Setup\\State"
_SEALED = "_RESEAL_TO_"
# Where setup looks for an answer file in the image itself, in this order.
_ANSWERS = (
    "Panther/Unattend/Unattend.xml",
    "Panther/Unattend.xml",
    "System32/Sysprep/Unattend.xml",
)
_TIME_ZONE = re.compile(r"<TimeZone>\s*([^<>]{1,120}?)\s*</TimeZone>")
_ANSWER_SIZE = 256 << 10
_HIBERNATION = "hiberfil.sys"
_SAVED = (b"HIBR", b"hibr")
_RESUMING = (b"RSTR", b"rstr")
_RESUMED = (b"WAKE", b"wake", bytes(4))


def read_sealed(system_hive: Hive, software: Hive, path: str, system: System) -> None:
    """Details `sealed` (sysprep made an image to copy of it), `image_state`, `generalized`
    (when sysprep did it last, as Windows writes it) and `setup_in_progress`. Raises DiskProblem.

    Windows XP has no ImageState; there sysprep leaves the mini-setup to be run.
    """
    state = Values(software.key(_STATE), path, _STATE)
    setup = Values(system_hive.key("Setup"), "", "Setup")
    word = state.text("ImageState")
    in_progress = bool(setup.number("SystemSetupInProgress"))
    mini = not word and in_progress and "-mini" in setup.text("CmdLine").lower()
    tag = setup.get("CloneTag")
    texts = tag.texts() if tag else []
    details = system.details
    details["sealed"] = _SEALED in word or mini
    details["image_state"] = word or None
    details["setup_in_progress"] = in_progress
    details["generalized"] = shown(texts[0]) if texts else None
    state.saw(system, "sealed", "ImageState")


def read_answer_file(tree: Tree, folder: str, system: System) -> None:
    """The detail `unattend_zone`: the zone that the setup of a sealed image will set, None where
    it says none. Raises DiskProblem.
    """
    for name in _ANSWERS:
        path = f"{folder}/{name}"
        data = tree.read(path, _ANSWER_SIZE)
        if data is None:
            continue
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        found = _TIME_ZONE.search(data.decode("utf-16" if wide else "utf-8", "replace"))
        system.details["unattend_zone"] = shown(found[1]) if found else None
        if found:
            system.saw("unattend_zone", f"/{path}", "TimeZone", raw=short(found[1]))
        return
    system.details["unattend_zone"] = None


def read_fast_startup(control: Key, path: str, system: System) -> None:
    """The detail `fast_startup`: whether shutting down hibernates the kernel, None where the
    registry does not say it. Raises DiskProblem.
    """
    where = "Control\\Session Manager\\Power"
    session = Values(control.key(where), path, f"{control.name}\\{where}")
    number = session.number("HiberbootEnabled")
    if number is None:
        system.details["fast_startup"] = None
        return
    fast = bool(number)
    if fast:
        # It is left on where hibernation as a whole was turned off.
        key = control.key("Control\\Power")
        fast = Values(key, path, "").number("HibernateEnabled") != 0
    system.details["fast_startup"] = fast
    session.saw(system, "fast_startup", "HiberbootEnabled")


def read_hibernation(tree: Tree, system: System) -> None:
    """The detail `hibernated`, None where a resume was begun and not finished. Raises
    DiskProblem.
    """
    source = tree.open(_HIBERNATION)
    if source is None or source.size < 4:
        system.details["hibernated"] = False
        return
    head = source.read_at(0, 4)
    system.saw("hibernated", f"/{_HIBERNATION}", "its first four bytes", raw=short(head))
    if head in _RESUMED:
        system.details["hibernated"] = False
    elif head in _SAVED:
        system.details["hibernated"] = True
        system.warn(
            "hibernated",
            "Windows is hibernated, or was shut down for a fast start: it will go on with what it "
            "had in memory, and the registry on the disk may be older",
        )
    elif head in _RESUMING:
        system.details["hibernated"] = None
        system.warn(
            "hibernated",
            "Windows began to resume from hibernation and did not finish: it may go on with what "
            "it had in memory, and the registry on the disk may be older",
        )
    else:
        system.details["hibernated"] = None
        system.lacks("hibernated", Reason.AMBIGUOUS, f"/{_HIBERNATION} begins with {short(head)}")
