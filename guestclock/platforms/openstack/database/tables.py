"""What is asked of a table, and what of it this user may read in this release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestclock.errors import Unreadable
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.database.connect import Reading
from guestclock.platforms.openstack.database.problems import (
    ABOUT_TABLES,
    DatabaseProblem,
    Trouble,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause, TableClause

TRIED = "Nova 26 to 34 and Glance 25 to 33"
"""The releases whose tables are known to have what is asked of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table, the columns that nothing is said without, and others that tell more."""

    table: str
    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All that is asked for."""
        return self.needed + self.optional


@dataclass(frozen=True, slots=True)
class Seen:
    """A table as it can be read: the columns of `wanted` that are refused are in `lacking`."""

    wanted: Wanted
    lacking: frozenset[str] = frozenset()

    def source(self) -> TableClause:
        """The table for a statement."""
        from sqlalchemy import column, table

        return table(self.wanted.table, *map(column, self.wanted.columns))

    def __contains__(self, name: str) -> bool:
        return name not in self.lacking

    def picked(self, source: FromClause, names: tuple[str, ...]) -> Iterator[ColumnElement[Any]]:
        """Columns for a SELECT, each in its place, NULL for what cannot be read."""
        from sqlalchemy import null

        for name in names:
            yield source.c[name] if name in self else null().label(name)


class Tables:
    """Finds out what can be read of each table; what is merely missed is in `notes`."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.notes: list[Note] = []

    def needed(self, wanted: Wanted) -> Seen:
        """A table without which nothing is said. Raises Unreadable, which names what is missing."""
        lacking = self._lacking(wanted)
        grave = {name: why for name, why in lacking.items() if name in wanted.needed}
        if grave:
            all_of_it = len(lacking) == len(wanted.columns)
            raise self._refused(wanted, lacking if all_of_it else grave)
        if lacking:
            self._note(self._said(wanted, lacking), wanted, lacking)
        return Seen(wanted, frozenset(lacking))

    def optional(self, wanted: Wanted, without: str) -> Seen | None:
        """A table that tells more, None where it cannot be read; `without` says what is missed."""
        lacking = self._lacking(wanted)
        if lacking.keys() & set(wanted.needed):
            self._note(f"{self._said(wanted, lacking)}: {without}", wanted, lacking)
            return None
        if lacking:
            self._note(self._said(wanted, lacking), wanted, lacking)
        return Seen(wanted, frozenset(lacking))

    def _lacking(self, wanted: Wanted) -> dict[str, Trouble]:
        """Each column that is refused; only a refusal makes it ask for one after the other."""
        refused = self._asked(wanted, wanted.columns)
        if refused is None:
            return {}
        if refused is Trouble.NO_TABLE:
            return dict.fromkeys(wanted.columns, refused)
        each = {name: self._asked(wanted, (name,)) for name in wanted.columns}
        return {name: why for name, why in each.items() if why is not None}

    def _asked(self, wanted: Wanted, names: tuple[str, ...]) -> Trouble | None:
        from sqlalchemy import false, select

        source = Seen(wanted).source()
        statement = select(*(source.c[name] for name in names)).where(false())
        try:
            with self._reading.snapshot():
                self._reading.rows(statement)
        except DatabaseProblem as problem:
            if problem.trouble in ABOUT_TABLES:
                return problem.trouble
            raise
        return None

    def _refused(self, wanted: Wanted, lacking: dict[str, Trouble]) -> Unreadable:
        name, said = self._reading.database.name, self._said(wanted, lacking)
        if Trouble.DENIED in lacking.values():
            return Unreadable(f"{name}: {said}", self.grant(wanted))
        return Unreadable(
            f"{name}: {said}", f"is this the right database? Its tables are known from {TRIED}"
        )

    def _note(self, said: str, wanted: Wanted, lacking: dict[str, Trouble]) -> None:
        settle = f"; {self.grant(wanted)}" if Trouble.DENIED in lacking.values() else ""
        self.notes.append(Note(self._reading.database.name, said + settle))

    def _said(self, wanted: Wanted, lacking: dict[str, Trouble]) -> str:
        if Trouble.NO_TABLE in lacking.values():
            return f"there is no table {wanted.table}"
        parts = []
        for trouble, verb in (
            (Trouble.DENIED, "may not be read"),
            (Trouble.NO_COLUMN, "does not exist"),
        ):
            names = [name for name, why in lacking.items() if why is trouble]
            if len(names) == len(wanted.columns):
                parts.append(f"{wanted.table} {verb}")
            elif names:
                parts.append(f"{wanted.table}.{', '.join(names)} {verb}")
        return " and ".join(parts)

    def grant(self, wanted: Wanted) -> str:
        """The line with which an administrator of the database lets its user read a table."""
        quoted = self._reading.quoted
        columns = ", ".join(map(quoted, wanted.columns))
        return f"GRANT SELECT ({columns}) ON {quoted(wanted.table)} TO its user"
