"""What is wrong with an os_type for a system: the one rule that it breaks, wherever it stands."""

from __future__ import annotations

from guestclock.guest import SYSTEMS

WINDOWS = "windows"
"""The only os_type at which Nova writes localtime; compared to the letter."""

UNIVERSAL = "windows-universal"
"""A Windows with RealTimeIsUniversal, as `guestclock.guest.SYSTEMS` has it."""


def gives_localtime(os_type: str | None) -> bool:
    """Whether Nova writes localtime for it (nova/virt/libvirt/driver.py, `_set_clock`)."""
    return os_type == WINDOWS


def label(system: str) -> str:
    """A system's name in words: Windows, Linux."""
    return SYSTEMS[system].label


def fault_of(os_type: str | None, system: str) -> str | None:
    """The id of the rule that an os_type breaks for a guest's system, None where it is right.

    `system` is one of `guestclock.guest.SYSTEMS`. Of guests that keep local time Windows alone is
    judged: os_type=windows gives others a hardware that is not theirs.
    """
    if system == WINDOWS:
        if os_type == WINDOWS:
            return None
        return "CLK602" if os_type is not None and os_type.lower() == WINDOWS else "CLK601"
    if os_type == WINDOWS and SYSTEMS[system].keeps_local is False:
        return "CLK610"
    return None
