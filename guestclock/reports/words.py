"""Errors and durations in words."""

from __future__ import annotations


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
