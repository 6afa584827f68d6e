"""What a database server refuses, in our words: its own may hold the statement and the secret."""

from __future__ import annotations

import re
from enum import Enum, auto

from guestclock.errors import Unreadable
from guestclock.platforms.secret import scrubbed
from guestclock.platforms.text import clean


class Trouble(Enum):
    """What went wrong, whichever server says so."""

    LOGIN = auto()
    NO_DATABASE = auto()
    FORBIDDEN = auto()
    UNREACHABLE = auto()
    DENIED = auto()
    NO_TABLE = auto()
    NO_COLUMN = auto()
    SLOW = auto()
    OTHER = auto()


ABOUT_TABLES = frozenset({Trouble.DENIED, Trouble.NO_TABLE, Trouble.NO_COLUMN})
"""The troubles that hang on what a statement names, and not on the connection."""

_LOST = (2003, 2006, 2013, 2055, 1053, 1927)
_BY_NUMBER = {
    1044: Trouble.FORBIDDEN,
    1045: Trouble.LOGIN,
    1698: Trouble.LOGIN,
    1049: Trouble.NO_DATABASE,
    1142: Trouble.DENIED,
    1143: Trouble.DENIED,
    1146: Trouble.NO_TABLE,
    1054: Trouble.NO_COLUMN,
    1969: Trouble.SLOW,
    3024: Trouble.SLOW,
} | dict.fromkeys(_LOST, Trouble.UNREACHABLE)
"""Error numbers of MariaDB and MySQL, from the server (1000 and up) and the client (2000)."""

_BY_STATE = {
    "28P01": Trouble.LOGIN,
    "28000": Trouble.LOGIN,
    "3D000": Trouble.NO_DATABASE,
    "42501": Trouble.DENIED,
    "42P01": Trouble.NO_TABLE,
    "42703": Trouble.NO_COLUMN,
    "57014": Trouble.SLOW,
    "57P01": Trouble.UNREACHABLE,
    "57P03": Trouble.UNREACHABLE,
}
"""SQLSTATEs of PostgreSQL."""

# While a connection is made, libpq hands over the server's text and no SQLSTATE.
_BY_TEXT = (
    (re.compile("password authentication failed|no password supplied|pg_hba.conf"), Trouble.LOGIN),
    (re.compile("permission denied for database"), Trouble.FORBIDDEN),
    (re.compile('database ".*" does not exist'), Trouble.NO_DATABASE),
)

_SAID = {
    Trouble.LOGIN: "the user name or the password is refused",
    Trouble.NO_DATABASE: "there is no such database",
    Trouble.FORBIDDEN: "this user has no right to the database",
}


class DatabaseProblem(Unreadable):
    """A database could not be read; `trouble` says what it hangs on."""

    def __init__(self, message: str, hint: str | None, trouble: Trouble) -> None:
        super().__init__(message, hint)
        self.trouble = trouble


def problem_of(error: BaseException, name: str, url: str, what: str) -> DatabaseProblem:
    """One line for what a driver raised. `name` is the database without secrets, `url` has them.

    `what` is the option that the database was given with. The message is the driver's only where
    nothing better is known, and without the statement, the URL and the password.
    """
    raised = getattr(error, "orig", None) or error
    trouble = _trouble(raised)
    said = _SAID.get(trouble)
    if said is not None:
        return DatabaseProblem(f"{name}: {said}", f"see the URL given with {what}", trouble)
    detail = clean(scrubbed(_text(raised), url)) or type(raised).__name__
    match trouble:
        case Trouble.UNREACHABLE:
            return DatabaseProblem(f"{name}: the server does not answer: {detail}", None, trouble)
        case Trouble.SLOW:
            return DatabaseProblem(f"{name}: the server took too long: {detail}", None, trouble)
        case _:
            return DatabaseProblem(f"{name}: {detail}", None, trouble)


def _trouble(raised: BaseException) -> Trouble:
    if isinstance(raised, OSError):
        return Trouble.UNREACHABLE
    number = raised.args[0] if raised.args else None
    if isinstance(number, int):
        return _BY_NUMBER.get(number, Trouble.OTHER)
    state = getattr(raised, "sqlstate", None) or getattr(raised, "pgcode", None)
    if isinstance(state, str):
        # Class 08: the connection broke.
        other = Trouble.UNREACHABLE if state.startswith("08") else Trouble.OTHER
        return _BY_STATE.get(state, other)
    text = str(raised)
    found = next((trouble for pattern, trouble in _BY_TEXT if pattern.search(text)), None)
    if found is not None:
        return found
    unreachable = type(raised).__name__ in ("OperationalError", "ConnectionTimeout")
    return Trouble.UNREACHABLE if unreachable else Trouble.OTHER


def _text(raised: BaseException) -> str:
    """The driver's text in one line: PyMySQL's is the second argument, after the number."""
    texts = [one for one in raised.args if isinstance(one, str)]
    lines = (texts[-1] if texts else str(raised)).split("\n")
    return " ".join(line.strip() for line in lines if line.strip())
