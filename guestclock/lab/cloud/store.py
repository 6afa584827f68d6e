"""The lab's state in SQLite, safe under any number of commands at once.

Writing is done in BEGIN IMMEDIATE transactions only, so that what was read in one still holds when
it is committed. WAL lets others read meanwhile.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from guestclock.lab.errors import LabError

_PATIENCE = 30.0
"""Seconds to wait for another command's transaction, each of which takes milliseconds."""

# Step N leads from user_version N to N + 1. A row's number is never used again (AUTOINCREMENT):
# locks and domain names are made of it.
_MIGRATIONS = (
    """
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE hosts (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        zone TEXT NOT NULL
    ) STRICT;
    CREATE TABLE images (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        uuid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL CHECK (status IN ('saving', 'active')),
        created TEXT NOT NULL,
        zone TEXT
    ) STRICT;
    CREATE TABLE image_properties (
        image INTEGER NOT NULL REFERENCES images (number) ON DELETE CASCADE,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (image, key)
    ) STRICT;
    CREATE TABLE servers (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        uuid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL UNIQUE,
        host INTEGER NOT NULL REFERENCES hosts (number),
        image_uuid TEXT NOT NULL,
        os_type TEXT,
        zone TEXT,
        vm_state TEXT NOT NULL
            CHECK (vm_state IN ('building', 'active', 'paused', 'stopped', 'error')),
        fault TEXT,
        created TEXT NOT NULL
    ) STRICT;
    CREATE TABLE server_image_properties (
        server INTEGER NOT NULL REFERENCES servers (number) ON DELETE CASCADE,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (server, key)
    ) STRICT;
    CREATE TABLE tasks (
        subject INTEGER NOT NULL,
        number INTEGER NOT NULL,
        action TEXT NOT NULL,
        pid INTEGER NOT NULL,
        began TEXT NOT NULL,
        PRIMARY KEY (subject, number)
    ) STRICT;
    INSERT INTO hosts (name, zone) VALUES ('host1', 'UTC');
    """,
)


class Store:
    """One lab's database; usable from several threads, one transaction at a time."""

    def __init__(self, file: Path) -> None:
        self._mutex = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._migrate(file)
        except sqlite3.DatabaseError as error:
            raise LabError(f"{file}: {error}", "another folder can be given by --lab") from error

    def close(self) -> None:
        """Close the database; the last one to do so folds the WAL into the file."""
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is committed, or on any exception nothing."""
        with self._mutex:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of everything; inside `writing` it is that transaction's."""
        with self._mutex:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("COMMIT")

    def _migrate(self, file: Path) -> None:
        with self.writing() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(_MIGRATIONS):
                raise LabError(
                    f"{file} was made by a newer guestclock (its version is {version})",
                    "use that one, or another folder by --lab",
                )
            for step in _MIGRATIONS[version:]:
                # executescript would commit first, so the statements go one by one.
                for statement in step.split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
