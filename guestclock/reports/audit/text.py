"""Texts of machines, made fit to be shown: names and zones are chosen by tenants."""

from __future__ import annotations

from guestclock.platforms.text import escaped


def visible(text: str) -> str:
    """A text with what a terminal would take for a command, or nobody would see, written out."""
    return escaped(text)


def inert(text: str) -> str:
    """A visible text that no spreadsheet takes for a formula."""
    shown = visible(text)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown
