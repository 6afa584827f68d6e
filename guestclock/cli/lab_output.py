"""Lists and single things in the forms of the OpenStack client: table, json, value, csv, yaml."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

from guestclock.cli.options import format_option

Command = TypeVar("Command", bound=Callable[..., Any])


def output_options(command: Command) -> Command:
    """`-f/--format` and `-c/--column`."""
    column = click.option(
        "-c",
        "--column",
        "columns",
        multiple=True,
        metavar="COLUMN",
        help="Print this column only; may be repeated.",
    )
    return format_option("table", "json", "value", "csv", "yaml")(column(command))


def show(fields: Mapping[str, object], form: str, columns: Sequence[str]) -> None:
    """Print one thing: a row a field."""
    chosen = {name: fields[name] for name in _chosen(list(fields), columns)}
    match form:
        case "json":
            click.echo(json.dumps(_plain(chosen), indent=2))
        case "value":
            click.echo("\n".join(_text(value) for value in chosen.values()))
        case "csv":
            _csv(list(chosen), [list(chosen.values())])
        case "yaml":
            click.echo("\n".join(_yaml(chosen)))
        case _:
            _table(["Field", "Value"], [[name, value] for name, value in chosen.items()])


def show_list(
    rows: Sequence[Mapping[str, object]], names: Sequence[str], form: str, columns: Sequence[str]
) -> None:
    """Print a list: a row a thing; `names` are all its columns."""
    chosen = _chosen(names, columns)
    cells = [[row[name] for name in chosen] for row in rows]
    match form:
        case "json":
            things = [_plain(dict(zip(chosen, row, strict=True))) for row in cells]
            click.echo(json.dumps(things, indent=2))
        case "value":
            for row in cells:
                click.echo(" ".join(_text(value) for value in row))
        case "csv":
            _csv(chosen, cells)
        case "yaml":
            for row in cells:
                lines = _yaml(dict(zip(chosen, row, strict=True)))
                click.echo("\n".join(["- " + lines[0], *("  " + line for line in lines[1:])]))
            if not cells:
                click.echo("[]")
        case _:
            _table(chosen, cells)


def _chosen(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The columns asked for, in the order of the table; case does not matter."""
    if not columns:
        return list(names)
    wanted = {column.casefold() for column in columns}
    unknown = wanted - {name.casefold() for name in names}
    if unknown:
        known = ", ".join(names)
        raise click.BadParameter(
            f"there is no column {min(unknown)!r}: use {known}", param_hint="-c"
        )
    return [name for name in names if name.casefold() in wanted]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return _text(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return value


def _text(value: object) -> str:
    if isinstance(value, datetime):
        # A naive one is an RTC's or a local time; what is UTC says so.
        text = value.isoformat(timespec="seconds")
        return text.replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return ", ".join(f"{key}='{inner}'" for key, inner in value.items())
    return str(value)


def _yaml(fields: Mapping[str, object]) -> list[str]:
    lines = []
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            lines.append(f"{name}:")
            lines += [
                f"  {json.dumps(str(key))}: {json.dumps(inner)}" for key, inner in value.items()
            ]
        else:
            lines.append(f"{name}: {json.dumps(_plain(value))}")
    return lines


def _csv(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(
        [_plain(v) if isinstance(v, (int, type(None))) else _text(v) for v in row] for row in rows
    )
    click.echo(text.getvalue(), nl=False)


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [list(names), *([_text(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    line = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    out = [line, _row(cells[0], widths), line, *(_row(row, widths) for row in cells[1:]), line]
    click.echo("\n".join(out))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f" {cell.ljust(width)} " for cell, width in zip(cells, widths, strict=True))
    return "|" + "|".join(padded) + "|"
