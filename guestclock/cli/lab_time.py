"""`guestclock lab time`: time travel for a lab."""

from __future__ import annotations

from datetime import datetime

import click

from guestclock.cli.lab_context import LabContext, pass_lab
from guestclock.cli.lab_output import output_options, show
from guestclock.cli.options import INSTANT


@click.group()
def time() -> None:
    """Time travel: the clock of all hosts of the lab, and so of their machines."""


@time.command("show")
@output_options
@pass_lab
def show_(context: LabContext, form: str, columns: tuple[str, ...]) -> None:
    """Show the lab's time, and how far it is ahead of the real one."""
    with context.existing() as lab:
        fields = {"now": lab.time.now(), "offset_seconds": lab.time.offset()}
    show(fields, form, columns)


@time.command("set")
@click.argument("instant", type=INSTANT)
@pass_lab
def set_(context: LabContext, instant: datetime) -> None:
    """Set the lab's time to INSTANT, such as 2027-03-14T06:59:00Z; it runs on from there."""
    with context.opened() as lab:
        lab.time.set(instant)


@time.command(context_settings={"ignore_unknown_options": True})
@click.argument("seconds", type=int)
@pass_lab
def step(context: LabContext, seconds: int) -> None:
    """Step the lab's time by SECONDS, forward or (negative) back."""
    with context.opened() as lab:
        lab.time.step(seconds)


@time.command()
@pass_lab
def reset(context: LabContext) -> None:
    """Return to real time."""
    with context.opened() as lab:
        lab.time.reset()
