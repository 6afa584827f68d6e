"""Random clocks, zones and instants for proofs: every form, edges and odd zones over-sampled."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from guestclock.clock import Absolute, Base, Basis, Clock, Localtime, Timer, Utc, Variable, Zone
from guestclock.zones import ZoneDatabase, next_transition, process_zone

FIRST = datetime(1975, 1, 1, tzinfo=UTC)
LAST = datetime(2035, 12, 31, tzinfo=UTC)

ODD_ZONES = (
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Caracas",
    "America/New_York",
    "America/St_Johns",
    "America/Vancouver",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Shanghai",
    "Asia/Tehran",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)
"""Half and quarter hours, negative and half-hour summer times, changes of date, of rule."""

WRITTEN_ZONES = ("CST-8", "<+0330>-3:30", "EST5EDT", "CET-1CEST,M3.5.0,M10.5.0/3", "GMT+8", "")
"""What TZ may hold that is no name of a zone."""

WRONG_ZONES = ("Bogus/Zone", "Europe/Berlni", "Europe", "China Standard Time", "UTC+")
"""What a definition may hold that nobody refuses."""


@dataclass(frozen=True, slots=True)
class ProofCase:
    """A clock to be started at an aware instant, on a host in a zone."""

    clock: Clock
    host_zone: str
    at: datetime
    number: int = 0


def random_cases(count: int, seed: int, database: ZoneDatabase) -> Iterator[ProofCase]:
    """`count` cases, the same for the same seed and database."""
    dice = random.Random(seed)  # noqa: S311 - a repeatable choice, not a secret
    names = sorted(database.names())
    for number in range(count):
        host_zone = _zone(dice, names, written=True)
        base = _base(dice, names)
        followed = base.name if isinstance(base, Zone) else host_zone
        at = _instant(dice, followed, database)
        yield ProofCase(Clock(_anchored(base, at), _timers(dice)), host_zone, at, number)


def _zone(dice: random.Random, names: list[str], written: bool) -> str:
    pick = dice.random()
    if written and pick < 0.05:
        return dice.choice(WRITTEN_ZONES)
    return dice.choice(ODD_ZONES if pick < 0.5 else names)


def _base(dice: random.Random, names: list[str]) -> Base:
    match dice.randrange(6):
        case 0:
            return Utc(reset=dice.random() < 0.2)
        case 1:
            return Localtime(reset=dice.random() < 0.1)
        case 2:
            wrong = dice.random() < 0.15
            return Zone(dice.choice(WRONG_ZONES) if wrong else _zone(dice, names, written=True))
        case 3:
            return Variable(_adjustment(dice))
        case 4:
            return Variable(_adjustment(dice), Basis.LOCALTIME)
        case _:
            return Absolute(_adjustment(dice))


def _adjustment(dice: random.Random) -> int:
    """Seconds: a multiple of a quarter of an hour, a few seconds, or years, up to the wrap."""
    match dice.randrange(4):
        case 0:
            return 900 * dice.randint(-56, 56)
        case 1:
            return dice.randint(-90, 90)
        case 2:
            return dice.randint(-(2**30), 2**30)
        case _:
            return dice.choice((-1, 1)) * (2**31 + dice.randint(-(10**6), 10**6))


def _anchored(base: Base, at: datetime) -> Base:
    """An absolute start is chosen around the instant, and libvirt takes none before 1970."""
    if isinstance(base, Absolute):
        return Absolute(max(0, int(at.timestamp()) + base.start))
    return base


def _instant(dice: random.Random, zone: str, database: ZoneDatabase) -> datetime:
    """Half of the instants lie around a change of the zone that the clock follows."""
    span = int((LAST - FIRST).total_seconds())
    at = FIRST + timedelta(seconds=dice.randrange(span))
    if dice.random() < 0.5:
        change = next_transition(process_zone(zone, database).zone, at, min(at + _YEAR, LAST))
        if change:
            away = dice.choice((0, 1, -1, -2, -4, 60, -60, 1800, -1800, 3600, -3600))
            return change.at + timedelta(seconds=away)
    return at


_YEAR = timedelta(days=370)


def _timers(dice: random.Random) -> tuple[Timer, ...]:
    track = dice.choice((None, None, None, "wall", "realtime", "guest"))
    policy = "catchup" if dice.random() < 0.2 else None
    return (Timer("rtc", tickpolicy=policy, track=track),) if track or policy else ()
