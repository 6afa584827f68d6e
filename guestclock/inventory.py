"""The user's list of guests (`--guests FILE`): which system runs in which machine, in which zone.

A CSV file with a heading line, or TOML with one `[[guest]]` table a row:

    machine,guest,zone,active_time_bias_minutes      [[guest]]
    win-*,windows,Europe/Berlin,                     machine = "win-*"
    db1,linux,,                                      guest = "windows"
                                                     zone = "W. Europe Standard Time"

or, shorter, TOML with one table of machines:

    [machines]
    "db*" = "linux"
    "win-*" = { guest = "windows", zone = "Europe/Berlin" }

`machine` is a name, an id or a glob. An exact id beats an exact name, which beats a glob; of
several globs the first counts.
"""

from __future__ import annotations

import csv
import difflib
import fnmatch
import io
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from guestclock.errors import Unreadable, UsageProblem
from guestclock.guest import SYSTEMS
from guestclock.zones import UnknownZone, Zones

COLUMNS = ("machine", "guest", "zone", "active_time_bias_minutes", "utc_offset_minutes")
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Row:
    """What the user says of the machines that `machine` names; None is not said.

    `zone` is an IANA name. `bias_minutes` is Windows' ActiveTimeBias, UTC minus local time;
    `utc_offset_minutes` is OpenBSD's kern.utc_offset, east positive. `where` is FILE:LINE.
    """

    machine: str
    guest: str | None = None
    zone: str | None = None
    bias_minutes: int | None = None
    utc_offset_minutes: int | None = None
    where: str = ""


class Inventory:
    """Rows, found by a machine's id or name: at once if exact, else by the globs that can fit."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._exact: dict[str, Row] = {}
        self._globs = _Globs()
        for row in rows:
            if _is_glob(row.machine):
                self._globs.add(row)
            else:
                self._exact.setdefault(_key(row.machine), row)

    def __bool__(self) -> bool:
        return bool(self._exact or self._globs)

    def guest_for(self, machine_name: str, machine_id: str) -> Row | None:
        """The row for a machine, or None where the user says nothing of it."""
        row = self._exact.get(_key(machine_id)) or self._exact.get(_key(machine_name))
        return row or self._globs.first(machine_name, machine_id)


def _is_glob(machine: str) -> bool:
    return any(sign in machine for sign in "*?[")


_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")


def _key(machine: str) -> str:
    """Names count as they are written; a UUID in any of its spellings."""
    return machine.replace("-", "").lower() if _UUID.fullmatch(machine) else machine


class _Globs:
    """Globs by the literal text they begin or end with, so that few are tried for a machine."""

    def __init__(self) -> None:
        self._count = 0
        self._by_prefix: dict[str, list[tuple[int, re.Pattern[str], Row]]] = {}
        self._by_suffix: dict[str, list[tuple[int, re.Pattern[str], Row]]] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, row: Row) -> None:
        """Keeps a row whose machine is a glob."""
        prefix, suffix = re.split(r"[*?[]", row.machine, maxsplit=1)[0], ""
        if not prefix:
            suffix = re.split(r"[*?\]]", row.machine)[-1]
        index, key = (self._by_prefix, prefix) if prefix else (self._by_suffix, suffix)
        pattern = re.compile(fnmatch.translate(row.machine))
        index.setdefault(key, []).append((self._count, pattern, row))
        self._count += 1

    def first(self, *texts: str) -> Row | None:
        """The row of the first glob that fits one of the texts."""
        if not self._count:
            return None
        best: tuple[int, Row] | None = None
        for text in texts:
            for order, pattern, row in self._candidates(text):
                if (best is None or order < best[0]) and pattern.match(text):
                    best = (order, row)
        return best[1] if best else None

    def _candidates(self, text: str) -> Iterator[tuple[int, re.Pattern[str], Row]]:
        for length in range(1, len(text) + 1):
            yield from self._by_prefix.get(text[:length], ())
        for length in range(len(text) + 1):
            yield from self._by_suffix.get(text[len(text) - length :], ())


NO_INVENTORY = Inventory(())


def load_inventory(path: str | Path, zones: Zones) -> Inventory:
    """Reads a list of guests; zones may be IANA or Windows names.

    Raises UsageProblem, with FILE:LINE and near names, for whatever is not understood, and
    Unreadable for a file that cannot be read.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise UsageProblem(f"{path}: not UTF-8 text: {problem.reason}") from None
    is_toml = Path(path).suffix == ".toml" or (Path(path).suffix != ".csv" and _looks_toml(text))
    given = _toml_rows(text, str(path)) if is_toml else _csv_rows(text, str(path))
    rows: list[Row] = []
    lines: dict[str, str] = {}
    for where, columns in given:
        row = _row(where, columns, zones)
        twice = lines.setdefault(_key(row.machine), where)
        if twice != where:
            raise UsageProblem(f"{where}: machine {row.machine!r} was given at {twice} already")
        rows.append(row)
    return Inventory(rows)


def _looks_toml(text: str) -> bool:
    first = next((line for line in text.splitlines() if line.strip()[:1] not in ("", "#")), "")
    return first.lstrip().startswith("[") or re.match(r"\s*[\w.\"'-]+\s*=", first) is not None


