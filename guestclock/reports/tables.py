"""Tables for people: fitted to a terminal, as wide as they need be anywhere else."""

from __future__ import annotations

from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table

_UNBOUNDED = 10_000


def console_of(stream: TextIO) -> Console:
    """A console on a stream; what is not a terminal gets no colours and lines of any length."""
    width = None if stream.isatty() else _UNBOUNDED
    return Console(file=stream, width=width, highlight=False, emoji=False)


def new_table(*columns: str) -> Table:
    """A table with rules under its heading alone, easy to read and to cut."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column)
    return table
