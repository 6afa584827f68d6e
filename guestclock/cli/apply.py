"""`guestclock apply` and `resume`: carry a plan out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guestclock.cli.repair_options import repair_options

if TYPE_CHECKING:
    from guestclock.cli.repair_options import Orders
    from guestclock.repair.plan import Plan
    from guestclock.repair.steps import Wishes, Work
    from guestclock.repair.waves import Waves

_wave_option: Callable[[Any], Any] = click.option(
    "--wave",
    type=click.IntRange(min=1),
    metavar="N",
    help="Take N machines at a time, and go on only if each of them is verified by its RTC.",
)


@click.command()
@click.argument("plan", type=click.Path(exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--canary",
    type=click.IntRange(min=1),
    metavar="N",
    help="Go on after the first N machines only if each of them is verified by its RTC.",
)
@_wave_option
@click.option(
    "--unverified",
    is_flag=True,
    help="Also change machines whose clock cannot be read here; start them anew yourself.",
)
@repair_options
def apply(
    plan: str,
    dry_run: bool,
    canary: int | None,
    wave: int | None,
    unverified: bool,
    orders: Orders,
) -> int:
    """Carry a plan out: change, start anew, read the clock.

    Takes the source options that plan was given. What has changed since the plan was made is
    refused. Each write is in the journal before it is done; after an interruption the same
    command goes on where it was, and a plan that was carried out is left alone.

    Exit codes: 0 done, or written and waiting for a restart, 1 a step was refused or did not
    cure, 2 usage, 3 something could not be read.

    \b
    guestclock apply plan.toml -c qemu:///system --dry-run
    guestclock apply plan.toml -c qemu:///system --canary 1 --restart soft
    """
    from guestclock.cli.repairing import journals
    from guestclock.repair.journal import path_of
    from guestclock.repair.plan import load
    from guestclock.repair.waves import Waves

    made = load(Path(plan))
    folder = journals(orders.journal)
    if dry_run:
        return _say_what_would_be(made, path_of(folder, made.id), orders)
    wishes = orders.wishes(made.limits, unverified)
    return _carry_out(made, path_of(folder, made.id), orders, wishes, Waves(canary, wave))


@click.command()
@click.argument("journal_or_plan", required=False, type=click.Path(exists=True, dir_okay=False))
@_wave_option
@repair_options
def resume(journal_or_plan: str | None, wave: int | None, orders: Orders) -> int:
    """Go on with a plan that was interrupted, from what the machines show.

    Takes a journal, or a plan's file; without either the newest journal with steps that are
    neither verified nor put back.

    Exit codes: as apply.

    \b
    guestclock resume -c qemu:///system --yes
    """
    from guestclock.cli.repairing import begun, journals
    from guestclock.errors import UsageProblem
    from guestclock.repair.begun import is_to_go_on
    from guestclock.repair.waves import Waves

    plan, journal = begun(journal_or_plan, journals(orders.journal), is_to_go_on)
    if not journal.exists():
        raise UsageProblem("this plan was not begun here", "use guestclock apply, or --journal DIR")
    return _carry_out(plan, journal, orders, orders.wishes(plan.limits), Waves(each=wave))


def _say_what_would_be(plan: Plan, journal: Path, orders: Orders) -> int:
    from guestclock.cli.repairing import say
    from guestclock.repair.begun import entries_of
    from guestclock.repair.journal import History
    from guestclock.repair.steps import state_of

    history = History(entries_of(journal))
    return say(state_of(step, lever, history) for step, lever in _work_of(plan, orders))


def _carry_out(plan: Plan, journal: Path, orders: Orders, wishes: Wishes, waves: Waves) -> int:
    from datetime import UTC, datetime

    from guestclock.cli.repairing import say
    from guestclock.errors import UsageProblem
    from guestclock.repair.apply import is_settled, window_of
    from guestclock.repair.begun import begin, entries_of
    from guestclock.repair.journal import History, opened
    from guestclock.repair.waves import apply_in_waves

    if not plan.steps:
        click.echo("nothing to do: the plan has no steps")
        return 0
    work = _work_of(plan, orders)
    history = History(entries_of(journal))
    settled = [is_settled(step, lever, history, wishes.restart) for step, lever in work]
    if all(settled):
        say(one for one in settled if one is not None)
        click.echo("nothing to do: the plan was carried out")
        return 0
    if not plan.limits.allow(datetime.now(UTC)):
        raise UsageProblem(f"nothing is changed now: {window_of(plan.limits)}")
    orders.ask(f"carry out {len(plan.steps)} steps of plan {plan.id}?")
    with opened(journal.parent, plan.id) as written:
        begin(plan, written)
        return say(apply_in_waves(work, waves, written, wishes))


def _work_of(plan: Plan, orders: Orders) -> Work:
    from guestclock.cli.repair_sources import levers_of
    from guestclock.cli.sources import load_zones
    from guestclock.repair.steps import work_of

    return work_of(plan.steps, levers_of(orders.sources, plan.steps, load_zones()))
