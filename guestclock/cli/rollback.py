"""`guestclock rollback`: put back what a plan has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guestclock.cli.repair_options import repair_options

if TYPE_CHECKING:
    from guestclock.cli.repair_options import Orders


@click.command()
@click.argument("journal_or_plan", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--step", multiple=True, metavar="ID", help="Put back this step alone.")
@repair_options
def rollback(journal_or_plan: str | None, step: tuple[str, ...], orders: Orders) -> int:
    """Put back what a plan has changed, where it is still as the plan left it.

    Takes a journal, or a plan's file; without either the newest journal with steps that were
    done and not put back.

    Exit codes: 0 put back, or nothing was ours, 1 a step was refused, 2 usage, 3 something could
    not be read.

    \b
    guestclock rollback -c qemu:///system --restart soft
    guestclock rollback plan.toml -c qemu:///system --step 2
    """
    from guestclock.cli.repair_sources import levers_of
    from guestclock.cli.repairing import begun, journals, say
    from guestclock.cli.sources import load_zones
    from guestclock.errors import UsageProblem
    from guestclock.repair.begun import is_to_go_back
    from guestclock.repair.journal import opened
    from guestclock.repair.rollback import rollback as rolled_back
    from guestclock.repair.steps import work_of

    plan, journal = begun(journal_or_plan, journals(orders.journal), is_to_go_back)
    steps = tuple(one for one in plan.steps if not step or one.id in step)
    if unknown := set(step) - {one.id for one in steps}:
        raise UsageProblem(f"the plan has no step {', '.join(sorted(unknown))}")
    if not journal.exists():
        click.echo("nothing was changed by this plan: it has no journal")
        return 0
    work = work_of(steps, levers_of(orders.sources, steps, load_zones()))
    orders.ask(f"put back {len(steps)} steps of plan {plan.id}?")
    with opened(journal.parent, plan.id) as written:
        return say(rolled_back(work, written, orders.wishes(plan.limits)))
