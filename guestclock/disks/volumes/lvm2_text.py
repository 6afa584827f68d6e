"""LVM2's metadata text: sections in braces, `key = value`, lists in brackets, comments with #."""

from __future__ import annotations

import re
from typing import TypeAlias

from guestclock.disks.problem import Damaged

Value: TypeAlias = "str | int | list[Value] | Section"
Section: TypeAlias = "dict[str, Value]"

_TOKEN = re.compile(
    r'\s+|#[^\n]*|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z0-9_.+-]+)|(?P<sign>[{}=\[\],])'
)
_DEEPEST = 8


def parse(text: str) -> Section:
    """The whole text as a section. Raises Damaged."""
    tokens = _tokens(text)
    tokens.reverse()
    found = _section(tokens, 0, top=True)
    return found


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Damaged(f"LVM: its metadata at {at}: {text[at : at + 20]!r}")
        if match.lastgroup:
            found.append(match[0])
        at = match.end()
    return found


def _next(tokens: list[str], wanted: str = "") -> str:
    if not tokens or (wanted and tokens[-1] != wanted):
        raise Damaged(f"LVM: its metadata have {tokens[-1:]}, not {wanted or 'more'}")
    return tokens.pop()


def _section(tokens: list[str], depth: int, top: bool = False) -> Section:
    if depth > _DEEPEST:
        raise Damaged("LVM: its metadata are nested too deep")
    found: Section = {}
    while tokens:
        name = _next(tokens)
        if name == "}" and not top:
            return found
        sign = _next(tokens)
        if sign == "{":
            found[name] = _section(tokens, depth + 1)
        elif sign == "=":
            found[name] = _value(tokens)
        else:
            raise Damaged(f"LVM: its metadata have {sign!r} after {name[:40]!r}")
    if not top:
        raise Damaged("LVM: a section of its metadata has no end")
    return found


def _value(tokens: list[str]) -> Value:
    word = _next(tokens)
    if word == "[":
        found: list[Value] = []
        while tokens and tokens[-1] != "]":
            found.append(_scalar(_next(tokens)))
            if tokens and tokens[-1] == ",":
                tokens.pop()
        _next(tokens, "]")
        return found
    return _scalar(word)


def _scalar(word: str) -> Value:
    if word.startswith('"'):
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    try:
        return int(word)
    except ValueError:
        return word


def number(section: Section, name: str) -> int:
    """A number of a section. Raises Damaged where it is none."""
    value = section.get(name)
    if not isinstance(value, int):
        raise Damaged(f"LVM: {name} is no number in its metadata")
    return value


def sections(section: Section, name: str) -> dict[str, Section]:
    """The sections in the section of that name, none where there is none."""
    inner = section.get(name)
    if not isinstance(inner, dict):
        return {}
    return {key: value for key, value in inner.items() if isinstance(value, dict)}