def _csv_rows(text: str, path: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Each row with its FILE:LINE. Empty cells are absent; a # begins a line of comment."""
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    heading: list[str] | None = None
    try:
        for cells in reader:
            where = f"{path}:{reader.line_num}"
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            cells = [cell.strip() for cell in cells]
            if heading is None:
                heading = _heading(cells, where)
            elif len(cells) > len(heading):
                raise UsageProblem(f"{where}: {len(cells)} cells under {len(heading)} headings")
            else:
                yield (
                    where,
                    {name: cell for name, cell in zip(heading, cells, strict=False) if cell},
                )
    except csv.Error as problem:
        raise UsageProblem(f"{path}:{reader.line_num}: not CSV: {problem}") from None
    if heading is None:
        raise UsageProblem(f"{path}: empty: the first line names the columns {', '.join(COLUMNS)}")


def _heading(cells: list[str], where: str) -> list[str]:
    for name in cells:
        _check_column(name, where)
    if "machine" not in cells:
        raise UsageProblem(f"{where}: no column is called machine: the first line names them")
    if len(set(cells)) != len(cells):
        raise UsageProblem(f"{where}: a column is there twice")
    return cells


def _toml_rows(text: str, path: str) -> Iterator[tuple[str, dict[str, object]]]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise UsageProblem(f"{path}: not TOML: {problem}") from None
    places = _TomlLines(text, path)
    for key in document:
        if key not in ("guest", "machines"):
            raise UsageProblem(
                f"{places.of_key(key)}: unknown table {key!r}: write [[guest]] or [machines]"
            )
    tables = document.get("guest", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageProblem(f"{path}: guest is not a list of tables: write [[guest]]")
    for number, table in enumerate(tables):
        yield places.of_guest(number), table
    machines = document.get("machines", {})
    if not isinstance(machines, dict):
        raise UsageProblem(f"{path}: machines is not a table: write [machines]")
    for machine, value in machines.items():
        where = places.of_key(machine)
        if isinstance(value, str):
            yield where, {"machine": machine, "guest": value}
        elif isinstance(value, dict) and "machine" not in value:
            yield where, {"machine": machine, **value}
        else:
            raise UsageProblem(f'{where}: write "{machine}" = "windows" or {{ guest = ... }}')


class _TomlLines:
    """Where in a TOML text a table or a key begins, as its reader keeps no line numbers."""

    def __init__(self, text: str, path: str) -> None:
        self._path = path
        self._guests: list[int] = []
        self._keys: dict[str, int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r"\s*\[\[\s*guest\s*\]\]", line):
                self._guests.append(number)
            key = re.match(r"""\s*\[*\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))""", line)
            if key:
                self._keys.setdefault(
                    next(name for name in key.groups() if name is not None), number
                )

    def of_guest(self, number: int) -> str:
        """FILE:LINE of the [[guest]] table of that number from 0."""
        if number < len(self._guests):
            return f"{self._path}:{self._guests[number]}"
        return f"{self._path}: guest {number + 1}"

    def of_key(self, key: str) -> str:
        """FILE:LINE of the first line that begins with a key."""
        return f"{self._path}:{self._keys[key]}" if key in self._keys else self._path


def _row(where: str, columns: dict[str, object], zones: Zones) -> Row:
    for name in columns:
        _check_column(name, where)
    machine, guest = _text(where, columns, "machine"), _text(where, columns, "guest")
    if not machine:
        raise UsageProblem(f"{where}: no machine: give its name, its id or a glob")
    if guest is not None and guest not in SYSTEMS:
        hint = _near(guest, SYSTEMS) or f"; the kinds are {', '.join(SYSTEMS)}"
        raise UsageProblem(f"{where}: unknown guest {guest!r}{hint}")
    zone = _text(where, columns, "zone")
    if zone is not None:
        try:
            zone = zones.iana(zone)
        except UnknownZone as problem:
            raise UsageProblem(f"{where}: {problem}") from None
    bias = _minutes(where, columns, "active_time_bias_minutes")
    if bias is not None and guest is not None and not guest.startswith("windows"):
        raise UsageProblem(f"{where}: only Windows has an active_time_bias_minutes, not {guest}")
    offset = _minutes(where, columns, "utc_offset_minutes")
    if offset is not None and guest != "openbsd":
        raise UsageProblem(f"{where}: only guest openbsd has utc_offset_minutes")
    return Row(machine, guest, zone, bias, offset, where)


def _check_column(name: str, where: str) -> None:
    if name not in COLUMNS:
        hint = _near(name, COLUMNS) or f"; the columns are {', '.join(COLUMNS)}"
        raise UsageProblem(f"{where}: unknown column {name!r}{hint}")


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower(), list(known), n=2)
    return f": did you mean {' or '.join(near)}?" if near else ""


def _text(where: str, columns: dict[str, object], name: str) -> str | None:
    value = columns.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageProblem(f"{where}: {name} is not a text: put it in quotes")
    return value or None


def _minutes(where: str, columns: dict[str, object], name: str) -> int | None:
    value = columns.get(name)
    if value is None:
        return None
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?[0-9]{1,4}", text):
        raise UsageProblem(f"{where}: {name} {text!r} is not a number of minutes, such as -480")
    minutes = int(text)
    if abs(minutes) > _DAY:
        raise UsageProblem(f"{where}: {name} {minutes} is more than a day: it is in minutes")
    return minutes
