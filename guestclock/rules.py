"""All rules, the general ones and those of platforms, and which of them a user wants."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from guestclock.errors import UsageProblem
from guestclock.findings import registry
from guestclock.findings.finding import Rule
from guestclock.platforms.openstack.findings import registry as openstack

RULES: tuple[Rule, ...] = tuple(
    sorted((*registry.RULES, *openstack.RULES), key=lambda rule: rule.id)
)
"""Every rule; an id is never given to another rule, nor a rule another id."""


def chosen(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The rules whose id begins with one of `select` (all, where none is given), less `ignore`.

    CLK4 is thus a whole family, and a rule's name is as good as its id. Raises UsageProblem with
    near names for what is no rule.
    """
    wanted = _ids(select) or {rule.id for rule in RULES}
    left_out = _ids(ignore)
    return tuple(rule for rule in RULES if rule.id in wanted - left_out)


def split(given: Iterable[str]) -> list[str]:
    """The rules of an option that may be given several times, and with commas each time."""
    return [name for text in given for name in text.split(",") if name]


def _ids(words: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for word in words:
        matching = {rule.id for rule in RULES if _matches(rule, word)}
        if not matching:
            raise _unknown(word)
        found |= matching
    return found


def _matches(rule: Rule, word: str) -> bool:
    prefix = word.upper()
    return word.lower() == rule.name or (prefix.startswith("CLK") and rule.id.startswith(prefix))


def _unknown(word: str) -> UsageProblem:
    known = {name.casefold(): name for rule in RULES for name in (rule.id, rule.name)}
    near = difflib.get_close_matches(word.casefold(), known, n=len(known), cutoff=0.6)
    # Of ids equally near, those of the same family are meant.
    near = sorted(near, key=lambda one: one[:4] != word.casefold()[:4])[:3]
    hint = f"did you mean {' or '.join(known[one] for one in near)}?" if near else None
    return UsageProblem(f"there is no rule {word!r}", hint or "the rules are in docs/rules")
