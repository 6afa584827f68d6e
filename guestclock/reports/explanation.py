"""An explanation for people, and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

from guestclock.evidence import Unknown, value_of
from guestclock.explanation import Ahead, Explanation
from guestclock.faults import Fault
from guestclock.hops import Hop
from guestclock.reports.records import (
    error_record,
    evidence_records,
    machine_record,
    tree_records,
)
from guestclock.reports.tables import console_of
from guestclock.reports.tree import tree_lines
from guestclock.words import behind_or_ahead, instant


def as_json(found: Explanation) -> dict[str, object]:
    """An explanation in the form that docs/guide/explain.md describes."""
    exposure = found.exposure
    return {
        "machine": machine_record(found.machine),
        "verdict": found.verdict,
        "fault": found.fault.value if found.fault else None,
        "hops": [_hop(hop) for hop in found.hops],
        "error_seconds": {**error_record(found.seen), **_after(found.told.ahead)},
        "life": [_ahead(one) for one in found.told.ahead],
        "history": list(found.told.history),
        "tree": tree_records(found.told.tree),
        "right_until": exposure
        and {
            "at": instant(exposure.change.at),
            "error_seconds": exposure.error,
            "if": exposure.life.value,
            "zone": exposure.zone,
        },
        "cure": str(found.cure) if found.cure else None,
    }


def _after(ahead: Iterable[Ahead]) -> dict[str, int | None]:
    """The errors of a platform's operations, as after_soft_reboot and the like."""
    return {
        f"after_{re.sub('[^a-z]+', '_', one.name)}": value_of(one.error)
        for one in ahead
        if one.name in _KEYS
    }


_KEYS = frozenset(("soft reboot", "hard reboot", "stop/start", "rebuild"))


def _ahead(one: Ahead) -> dict[str, object]:
    return {
        "operation": one.name,
        "error_seconds": value_of(one.error),
        "unknown": str(one.error) if isinstance(one.error, Unknown) else None,
        "regenerates": one.regenerates,
        "hangs_on": one.hangs_on or None,
    }


def _hop(hop: Hop) -> dict[str, object]:
    return {
        "name": hop.name,
        "says": hop.says,
        "should": hop.should or None,
        "evidence": evidence_records(hop.evidence),
    }


def print_json(found: Explanation, stream: TextIO) -> None:
    """One JSON object."""
    stream.write(json.dumps(as_json(found), indent=2, ensure_ascii=False) + "\n")


def print_text(found: Explanation, stream: TextIO, tolerance: int) -> None:
    """The verdict, the hops as a chain, the errors, the cure."""
    console = console_of(stream)
    colour = "green" if found.fault is None else "yellow" if _unsure(found) else "red"
    console.print(f"[bold {colour}]{_safe(found.verdict)}[/]\n")
    unicode = (getattr(stream, "encoding", None) or "").lower().startswith("utf")
    marks = _UNICODE if unicode else _ASCII
    for hop in found.hops:
        for line in _chain(hop, marks):
            console.print(line)
    console.print()
    width = max(20, *(len(one.name) + 8 for one in found.told.ahead), 0)
    if found.fault:
        console.print(f"{'fault':<{width}}{found.fault.value}")
    facts = (found.seen.now, found.seen.after_reset, found.seen.after_cold_start)
    for name, fact in zip(("now", "after a reset", "after a cold start"), facts, strict=True):
        text = f"unknown: {fact}" if isinstance(fact, Unknown) else _error(fact.value, tolerance)
        console.print(f"{name:<{width}}{_safe(text)}")
    for one in found.told.ahead:
        error = one.error
        text = f"unknown: {error}" if isinstance(error, Unknown) else _error(error.value, tolerance)
        console.print(f"{'after ' + _safe(one.name):<{width}}{_safe(text)}{_writes(one)}")
    for sentence in found.told.history:
        console.print(f"{'history':<{width}}{_safe(sentence)}")
    for line in tree_lines(found.told.tree, unicode):
        console.print(f"{'lineage':<{width}}{_safe(line)}")
    if found.cure:
        console.print(f"{'cure':<{width}}[bold]{_safe(found.cure.what)}[/]")
        console.print(f"{'cost':<{width}}{_safe(found.cure.cost)}")


def _writes(one: Ahead) -> str:
    """Whether the operation writes the definition anew, and what that hangs on."""
    match one.regenerates:
        case True:
            text = "writes the definition anew"
        case False:
            text = "keeps the definition"
        case None:
            text = ""
    words = "; ".join(part for part in (text, one.hangs_on) if part)
    return f" [dim]({_safe(words)})[/]" if words else ""


@dataclass(frozen=True, slots=True)
class _Marks:
    right: str
    wrong: str
    unknown: str
    bar: str


_UNICODE = _Marks("\u2713", "\u2717", "?", "\u2502")
_ASCII = _Marks("=", "x", "?", "|")


def _chain(hop: Hop, marks: _Marks) -> Iterator[str]:
    """One hop: what it says, what it should say where that differs, and how it was learnt."""
    if hop.wrong:
        yield f"[red]{marks.wrong} {hop.name:<17} {_safe(hop.says)}[/]"
        yield f"{marks.bar}   [bold]should say[/]      {_safe(hop.should)}"
    elif hop.should:
        yield f"[green]{marks.right}[/] {hop.name:<17} {_safe(hop.says)}"
    else:
        yield f"[yellow]{marks.unknown}[/] {hop.name:<17} {_safe(hop.says)}"
    lines = {f"{piece.how:<15} {piece.where}": None for piece in hop.evidence}
    for line in lines:
        yield f"{marks.bar}   [dim]{_safe(line)}[/]"


def _error(seconds: int, tolerance: int) -> str:
    words = behind_or_ahead(seconds, tolerance)
    return words if words == "right" else f"{words} ({seconds:+d} s)"


def _unsure(found: Explanation) -> bool:
    return found.fault is Fault.UNKNOWN


def _safe(text: str) -> str:
    """Text from a machine, with what a terminal or rich would take for a command made visible."""
    printable = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)
    return printable.replace("[", "\\[")
