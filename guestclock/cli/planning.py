"""A plan from what was collected, and as it is printed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from guestclock.cli.options import current
from guestclock.platforms.interface import Unread
from guestclock.repair.choose import Chosen
from guestclock.repair.plan import Limits, Open, Plan, Step, text_of


def new_plan(found: Iterable[Chosen], limits: Limits) -> tuple[Plan, list[Unread]]:
    """The plan, and what could not be read for it."""
    steps: list[Step] = []
    left: list[Open] = []
    unread: list[Unread] = []
    for one in found:
        match one:
            case Step():
                steps.append(one)
            case Open():
                left.append(one)
            case Unread():
                unread.append(one)
    made = current()
    name = f"{made:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    return Plan(name, made, tuple(steps), tuple(left), limits), unread


def say_plan(plan: Plan, in_words: bool) -> str:
    """The plan as its file, or in words; it has no more than what could be read."""
    if not in_words:
        return text_of(plan)
    lines = []
    for step in plan.steps:
        lines.append(f"{step.target.name}: {step.old} -> {step.new}")
        lines.append(f"  answers {', '.join(step.findings)}; takes {step.why}")
        lines.extend(f"  or {one}" for one in step.alternatives)
    for left in plan.left:
        lines.append(f"{left.name}: no step answers {', '.join(left.findings)}")
        lines.append(f"  {left.what}")
    return "\n".join(lines or ["nothing to do for what was read"]) + "\n"
