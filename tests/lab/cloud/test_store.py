from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from guestclock.lab.cloud import rows
from guestclock.lab.cloud.actions import Action, DownLab, HardReboot, decode, encode
from guestclock.lab.cloud.store import Store
from guestclock.lab.errors import LabError


def test_an_exception_takes_everything_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    with pytest.raises(sqlite3.IntegrityError), store.writing() as connection:  # noqa: PT012
        rows.set_setting(connection, "a", "1")
        connection.execute("INSERT INTO settings VALUES ('a', '2')")
    with store.reading() as connection:
        assert rows.setting(connection, "a") is None


def test_a_newer_programs_lab_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "db").close()
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LabError, match="newer guestclock"):
        Store(tmp_path / "db")


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"something else" * 100)
    with pytest.raises(LabError, match="not a database"):
        Store(tmp_path / "db")


def test_foreign_keys_count(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    with pytest.raises(sqlite3.IntegrityError), store.writing() as connection:
        connection.execute("INSERT INTO image_properties VALUES (7, 'a', 'b')")


def test_transactions_of_many_at_once_all_count(tmp_path: Path) -> None:
    def add(_: int) -> None:
        store = Store(tmp_path / "db")
        with store.writing() as connection:
            count = int(rows.setting(connection, "count") or 0)
            rows.set_setting(connection, "count", str(count + 1))
        store.close()

    Store(tmp_path / "db")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    with Store(tmp_path / "db").reading() as connection:
        assert rows.setting(connection, "count") == "40"


@pytest.mark.parametrize("action", [DownLab(), HardReboot("12:34"), HardReboot(None)])
def test_an_action_comes_back_from_the_journal_as_it_was(action: Action) -> None:
    assert decode(encode(action)) == action
