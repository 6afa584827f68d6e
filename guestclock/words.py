"""Errors, offsets, durations and instants in words."""

from __future__ import annotations

from datetime import UTC, datetime


def duration(seconds: int) -> str:
    """A length of time in words, without its sign: "8 h", "5 h 45 min", "30 s"."""
    rest = abs(seconds)
    parts = []
    for unit, size in (("y", 31_556_952), ("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if unit == "y" and rest < 2 * size:
            continue
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def behind_or_ahead(seconds: int, tolerance: int = 0) -> str:
    """An error in words: positive is ahead; one below the tolerance is "right"."""
    if abs(seconds) <= max(tolerance - 1, 0):
        return "right"
    return f"{duration(seconds)} {'ahead' if seconds > 0 else 'behind'}"


def from_utc(seconds: int) -> str:
    """An offset in words: "at UTC", "8 h ahead of UTC", "5 h behind UTC"."""
    if not seconds:
        return "at UTC"
    return f"{duration(seconds)} {'ahead of' if seconds > 0 else 'behind'} UTC"


def instant(at: datetime) -> str:
    """An aware instant in UTC, to the second: "2027-03-28T01:00:00Z"."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def instant_in(text: str) -> datetime:
    """The instant that a text names, in UTC and whole seconds: ISO 8601 with an offset or Z.

    Raises ValueError, with one line that says what to write.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an instant: write 2026-11-23T12:00:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: add Z for UTC, or +08:00")
    if not 1900 <= at.year < 2500:
        raise ValueError(f"{text!r} is not in the years 1900 to 2499")
    return at.astimezone(UTC).replace(microsecond=0)
