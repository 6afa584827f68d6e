"""`guestclock apply`, `resume` and `rollback`: carry a plan out, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from guestclock.cli.options import tolerance_option
from guestclock.cli.sources import SourceOptions, source_options

if TYPE_CHECKING:
    from guestclock.platforms.lever import Lever
    from guestclock.repair.journal import Journal
    from guestclock.repair.plan import Plan
    from guestclock.repair.steps import Wishes

Command = TypeVar("Command", bound=Callable[..., Any])

_COMMON = (
    click.option(
        "--restart",
        type=click.Choice(["never", "soft", "hard", "ask"]),
        help="How running machines are started anew: never, by asking the guest to shut down, "
        "or by ending it.  [default: ask on a terminal, else never]",
    ),
    click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal."),
    click.option("--journal", metavar="DIR", help="Where the journal is kept."),
)


def _common(command: Command) -> Command:
    for option in reversed(_COMMON):
        command = option(command)
    return tolerance_option(source_options(command))  # type: ignore[return-value]


@click.command()
@click.argument("plan", type=click.Path(exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--canary",
    type=click.IntRange(min=1),
    metavar="N",
    help="Go on after the first N steps only if each of them is verified by its RTC.",
)
@click.option(
    "--unverified",
    is_flag=True,
    help="Also change machines whose clock cannot be read here; start them anew yourself.",
)
@_common
def apply(
    plan: str,
    dry_run: bool,
    canary: int | None,
    unverified: bool,
    sources: SourceOptions,
    restart: str | None,
    yes: bool,
    journal: str | None,
    tolerance: int,
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
    wishes = _wishes(restart if not dry_run else "never", tolerance, unverified)
    return _carry_out(plan, sources, wishes, yes, journal, dry_run, canary)


@click.command()
@click.argument("plan", type=click.Path(exists=True, dir_okay=False))
@_common
def resume(
    plan: str,
    sources: SourceOptions,
    restart: str | None,
    yes: bool,
    journal: str | None,
    tolerance: int,
) -> int:
    """Go on with a plan that was interrupted, from what the machines show.

    Exit codes: as apply.

    \b
    guestclock resume plan.toml -c qemu:///system --yes
    """
    from guestclock.cli.repairing import journals
    from guestclock.errors import UsageProblem
    from guestclock.repair.journal import path_of
    from guestclock.repair.plan import load

    if not path_of(journals(journal), load(Path(plan)).id).exists():
        raise UsageProblem("this plan was not begun here", "use guestclock apply, or --journal DIR")
    return _carry_out(plan, sources, _wishes(restart, tolerance), yes, journal)


@click.command()
@click.argument("plan", type=click.Path(exists=True, dir_okay=False))
@click.option("--step", multiple=True, metavar="ID", help="Put back this step alone.")
@_common
def rollback(
    plan: str,
    step: tuple[str, ...],
    sources: SourceOptions,
    restart: str | None,
    yes: bool,
    journal: str | None,
    tolerance: int,
) -> int:
    """Put back what a plan has changed, where it is still as the plan left it.

    Exit codes: 0 put back, or nothing was ours, 2 usage, 3 something could not be read.

    \b
    guestclock rollback plan.toml -c qemu:///system --restart soft
    """
    from guestclock.cli.repairing import journals, levers_of, say
    from guestclock.cli.sources import load_zones
    from guestclock.errors import UsageProblem
    from guestclock.repair.journal import opened, path_of
    from guestclock.repair.plan import load
    from guestclock.repair.rollback import rollback as rolled_back
    from guestclock.repair.steps import lever_of

    made = load(Path(plan))
    steps = tuple(one for one in made.steps if not step or one.id in step)
    if unknown := set(step) - {one.id for one in steps}:
        raise UsageProblem(f"the plan has no step {', '.join(sorted(unknown))}")
    folder = journals(journal)
    if not path_of(folder, made.id).exists():
        click.echo("nothing was changed by this plan: it has no journal")
        return 0
    levers = levers_of(sources, steps, load_zones())
    for one in steps:
        lever_of(one, levers)
    _ask(f"put back {len(steps)} steps of plan {made.id}?", yes)
    with opened(folder, made.id) as written:
        return say(rolled_back(steps, levers, written, _wishes(restart, tolerance)))


def _carry_out(
    path: str,
    sources: SourceOptions,
    wishes: Wishes,
    yes: bool,
    journal: str | None,
    dry_run: bool = False,
    canary: int | None = None,
) -> int:
    from guestclock.cli.repairing import journals, levers_of, say
    from guestclock.cli.sources import load_zones
    from guestclock.repair.apply import apply as applied
    from guestclock.repair.apply import begin, is_settled
    from guestclock.repair.journal import History, opened, path_of, read
    from guestclock.repair.plan import load
    from guestclock.repair.steps import lever_of, state_of

    plan = load(Path(path))
    if not plan.steps:
        click.echo("nothing to do: the plan has no steps")
        return 0
    folder = journals(journal)
    levers = levers_of(sources, plan.steps, load_zones())
    named = [(step, lever_of(step, levers)) for step in plan.steps]
    where = path_of(folder, plan.id)
    history = History(read(where) if where.exists() else ())
    if dry_run:
        return say(state_of(step, lever, history) for step, lever in named)
    settled = [is_settled(step, lever, history, wishes.restart) for step, lever in named]
    if all(settled):
        say(one for one in settled if one is not None)
        click.echo("nothing to do: the plan was carried out")
        return 0
    _ask(f"change {len(plan.steps)} machines by plan {plan.id}?", yes)
    with opened(folder, plan.id) as written:
        begin(plan, written)
        first, rest = plan.steps[: canary or 0], plan.steps[canary or 0 :]
        if first and not _are_cured(plan, levers, written, wishes, len(first)):
            click.echo("the first steps were not verified: nothing else was changed", err=True)
            return 1
        return say(applied(rest, levers, written, wishes))


def _are_cured(
    plan: Plan, levers: dict[tuple[str, str], Lever], written: Journal, wishes: Wishes, count: int
) -> bool:
    from guestclock.cli.repairing import say
    from guestclock.repair.apply import apply as applied
    from guestclock.repair.steps import State

    outcomes = list(applied(plan.steps[:count], levers, written, wishes))
    say(outcomes)
    return all(one.state in (State.CURED, State.ALREADY) for one in outcomes)


def _wishes(restart: str | None, tolerance: int, unverified: bool = False) -> Wishes:
    from guestclock.platforms.lever import Restart
    from guestclock.repair.steps import Wishes

    if restart in (None, "ask"):
        restart = "never"
        if sys.stdin.isatty():
            question = "start running machines anew: never, soft or hard?"
            choice = click.Choice(["never", "soft", "hard"])
            restart = click.prompt(question, type=choice, default="never")
    return Wishes(Restart(restart), tolerance, unverified)


def _ask(question: str, yes: bool) -> None:
    from guestclock.errors import UsageProblem

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageProblem("there is no terminal to ask on", "give --yes")
    click.confirm(question, abort=True)
