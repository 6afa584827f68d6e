"""Texts from strangers, made fit for one line of a report."""

from __future__ import annotations

# How Python holds the bytes of a file name that is not UTF-8.
_BYTES = range(0xDC80, 0xDD00)


def escaped(text: str) -> str:
    """A text with what a terminal would take for a command, or nobody would see, written out.

    As Python writes it: a right-to-left override is shown as \\u202e, a stray byte as \\xff.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escape(ord(one)) for one in text)


def _escape(code: int) -> str:
    if code in _BYTES:
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown(path: str) -> str:
    """A path as a report can print it: in one line, and in Unicode."""
    return escaped(path)


def clean(text: str) -> str:
    """The first line of a text from a stranger, printable and not over 160 characters."""
    return escaped(text.partition("\n")[0][:160])
