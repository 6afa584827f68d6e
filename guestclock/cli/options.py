"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from guestclock.words import instant_in

Command = TypeVar("Command", bound=Callable[..., Any])


class Instant(click.ParamType):  # type: ignore[type-arg]  # no generic before click 8.3
    """An instant: ISO 8601 with an offset or Z, or "now"."""

    name = "instant"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The aware datetime in UTC, whole seconds; a time without an offset is refused."""
        if isinstance(value, datetime):
            return value
        value = str(value)
        if value == "now":
            return current()
        try:
            return instant_in(value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


INSTANT = Instant()


def current() -> datetime:
    """This moment, in whole seconds; the only place where a command asks for it."""
    return datetime.now(UTC).replace(microsecond=0)


def at_option(help_text: str, default: str | None = "now") -> Callable[[Command], Command]:
    """`--at INSTANT`, by default now; a command with another idea of now has no default."""
    shown = default or "now"
    return click.option("--at", type=INSTANT, default=default, show_default=shown, help=help_text)


def output_option(command: Command) -> Command:
    """`-o/--output FILE`: where the data go instead of standard output."""
    return click.option(
        "-o", "--output", type=click.Path(dir_okay=False, writable=True), help="Write here."
    )(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """`-f/--format`; the first format is the default."""
    return click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to print.",
    )


def tolerance_option(command: Command) -> Command:
    """`--tolerance SECONDS`: an error below it is none."""
    return click.option(
        "--tolerance",
        type=click.IntRange(min=1),
        default=5,
        show_default=True,
        help="An error of fewer seconds is none.",
    )(command)


class RtcCommand(click.Command):
    """A command that takes `-rtc ARGS` also as one word, as it is copied from a command line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split "-rtc base=utc" in two, and leave the rest to click."""
        words = [word.split(None, 1) if word.startswith("-rtc ") else [word] for word in args]
        return super().parse_args(ctx, [part for word in words for part in word])
