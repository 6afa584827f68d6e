"""One os_type as a lever's value: `os_type=windows`, and `os_type=` where there is none."""

from __future__ import annotations

import re

from guestclock.platforms.lever import BadValue, Refused

WORD = "[A-Za-z0-9_.-]{0,64}"
"""What an os_type may be for a lever: no more than any system's name has."""

_VALUE = re.compile(f"os_type=({WORD})")


def os_type_in(value: str) -> str | None:
    """The os_type that a value says. Raises BadValue."""
    found = _VALUE.fullmatch(value)
    if not found:
        raise BadValue(f"{value!r} is not written as os_type=windows")
    return found[1] or None


def value_of_os_type(os_type: str | None) -> str:
    """The value of an os_type as it was read. Raises Refused for what is no plain word."""
    if os_type is not None and not (os_type and re.fullmatch(WORD, os_type)):
        raise Refused(f"its os_type is {os_type!r}, which is no plain word: correct it by hand")
    return f"os_type={os_type or ''}"
