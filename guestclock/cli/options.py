"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Instant(click.ParamType):
    """An instant: ISO 8601 with an offset or Z, or "now"."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The aware datetime in UTC, whole seconds; a time without an offset is refused."""
        if isinstance(value, datetime):
            return value
        if value == "now":
            return datetime.now(UTC).replace(microsecond=0)
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not an instant: write 2026-11-23T12:00:00Z", param, ctx)
        if instant.tzinfo is None:
            self.fail(f"{value!r} has no offset: add Z for UTC, or +08:00", param, ctx)
        return instant.astimezone(UTC).replace(microsecond=0)


INSTANT = Instant()


def at_option(help_text: str) -> Callable[[Command], Command]:
    """`--at INSTANT`, by default now."""
    return click.option("--at", type=INSTANT, default="now", show_default=True, help=help_text)


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
