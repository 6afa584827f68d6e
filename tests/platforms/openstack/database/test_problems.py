from __future__ import annotations

import pytest

from guestclock.platforms.openstack.database.problems import Trouble, problem_of

SENTINEL = "s3ntinel"
URL = f"mysql://nova:{SENTINEL}@db1/nova"


class OperationalError(Exception):
    """As the drivers name it, with the number of MariaDB or the SQLSTATE of PostgreSQL."""

    sqlstate: str | None = None

    def __init__(self, *args: object, state: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = state


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (OperationalError(1045, "Access denied for user"), Trouble.LOGIN),
        (OperationalError(1044, "Access denied to database"), Trouble.FORBIDDEN),
        (OperationalError(1049, "Unknown database"), Trouble.NO_DATABASE),
        (OperationalError(1054, "Unknown column"), Trouble.NO_COLUMN),
        (OperationalError(1142, "SELECT command denied"), Trouble.DENIED),
        (OperationalError(1143, "SELECT command denied for column"), Trouble.DENIED),
        (OperationalError(1146, "Table doesn't exist"), Trouble.NO_TABLE),
        (OperationalError(2003, "Can't connect"), Trouble.UNREACHABLE),
        (OperationalError(2013, "Lost connection"), Trouble.UNREACHABLE),
        (OperationalError(1064, "You have an error in your SQL syntax"), Trouble.OTHER),
        (OperationalError("...", state="42703"), Trouble.NO_COLUMN),
        (OperationalError("...", state="42501"), Trouble.DENIED),
        (OperationalError("...", state="42P01"), Trouble.NO_TABLE),
        (OperationalError("...", state="57014"), Trouble.SLOW),
        (OperationalError("...", state="08006"), Trouble.UNREACHABLE),
        (OperationalError("...", state="22000"), Trouble.OTHER),
        (OperationalError("FATAL: password authentication failed for user"), Trouble.LOGIN),
        (OperationalError('FATAL: database "nova" does not exist'), Trouble.NO_DATABASE),
        (OperationalError('FATAL: permission denied for database "nova"'), Trouble.FORBIDDEN),
        (OperationalError("connection failed: Connection refused"), Trouble.UNREACHABLE),
        (TimeoutError("timed out"), Trouble.UNREACHABLE),
        (KeyError("klingon"), Trouble.OTHER),
    ],
)
def test_every_server_means_the_same(error: Exception, trouble: Trouble) -> None:
    assert problem_of(error, "db1/nova", URL, "--cell-db").trouble is trouble


def test_the_message_is_one_printable_line_without_the_secret() -> None:
    error = OperationalError(1, f"cannot open {URL}\nfor nova:{SENTINEL}@db1\x1b[2J")
    problem = problem_of(error, "db1/nova", URL, "--cell-db")
    assert problem.message == "db1/nova: cannot open *** for ***db1\\x1b[2J"


def test_an_error_without_a_text_is_named() -> None:
    assert problem_of(ValueError(), "db1/nova", URL, "--cell-db").message == "db1/nova: ValueError"
