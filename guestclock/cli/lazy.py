"""A click group that knows its commands by name and imports one only when it is called.

A start-up is then that of click alone, whatever the commands need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyCommand(NamedTuple):
    """Where a command is defined, as "module:attribute", and its line in the group's help."""

    target: str
    help: str


class LazyGroup(click.Group):
    """A group over a table of lazy commands; help and completion read the table alone.

    `on_load` is called with the context and the command before it is used, which is where the
    configuration is read.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - click's own signature is passed through
        table: Mapping[str, LazyCommand],
        on_load: Callable[[click.Context, click.Command], None] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **kwargs)
        self._table = table
        self._on_load = on_load

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the table's own order, which is the order of use."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports and returns a command, or None where the table has no such name."""
        entry = self._table.get(cmd_name)
        if entry is None:
            return None
        command = self.commands.get(cmd_name)
        if command is None:
            module, attribute = entry.target.split(":")
            command = getattr(import_module(module), attribute)
            assert isinstance(command, click.Command)
            command.short_help = entry.help
            self.commands[cmd_name] = command
            if self._on_load is not None and not ctx.resilient_parsing:
                self._on_load(ctx, command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command of the first argument; a misspelt name proposes near ones."""
        name = args[0]
        if name not in self._table and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"No such command {name!r}.{_proposed(name, self._table)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the table as the "Commands" section of the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Completes a command's name from the table, and the group's own options."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=entry.help)
            for name, entry in self._table.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


def _proposed(name: str, known: Iterable[str]) -> str:
    """A question after the near names, empty where none is."""
    import difflib

    near = difflib.get_close_matches(name, list(known))
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
