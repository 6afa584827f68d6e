"""The step for a machine that libvirt alone defines."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.clock import Base, Localtime, Utc, describe
from guestclock.cures import right_base
from guestclock.evidence import Unknown
from guestclock.machine import Facts, Identity
from guestclock.platforms.lever import Target
from guestclock.platforms.libvirt import lever
from guestclock.repair.handed import handed_over
from guestclock.repair.plan import Step
from guestclock.repair.trial import Trial, Trials

OFFSETS = ("utc", "localtime", "timezone", "variable")
"""What may be preferred: the offset of a <clock>."""


def machine_step(
    identity: Identity, facts: Facts, rules: tuple[str, ...], trials: Trials, prefer: str | None
) -> Step | str:
    """The step, or why there is none; `prefer` is one of OFFSETS, taken where it is right."""
    if isinstance(facts.definition, Unknown):
        return "its definition is not known"
    found = _best(facts, trials, prefer)
    if found is None:
        return "no clock would be right for it"
    base, trial = found
    return Step(
        "",
        lever.NAME,
        Target(identity.id, identity.name, identity.source),
        describe(facts.definition.value.base),
        describe(base),
        rules,
        f"{lever.ABOUT.downtime}; {trial.why}",
        handed_over(facts.guest),
    )


def _best(facts: Facts, trials: Trials, prefer: str | None) -> tuple[Base, Trial] | None:
    """The first clock with which the law holds: what is preferred, what lasts, what holds now."""
    held = [(base, trial) for base in _bases(facts) if (trial := trials(facts, base)).holds]
    held.sort(key=lambda one: (not _is_offset(one[0], prefer), not one[1].lasts))
    return held[0] if held else None


def _bases(facts: Facts) -> Iterator[Base]:
    right = right_base(facts.guest)
    if right is not None:
        yield right
    yield from (base for base in (Utc(), Localtime()) if base != right)


def _is_offset(base: Base, prefer: str | None) -> bool:
    return prefer is not None and describe(base).startswith(f"offset='{prefer}'")
