"""Writes the tables of docs/guide/nova-rule.md from the record of what real Novas do.

The record is tests/golden/nova-clocks.json, made by scripts/nova-truth. What the page says beside
the tables is written by hand; each table stands between two comments.

    python tools/make_nova_page.py            writes them
    python tools/make_nova_page.py --check    fails where they are not up to date
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "guide" / "nova-rule.md"
RECORD = ROOT / "tests" / "golden" / "nova-clocks.json"
NOTHING = "none"

Row = dict[str, Any]


def main() -> None:
    """Writes the page, or compares it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    old = PAGE.read_text("utf-8")
    new = page(old, json.loads(RECORD.read_text("utf-8")))
    if not check:
        PAGE.write_text(new, encoding="utf-8")
    elif new != old:
        sys.exit(f"{PAGE.name} is not what {RECORD.name} says: run {Path(__file__).name}")


def page(text: str, record: dict[str, Any]) -> str:
    """The page with the tables of a record."""
    grid = record["grid"]
    tables: dict[str, Callable[[list[Row], Row], Iterator[str]]] = {
        "os_types": os_types,
        "clocks": clocks,
        "hyperv": hyperv,
    }
    for name, lines in tables.items():
        parts = ("\n".join([who(part), "", *lines(part["rows"], grid)]) for part in record[name])
        text = put(text, name, "\n\n".join(parts))
    return text


def put(text: str, name: str, table: str) -> str:
    """The page with one table put between its two comments."""
    start, end = f"<!-- table: {name} -->\n", "<!-- end -->"
    if text.count(start) != 1:
        sys.exit(f"{PAGE.name} has no place, or more than one, for the table {name}")
    before, rest = text.split(start)
    return f"{before}{start}\n{table}\n\n{end}{rest.partition(end)[2]}"


def who(part: Row) -> str:
    """The releases for which a part of a table holds."""
    *others, last = part["releases"]
    return f"**Nova {', '.join(others)} and {last}**" if others else f"**Nova {last}**"


def os_types(rows: list[Row], _: Row) -> Iterator[str]:
    """Which values an image may have, and what a server gets of them."""
    yield "| os_type of the image | creating a server | os_type of the server |"
    yield "|---|---|---|"
    for row in rows:
        if status := row.get("status"):
            yield f"| {value(row['image'])} | HTTP {status} | |"
        else:
            yield f"| {value(row['image'])} | accepted | {value(row['server'])} |"


def clocks(rows: list[Row], grid: Row) -> Iterator[str]:
    """The clock of each kind of server."""
    yield "| os_type of the server | virt_type | guest | hw_time_hpet | clock | timers |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        found = re.match(r'<clock offset="(\w+)"', row["clock"])
        assert found is not None, row["clock"]
        timers = re.findall(r'<timer name="(\w+)" \w+="(\w+)"', row["clock"])
        listed = ", ".join(f"{name} {setting}" for name, setting in timers) or NOTHING
        yield f"| {' | '.join(sides(row, grid))} | `{found[1]}` | {listed} |"


def hyperv(rows: list[Row], grid: Row) -> Iterator[str]:
    """The Hyper-V features of each kind of server."""
    yield "| os_type of the server | virt_type | guest | hw_time_hpet | Hyper-V features |"
    yield "|---|---|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(sides(row, grid))} | {', '.join(row['features']) or NOTHING} |"


def sides(row: Row, grid: Row) -> Iterator[str]:
    """For which points of the grid a row holds, in words."""
    for name, values in grid.items():
        given = row.get(name) or values
        rest = [one for one in values if one not in given]
        if not rest:
            yield "any"
        elif len(rest) == 1 and len(values) > 3:
            yield f"any but {value(rest[0])}"
        else:
            yield " or ".join(map(value, given))


def value(of: str | bool | None) -> str:
    """A value of a property, or that it is absent."""
    return "absent" if of is None else f"`{json.dumps(of) if of == '' or ' ' in str(of) else of}`"


if __name__ == "__main__":
    main()
