"""Texts from strangers, made fit for one line of a report."""

from __future__ import annotations


def shown(path: str) -> str:
    """A path as a report can print it: in one line, and in Unicode."""
    if path.isprintable():
        return path
    return path.encode("utf-8", "backslashreplace").decode().encode("unicode_escape").decode()


def clean(text: str) -> str:
    """The first line of a text from a stranger, printable and not over 160 characters."""
    line = text.partition("\n")[0][:160]
    return line if line.isprintable() else line.encode("unicode_escape").decode()
