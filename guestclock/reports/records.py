"""Records that every JSON of guestclock shares."""

from __future__ import annotations

from collections.abc import Iterable

from guestclock.evidence import Fact, Unknown, value_of
from guestclock.findings.finding import Branch, Evidence
from guestclock.machine import Identity, Outlook


def machine_record(machine: Identity) -> dict[str, object]:
    """Which machine or object a finding is about."""
    return {
        "kind": machine.kind,
        "id": machine.id,
        "name": machine.name,
        "platform": machine.platform,
        "source": machine.source,
    }


def error_record(seen: Outlook) -> dict[str, object]:
    """The three errors in seconds; null with the reason under `unknown` where not known."""
    facts: dict[str, Fact[int]] = {
        "now": seen.now,
        "after_reset": seen.after_reset,
        "after_cold_start": seen.after_cold_start,
    }
    record: dict[str, object] = {name: value_of(fact) for name, fact in facts.items()}
    record["unknown"] = {
        name: str(fact) for name, fact in facts.items() if isinstance(fact, Unknown)
    }
    return record


def evidence_records(pieces: Iterable[Evidence]) -> list[dict[str, str]]:
    """What was learnt, how, and where."""
    return [{"what": piece.what, "how": piece.how, "where": piece.where} for piece in pieces]


def tree_records(tree: Iterable[Branch]) -> list[dict[str, object]]:
    """The lines of a tree, from its root; `depth` says how deep each hangs."""
    return [{"depth": one.depth, "text": one.text, "wrong": one.wrong} for one in tree]
