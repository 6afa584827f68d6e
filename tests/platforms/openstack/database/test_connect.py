from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from guestclock.errors import GuestclockError, Unreadable, UsageProblem
from guestclock.platforms.openstack.database.connect import Database

SENTINEL = "s3ntinel"


def refused(database: Database) -> Unreadable:
    with pytest.raises(Unreadable) as raised, database.open():
        pass
    return raised.value


def said(problem: GuestclockError) -> str:
    return f"{problem.message} {problem.hint} {problem!r} {problem.__cause__!r}"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"mysql://nova:{SENTINEL}@db1/nova?charset=utf8", "db1/nova"),
        (f"mysql+pymysql://nova:{SENTINEL}@db1:3307/nova_cell0", "db1:3307/nova_cell0"),
        (f"mariadb://nova:{SENTINEL}@[fd00::1]/nova", "fd00::1/nova"),
        (f"postgres://nova:{SENTINEL}@db1/nova?sslmode=require", "db1/nova"),
        (f"postgresql://nova:{SENTINEL}@/nova?host=/run/postgresql", "localhost/nova"),
        (f"mysql://nova:{SENTINEL}@db1/nova?charset=utf8&plugin=dbcounter", "db1/nova"),
        (f"mysql://nova:{SENTINEL}@db1/nova\x1b[2J", "db1/nova\\x1b[2J"),
    ],
)
def test_a_database_is_named_without_its_secret(url: str, name: str) -> None:
    database = Database(url, "--cell-db")
    assert database.name == name
    assert SENTINEL not in repr(database)


def test_the_url_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("mysql://nova:x@db1/nova\n")
    assert Database(f"file:{tmp_path}/url", "--cell-db").name == "db1/nova"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"nova {SENTINEL}", "--cell-db: this is no URL of a database"),
        (f"mysql://nova:{SENTINEL}", "--cell-db: this is no URL of a database"),
        (f"oracle://nova:{SENTINEL}@db/x", "only MySQL, MariaDB and PostgreSQL are read"),
        (f"mysql://nova:x@{SENTINEL}@db1/nova", "the password in this URL is not escaped"),
        (f"mysql://no/va:{SENTINEL}@db1/nova", "the password in this URL is not escaped"),
    ],
)
def test_what_is_no_url_is_refused_without_showing_it(url: str, message: str) -> None:
    with pytest.raises(UsageProblem, match=message) as raised:
        Database(url, "--cell-db")
    assert SENTINEL not in said(raised.value)


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [
        ("mysql://u:p@127.0.0.1:1/nova", "pymysql", "mysql"),
        ("postgresql://u:p@127.0.0.1:1/nova", "psycopg", "postgresql"),
    ],
)
def test_a_driver_that_is_missing_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, url: str, driver: str, extra: str
) -> None:
    database = Database(url, "--cell-db")
    monkeypatch.setitem(sys.modules, driver, None)
    problem = refused(database)
    assert problem.message == f"127.0.0.1:1/nova: the database driver {driver} is not installed"
    assert problem.hint is not None
    assert f"pip install 'guestclock[{extra}]'" in problem.hint


def test_without_sqlalchemy_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy.engine", None)
    with pytest.raises(Unreadable, match="SQLAlchemy is not installed") as raised:
        Database("mysql://u:p@h/nova", "--cell-db")
    assert raised.value.hint == "pip install 'guestclock[openstack]'"


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_server_that_is_not_there_is_one_line(kind: str) -> None:
    problem = refused(Database(f"{kind}://u:{SENTINEL}@127.0.0.1:1/nova", "--cell-db"))
    assert problem.message.startswith("127.0.0.1:1/nova: the server does not answer: ")
    assert "refused" in problem.message
    assert problem.message.isprintable()
    assert SENTINEL not in said(problem)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SENTINEL}@127.0.0.1:1/nova?charset=klingon",
        f"mysql://u:{SENTINEL}@127.0.0.1:1/nova?no_such_option=1",
        f"mysql+nothing://u:{SENTINEL}@127.0.0.1:1/nova",
        f"postgresql://u:{SENTINEL}@127.0.0.1:1/nova?no_such_option=1",
        f"postgresql://u:{SENTINEL}@127.0.0.1:1/nova?sslmode={SENTINEL}",
    ],
)
def test_parameters_that_a_driver_does_not_know_are_one_line(url: str) -> None:
    problem = refused(Database(url, "--cell-db"))
    assert problem.message.startswith("127.0.0.1:1/nova: ")
    assert problem.message.isprintable()
    assert SENTINEL not in said(problem)


def test_a_statement_that_fails_is_told_without_the_statement(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    database = Database(f"sqlite:///file:{tmp_path}/empty.db?mode=ro&uri=true", "--cell-db")
    with database.open() as reading:
        with pytest.raises(Unreadable) as raised:
            reading.rows(text(f"SELECT '{SENTINEL}' FROM nowhere"))
        assert raised.value.message.endswith("no such table: nowhere")
        assert reading.rows(text("SELECT 1")) == [(1,)]
