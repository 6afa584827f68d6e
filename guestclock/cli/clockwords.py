"""A clock as a user gives it: a file, XML, a `-rtc` value, or words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from guestclock.clock import (
    Absolute,
    Base,
    Basis,
    Clock,
    Localtime,
    Timer,
    Track,
    Utc,
    Variable,
    Zone,
)
from guestclock.errors import Unreadable, UsageProblem
from guestclock.rtc import BadRtcArguments, RtcArguments, parse_arguments

WORDS = """utc, localtime, timezone=ZONE, variable=SECONDS[,localtime], absolute=EPOCH|DATE"""
_LARGEST_FILE = 16 * 2**20


@dataclass(frozen=True, slots=True)
class GivenClock:
    """A clock and where it was read."""

    clock: Clock
    where: str


def read_clock(text: str) -> GivenClock:
    """The clock in a file of that name, else what the text itself says.

    Raises UsageProblem for a text that is no clock, Unreadable for a file that holds none.
    """
    path = Path(text)
    if not text.lstrip().startswith("<") and _is_file(path):
        return GivenClock(_from_xml(_content(path), f"{text}"), text)
    stripped = text.strip()
    if stripped.startswith("<"):
        return GivenClock(_from_xml(stripped.encode(), "the XML given"), "the XML given")
    if stripped.startswith(("-rtc", "base=", "clock=", "driftfix=")):
        return GivenClock(of_arguments(stripped.removeprefix("-rtc").strip()), "-rtc")
    return GivenClock(Clock(_words(stripped)), "the words given")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise Unreadable(f"{path} has over 16 MiB: no domain definition is that large")
        return path.read_bytes()
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror}") from None


def _from_xml(content: bytes, where: str) -> Clock:
    from lxml import etree

    from guestclock.platforms.libvirt.dialect import BadClock, parse_clock

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise Unreadable(f"{where} is not XML: {problem}") from None
    if root.getroottree().docinfo.doctype:
        raise Unreadable(f"{where} has a DOCTYPE: a domain definition has none")
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
        arguments = parse_arguments(text)
    except BadRtcArguments as problem:
        raise UsageProblem(str(problem)) from None
    return clock_of(arguments, environment_zone)


def clock_of(arguments: RtcArguments, environment_zone: str | None = None) -> Clock:
    """The definition whose `-rtc` and TZ these are."""
    base: Base
    if arguments.base == "utc":
        base = Utc()
    elif arguments.base == "localtime":
        base = Localtime() if environment_zone is None else Zone(environment_zone)
    else:
        base = Absolute(arguments.start or 0)
    tracks = {Track.HOST: None, Track.RT: "realtime", Track.VM: "guest"}
    track, policy = tracks[arguments.track], "catchup" if arguments.slew else None
    timers = (Timer("rtc", tickpolicy=policy, track=track),) if track or policy else ()
    return Clock(base, timers)


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
        raise UsageProblem(f"{text!r} has no offset: add Z for UTC")
    return int(instant.timestamp())
