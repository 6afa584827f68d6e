"""The start tag of a definition's `<clock>`: its value in words, and the definition with another.

All other bytes of the definition stay as libvirt wrote them.
"""

from __future__ import annotations

import re

from guestclock.clock import Base, describe
from guestclock.platforms.libvirt.dialect import BadClock, parse_base
from guestclock.platforms.libvirt.files import parse, safe_parser

# A value that would have to be escaped is none that a clock has.
_ATTRIBUTE = r"(\w+)='([^'<>&\"]*)'"
_TAG = re.compile(rf"(?P<head> *<clock)(?P<words>(?: {_ATTRIBUTE})*)(?P<end>/?>)")
_VALUE = re.compile(rf"{_ATTRIBUTE}(?: {_ATTRIBUTE})*")


class NoClock(ValueError):
    """A definition whose `<clock>` is not written as libvirt writes it."""


def base_in(words: str) -> Base:
    """The base that attributes such as "offset='utc'" say. Raises BadClock."""
    if not _VALUE.fullmatch(words):
        raise BadClock(f"{words!r} are no attributes of a <clock>, such as offset='utc'")
    base = parse_base(dict(re.findall(_ATTRIBUTE, words)))
    if describe(base) != words:
        raise BadClock(f"{words!r} is written {describe(base)!r}")
    return base


def words_of(definition: str) -> str:
    """The clock's attributes as they stand in a definition. Raises NoClock."""
    return _found(definition)[1]["words"].strip()


def with_words(definition: str, words: str) -> str:
    """The definition with other attributes in the start tag of its clock. Raises NoClock."""
    number, tag = _found(definition)
    lines = definition.split("\n")
    lines[number] = f"{tag['head']} {words}{tag['end']}"
    return "\n".join(lines)


def _found(definition: str) -> tuple[int, re.Match[str]]:
    """The line of the clock's start tag, from 0, and what stands in it."""
    clocks = parse(definition.encode(), safe_parser()).findall("clock")
    if len(clocks) == 1 and isinstance(clocks[0].sourceline, int):
        number = clocks[0].sourceline - 1
        tag = _TAG.fullmatch(definition.split("\n")[number])
        if tag:
            return number, tag
    raise NoClock("its <clock> is not one line of its own, as libvirt writes it")
