"""Texts of machines, made fit to be shown: names and zones are chosen by tenants."""

from __future__ import annotations


def visible(text: str) -> str:
    """A text with what a terminal would take for a command, or nobody would see, written out."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


def inert(text: str) -> str:
    """A visible text that no spreadsheet takes for a formula."""
    shown = visible(text)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown
