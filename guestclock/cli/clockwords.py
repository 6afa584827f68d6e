"""A clock as a user gives it: a file, XML, a `-rtc` value, or words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from guestclock.clock import Absolute, Base, Basis, Clock, Localtime, Utc, Variable, Zone
from guestclock.errors import Unreadable, UsageProblem
from guestclock.platforms.qemu.dialect import clock_of
from guestclock.rtc import BadRtcArguments, parse_arguments

if TYPE_CHECKING:
    from lxml import etree

WORDS = """utc, localtime, timezone=ZONE, variable=SECONDS[,localtime], absolute=EPOCH|DATE"""


@dataclass(frozen=True, slots=True)
class GivenClock:
    """A clock and where it was read."""

    clock: Clock
    where: str


def read_clock(text: str) -> GivenClock:
    """The clock in a file of that name, else what the text itself says.

    Raises UsageProblem for a text that is no clock, Unreadable for a file that holds none.
    """
    from guestclock.platforms.libvirt.files import Refused, load, parse, safe_parser

    stripped = text.strip()
    try:
        if stripped.startswith("<"):
            root = parse(stripped.encode(), safe_parser())
            return GivenClock(_from_xml(root, "the XML given"), "the XML given")
        if os.path.lexists(text):
            return GivenClock(_from_xml(load(text, safe_parser()), text), text)
    except Refused as problem:
        raise Unreadable(f"{text[:60]}: {problem}") from None
    if stripped.startswith(("-rtc", "base=", "clock=", "driftfix=")):
        return GivenClock(of_arguments(stripped.removeprefix("-rtc").strip()), "-rtc")
    return GivenClock(Clock(_words(stripped)), "the words given")


def _from_xml(root: etree._Element, where: str) -> Clock:
    from lxml import etree

    from guestclock.platforms.libvirt.dialect import BadClock, parse_clock

    if root.tag == "clock":
        domain = etree.Element("domain")
        domain.append(root)
        root = domain
    if root.tag != "domain":
        raise Unreadable(f"{where} has the root <{root.tag}>: give a <domain> or a <clock>")
    try:
        return parse_clock(root)
    except BadClock as problem:
        raise Unreadable(f"{where}: {problem}") from None


def of_arguments(text: str, environment_zone: str | None = None) -> Clock:
    """The clock that a `-rtc` value is, with the TZ of its process. Raises UsageProblem."""
    try:
        return clock_of(parse_arguments(text), environment_zone)
    except BadRtcArguments as problem:
        raise UsageProblem(str(problem)) from None


def _words(text: str) -> Base:
    word, _, value = text.partition("=")
    match word:
        case "utc" if not value:
            return Utc()
        case "localtime" if not value:
            return Localtime()
        case "timezone" if value:
            return Zone(value)
        case "variable" if value:
            seconds, _, basis = value.partition(",")
            if basis in ("", "utc", "localtime"):
                return Variable(_whole(seconds), Basis(basis or "utc"))
        case "absolute" if value:
            return Absolute(_instant(value))
    raise UsageProblem(f"{text!r} is no clock", f"give a file, XML, -rtc base=..., or {WORDS}")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageProblem(f"{text!r} is not a whole number of seconds") from None


def _instant(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageProblem(f"{text!r} is neither seconds since 1970 nor a date") from None
    if instant.tzinfo is None:
        raise UsageProblem(f"{text!r} has no offset: write 2020-01-01T00:00:00Z")
    return int(instant.timestamp())
