"""`guestclock plan`: what would be changed, written down before anything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guestclock.cli.options import INSTANT, at_option, output_option, tolerance_option
from guestclock.cli.sources import SourceOptions, source_options

if TYPE_CHECKING:
    from datetime import datetime

UNREAD = 3


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@source_options
@at_option("For which moment the next cold start is judged.")
@click.option("--only", multiple=True, metavar="RULE,...", help="Answer findings of these alone.")
@click.option(
    "--prefer",
    type=click.Choice(["utc", "localtime", "timezone", "variable"]),
    help="The offset of <clock> to take where several are right.",
)
@click.option(
    "--window",
    type=(INSTANT, INSTANT),
    metavar="FROM UNTIL",
    help="Work on the plan between these instants alone; cold starts are judged for the first.",
)
@click.option(
    "--max-downtime",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    help="Start no further machine anew once one took longer; 0 starts none.",
)
@click.option(
    "--allow-shared-image",
    is_flag=True,
    help="Correct images although the systems of some of their servers are not known.",
)
@click.option("--explain", is_flag=True, help="Say each step in words instead.")
@tolerance_option
@output_option
def plan(
    paths: tuple[str, ...],
    sources: SourceOptions,
    at: datetime,
    only: tuple[str, ...],
    prefer: str | None,
    window: tuple[datetime, datetime] | None,
    max_downtime: int | None,
    allow_shared_image: bool,
    explain: bool,
    tolerance: int,
    output: str | None,
) -> int:
    """What would set wrong clocks right, as a file to read, edit and apply.

    Takes what audit takes, and changes nothing. Each step names a machine, a lever, the value
    that must be there before, and the findings it answers. Levers work on the machines of a
    libvirt connection (-c), on servers whose cell's database is given (--cell-db), on their
    request specs (--api-db) and on their images (--os-cloud); for all others the plan says what
    would help.

    Exit codes: 0 planned, also where there is nothing to do, 2 usage, 3 something could not be
    read.

    \b
    guestclock plan -c qemu:///system --guests fleet.csv -o plan.toml
    guestclock plan -c qemu:///system --only CLK201 --explain
    """
    from guestclock.audit import Judge
    from guestclock.cli.planning import new_plan, say_plan
    from guestclock.cli.repair_sources import collected_for
    from guestclock.cli.sources import load_zones
    from guestclock.errors import UsageProblem
    from guestclock.repair.choose import Choice, chosen
    from guestclock.repair.plan import Limits
    from guestclock.reports.output import writing
    from guestclock.rules import chosen as chosen_rules
    from guestclock.rules import split

    if window is not None:
        if window[0] >= window[1]:
            raise UsageProblem("--window ends before it begins", "give FROM and UNTIL")
        at = max(at, window[0])
    zones = load_zones()
    judge = Judge(at, zones, tolerance, chosen_rules(split(only)))
    collected, known = collected_for(paths, sources, at, zones)
    found = chosen(collected, judge, known, Choice(prefer, allow_shared_image))
    made, unread = new_plan(found, Limits(window, max_downtime))
    for one in unread:
        click.echo(f"not read: {one.source}: {one.reason}", err=True)
    with writing(output) as stream:
        stream.write(say_plan(made, explain))
    return UNREAD if unread else 0
