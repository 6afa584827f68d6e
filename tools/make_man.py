"""Writes the manual pages, one a command, from what the commands say of themselves.

python tools/make_man.py FOLDER
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from guestclock import __version__
from guestclock.cli.main import guestclock

EXIT_STATUS = (
    ("0", "Clean, or an answer was given."),
    ("1", "Findings at or above \\fB\\-\\-fail\\-on\\fR, or a proof that does not match."),
    ("2", "The command was used wrongly."),
    ("3", "Something could not be read; findings come before that."),
    ("130", "Interrupted."),
)


def main() -> None:
    """Writes a page for the program and for each of its commands."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with click.Context(guestclock, info_name="guestclock") as root:
        for ctx in contexts(root):
            name = ctx.command_path.replace(" ", "-")
            (folder / f"{name}.1").write_text(page(name, ctx), encoding="utf-8")


def contexts(ctx: click.Context) -> Iterator[click.Context]:
    """The context of a command, then those of the commands below it."""
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            if command is not None and not command.hidden:
                with click.Context(command, info_name=name, parent=ctx) as inner:
                    yield from contexts(inner)


def page(name: str, ctx: click.Context) -> str:
    """One manual page in man(7)'s macros."""
    command = ctx.command
    summary = command.get_short_help_str(limit=200).rstrip(".")
    usage = " ".join(command.collect_usage_pieces(ctx))
    lines = [
        f'.TH "{name.upper()}" "1" "" "guestclock {__version__}" "guestclock"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(summary[:1].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        f"\\fB{escaped(ctx.command_path)}\\fR {escaped(usage)}",
        ".SH DESCRIPTION",
        *paragraphs(command.help or summary),
        *listed("OPTIONS", records(ctx)),
        *listed("COMMANDS", inner(ctx)),
        *listed("EXIT STATUS", EXIT_STATUS),
        ".SH SEE ALSO",
        ", ".join(f"\\fB{escaped(one)}\\fR(1)" for one in related(name, ctx)),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def escaped(text: str) -> str:
    """The text as roff prints it unchanged."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def paragraphs(text: str) -> Iterator[str]:
    """A help text; click's mark for lines to be kept as they are is one for us too."""
    for block in inspect.cleandoc(text).replace("\f", "").split("\n\n"):
        if block.startswith("\b\n"):
            yield from (".PP", ".nf", escaped(block[2:]), ".fi")
        else:
            yield from (".PP", escaped(" ".join(block.split())))


def records(ctx: click.Context) -> list[tuple[str, str]]:
    """The options, as heading and text."""
    found = (
        one.get_help_record(ctx)
        for one in ctx.command.get_params(ctx)
        if isinstance(one, click.Option)
    )
    return [(f"\\fB{escaped(one[0])}\\fR", escaped(one[1])) for one in found if one]


def inner(ctx: click.Context) -> list[tuple[str, str]]:
    """The commands of a group, as heading and text."""
    if not isinstance(ctx.command, click.Group):
        return []
    names = ctx.command.list_commands(ctx)
    found = [(name, ctx.command.get_command(ctx, name)) for name in names]
    return [
        (f"\\fB{escaped(name)}\\fR", escaped(one.get_short_help_str(limit=200)))
        for name, one in found
        if one is not None and not one.hidden
    ]


def listed(title: str, entries: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> list[str]:
    """A section of headings with a text each; nothing without entries."""
    if not entries:
        return []
    rows = [line for heading, text in entries for line in (".TP", heading, text)]
    return [f".SH {title}", *rows]


def related(name: str, ctx: click.Context) -> list[str]:
    """The page above, and those below."""
    above = [] if ctx.parent is None else [ctx.parent.command_path.replace(" ", "-")]
    group = ctx.command
    below = group.list_commands(ctx) if isinstance(group, click.Group) else []
    return above + [f"{name}-{one}" for one in below] + ["virsh", "qemu-system-x86_64"]


if __name__ == "__main__":
    main()
