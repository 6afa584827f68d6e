"""The options that apply, resume and rollback share, and what is asked on a terminal."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from guestclock.cli.options import tolerance_option
from guestclock.cli.sources import SourceOptions, source_options
from guestclock.errors import UsageProblem

if TYPE_CHECKING:
    from guestclock.repair.plan import Limits
    from guestclock.repair.steps import Wishes

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Orders:
    """What the user said of how machines are changed; `restart` is None where nothing was."""

    sources: SourceOptions
    restart: str | None
    yes: bool
    journal: str | None
    tolerance: int

    def wishes(self, limits: Limits, unverified: bool = False) -> Wishes:
        """How steps are done under the limits of their plan; asks for the restart on a terminal."""
        from guestclock.platforms.lever import Restart
        from guestclock.repair.steps import Wishes

        restart = self.restart
        if limits.max_downtime == 0:
            if restart in ("soft", "hard"):
                raise UsageProblem(
                    "the plan allows no downtime, so nothing is started anew",
                    "give --restart never, or take max_downtime out of the plan",
                )
            restart = "never"
        if restart in (None, "ask"):
            restart = "never"
            if sys.stdin.isatty():
                question = "start running machines anew: never, soft or hard?"
                choice = click.Choice(["never", "soft", "hard"])
                restart = click.prompt(question, type=choice, default="never")
        return Wishes(Restart(restart), self.tolerance, unverified, limits)

    def ask(self, question: str) -> None:
        """Asks before anything is changed. Raises UsageProblem without a terminal, click.Abort."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise UsageProblem("there is no terminal to ask on", "give --yes")
        click.confirm(question, abort=True)


_OPTIONS = (
    click.option(
        "--restart",
        type=click.Choice(["never", "soft", "hard", "ask"]),
        help="How running machines are started anew: never, by asking the guest to shut down, "
        "or by ending it.  [default: ask on a terminal, else never]",
    ),
    click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal."),
    click.option("--journal", metavar="DIR", help="Where the journal is kept."),
)


def repair_options(command: Command) -> Callable[..., Any]:
    """Adds the sources and these options; the command gets them as its argument `orders`."""

    @functools.wraps(command)
    def bundled(
        *args: object,
        sources: SourceOptions,
        restart: str | None,
        yes: bool,
        journal: str | None,
        tolerance: int,
        **others: object,
    ) -> object:
        return command(*args, orders=Orders(sources, restart, yes, journal, tolerance), **others)

    wrapped: Callable[..., Any] = bundled
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return tolerance_option(source_options(wrapped))
