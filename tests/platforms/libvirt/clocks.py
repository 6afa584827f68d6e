"""Random `<clock>` elements, mostly such that libvirt takes them, and odd ones too."""

from __future__ import annotations

import random
from xml.sax.saxutils import quoteattr

OFFSETS = ("utc", "localtime", "timezone", "variable", "absolute")
NUMBERS = (
    "0",
    "1",
    "-1",
    "+5",
    " 7",
    "7 ",
    "\t8",
    "007",
    "-0",
    "12x",
    "x12",
    "1e3",
    "1.5",
    "0x10",
    "- 5",
    "+-5",
    "--5",
    "",
    " ",
    "reset",
    "Reset",
    "-28800",
    "3600",
    "2147483648",
    "4294967296",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
    "٣",
    "²",
)
TIMERS = ("platform", "pit", "rtc", "hpet", "tsc", "kvmclock", "hypervclock", "armvtimer")
ZONES = ("Europe/Berlin", "", " ", "a&b\"c'd<e>", "Bogus/Zone", ":x", "Äöü")


def attributes(**given: str | None) -> str:
    return "".join(
        f" {name}={quoteattr(value)}" for name, value in given.items() if value is not None
    )


def maybe(rng: random.Random, values: tuple[str, ...], chance: float) -> str | None:
    return rng.choice(values) if rng.random() < chance else None


def random_timer(rng: random.Random) -> str:
    odd = 0.12
    given = attributes(
        name=rng.choice((*TIMERS, *TIMERS, "rtc", "rtc", "bogus")) if rng.random() < 0.98 else None,
        present=maybe(rng, ("yes", "no", "yes", "no", "maybe", ""), 0.3),
        tickpolicy=maybe(rng, ("delay", "catchup", "merge", "discard", "catchup", "odd", ""), 0.4),
        track=maybe(rng, ("boot", "guest", "wall", "realtime", "odd", ""), 0.2),
        frequency=maybe(rng, NUMBERS, odd),
        mode=maybe(rng, ("auto", "native", "emulate", "paravirt", "smpsafe", "odd"), odd),
    )
    children = "".join(
        "<catchup"
        + attributes(
            threshold=maybe(rng, NUMBERS, 0.4),
            slew=maybe(rng, NUMBERS, 0.4),
            limit=maybe(rng, NUMBERS, 0.4),
        )
        + "/>"
        for _ in range(rng.choice((0, 0, 0, 0, 1, 2)))
    )
    return f"<timer{given}>{children}</timer>"


def random_clock(rng: random.Random) -> str:
    """One `<clock>`, or none, or several."""
    clocks = []
    for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 1, 1, 2, 3))):
        given = attributes(
            offset=maybe(rng, (*OFFSETS, *OFFSETS, *OFFSETS, "UTC", "", "sync"), 0.95),
            adjustment=maybe(rng, NUMBERS, 0.5),
            basis=maybe(rng, ("utc", "localtime", "utc", "localtime", "", "odd"), 0.3),
            timezone=maybe(rng, ZONES, 0.5),
            start=maybe(rng, NUMBERS, 0.5),
        )
        timers = "".join(random_timer(rng) for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 4))))
        clocks.append(f"<clock{given}>{timers}</clock>")
    return "".join(clocks)
