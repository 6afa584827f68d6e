"""Settings as shell scripts read them: `NAME=value` lines of os-release, rc.conf, conf.d files."""

from __future__ import annotations

import re

_ASSIGNED = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_PIECE = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|\\(.)|([^\s;#&|\"'\\]+)")
_ESCAPED = re.compile(r"\\([\"$`\\])")


def assignments(text: str) -> dict[str, str]:
    """The variables that a text sets, the last assignment of each. Nothing is expanded.

    Quotes and backslashes are taken as sh takes them within one line (os-release(5), rc.conf(5));
    a line of another form says nothing.
    """
    found: dict[str, str] = {}
    for line in text.split("\n"):
        match = _ASSIGNED.fullmatch(line.rstrip("\r"))
        if match:
            found[match[1]] = _value(match[2])
    return found


def is_computed(value: str) -> bool:
    """Whether a value is only known to the shell that runs it."""
    return "$" in value or "`" in value


def shown(text: str, limit: int = 120) -> str:
    """A text of the disk as an answer may have it: on one line, without control characters."""
    return "".join(one if one.isprintable() else "?" for one in text[:limit])


def short(text: object, limit: int = 120) -> str:
    """A text of the disk as it may stand in a message: quoted, and not too long."""
    shown = repr(text)
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def _value(text: str) -> str:
    pieces: list[str] = []
    at = 0
    while match := _PIECE.match(text, at):
        double, single, escaped, bare = match.groups()
        if double is not None:
            pieces.append(_ESCAPED.sub(r"\1", double))
        else:
            pieces.append(next(one for one in (single, escaped, bare) if one is not None))
        at = match.end()
    return "".join(pieces)
