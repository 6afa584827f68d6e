"""`guestclock plan`: what would be changed, written down before anything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guestclock.cli.options import at_option, output_option, tolerance_option
from guestclock.cli.sources import SourceOptions, source_options

if TYPE_CHECKING:
    from datetime import datetime

UNREAD = 3


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@source_options
@at_option("For which moment the next cold start is judged.")
@click.option("--only", multiple=True, metavar="RULE,...", help="Answer findings of these alone.")
@click.option("--explain", is_flag=True, help="Say each step in words instead.")
@tolerance_option
@output_option
def plan(
    paths: tuple[str, ...],
    sources: SourceOptions,
    at: datetime,
    only: tuple[str, ...],
    explain: bool,
    tolerance: int,
    output: str | None,
) -> int:
    """What would set wrong clocks right, as a file to read, edit and apply.

    Takes what audit takes, and changes nothing. Each step names a machine, a lever, the value
    that must be there before, and the findings it answers. Levers work on the machines of a
    libvirt connection (-c) and on servers whose cell's database is given (--cell-db); for all
    others the plan says what would help.

    Exit codes: 0 planned, also where there is nothing to do, 2 usage, 3 something could not be
    read.

    \b
    guestclock plan -c qemu:///system --guests fleet.csv -o plan.toml
    guestclock plan -c qemu:///system --only CLK201 --explain
    """
    from guestclock.audit import Judge
    from guestclock.cli.repairing import collected_for, new_plan, say_plan
    from guestclock.cli.sources import load_zones
    from guestclock.reports.output import writing
    from guestclock.rules import chosen as rules_chosen

    zones = load_zones()
    rules = rules_chosen([name for text in only for name in text.split(",") if name], [])
    collected, named = collected_for(paths, sources, zones)
    made, unread = new_plan(collected, Judge(at, zones, tolerance, rules), named)
    for one in unread:
        click.echo(f"not read: {one.source}: {one.reason}", err=True)
    with writing(output) as stream:
        stream.write(say_plan(made, explain))
    return UNREAD if unread else 0
