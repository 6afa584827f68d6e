"""A connection that can only read: every transaction is read-only, and short.

Nothing is sent but SELECT, and what the drivers send for their session: SET of names, of
autocommit and of read-only transactions, BEGIN, SHOW and ROLLBACK.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from guestclock.errors import GuestclockError, Unreadable, UsageProblem
from guestclock.platforms.openstack.database.problems import problem_of
from guestclock.platforms.secret import secret
from guestclock.platforms.text import clean

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Executable
    from sqlalchemy.engine import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection

CONNECT_SECONDS = 10
READ_SECONDS = 120
"""How long a server may take to accept a connection, and to answer one SELECT."""

_BARE = {
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_EXTRAS = {"mysql": "mysql", "mariadb": "mysql", "postgresql": "postgresql"}
_MYSQL = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
_POSTGRESQL: dict[str, int | str] = {
    "connect_timeout": CONNECT_SECONDS,
    "options": f"-c statement_timeout={READ_SECONDS}s",
    # libpq waits for ever for a host that went away in the middle of an answer.
    "keepalives_idle": 10,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_TIMEOUTS: dict[str, dict[str, int | str]] = {
    "mysql+pymysql": {**_MYSQL, "write_timeout": READ_SECONDS},
    "mariadb+pymysql": {**_MYSQL, "write_timeout": READ_SECONDS},
    "mysql+mysqldb": {**_MYSQL},
    "mariadb+mysqldb": {**_MYSQL},
    "postgresql+psycopg": _POSTGRESQL,
    "postgresql+psycopg2": _POSTGRESQL,
}
_EXAMPLE = "mysql+pymysql://USER:PASSWORD@HOST/DATABASE, or env:NAME or file:PATH that holds it"
_ESCAPE = "write @ in it as %40, : as %3A, / as %2F and % as %25"


class Database:
    """A database by its URL, which may also be given as env:NAME or file:PATH.

    `what` is the option that it was given with. `name` is its host and database, for evidence and
    messages; it has no secret. Raises UsageProblem for what is no such URL, and Unreadable where
    SQLAlchemy is not installed. Nothing is connected before `open`.
    """

    def __init__(self, spec: str, what: str) -> None:
        self._what = what
        self._given = secret(spec, what)
        self._url = _parsed(self._given, what)
        self.name = _name(self._url)

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    @property
    def database(self) -> str:
        """The database's own name, printable."""
        return clean(self._url.database or "")

    @contextmanager
    def open(self) -> Iterator[Reading]:
        """A connection of its own. Raises Unreadable, here and in all that is done with it."""
        with self._in_our_words():
            connection = self._engine.connect()
        try:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(postgresql_readonly=True)
            yield Reading(self, connection)
        finally:
            with self._in_our_words():
                connection.close()

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        """Raise Unreadable for whatever a driver raises.

        The cause is dropped: drivers keep the password in what they raise.
        """
        try:
            yield
        except GuestclockError:
            raise
        except ModuleNotFoundError as missing:
            raise self._without_driver(missing) from None
        # Drivers check a URL's parameters in their own ways: KeyError for a charset that does not
        # exist, TypeError for an option they do not have.
        except Exception as error:
            raise problem_of(error, self.name, self._given, self._what) from None

    def _without_driver(self, missing: ModuleNotFoundError) -> Unreadable:
        extra = _EXTRAS[self._url.get_backend_name()]
        driver = clean((missing.name or self._url.drivername).partition(".")[0])
        return Unreadable(
            f"{self.name}: the database driver {driver} is not installed",
            f"pip install 'guestclock[{extra}]', and give the URL as {_BARE[extra]}://",
        )

    @cached_property
    def _engine(self) -> Engine:
        from sqlalchemy import event

        engine = self._new_engine()
        if self._url.get_backend_name() in ("mysql", "mariadb"):
            event.listen(engine, "connect", _read_only)
        return engine

    def _new_engine(self) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        url, options = self._url, {}
        if url.get_backend_name() == "postgresql":
            # A look-up of the type hstore would set a savepoint.
            options = {"isolation_level": "REPEATABLE READ", "use_native_hstore": False}
        timeouts = _TIMEOUTS.get(url.drivername, {})
        arguments: dict[str, Any] = {
            key: timeouts[key] for key in timeouts.keys() - url.query.keys()
        }
        if url.get_driver_name() == "pymysql":
            arguments["conv"] = _conversions()
        return create_engine(
            url,
            poolclass=NullPool,
            pool_reset_on_return=None,
            hide_parameters=True,
            connect_args=arguments,
            # SQLAlchemy 1.4 as 2 is; later releases are so in any case.
            future=True,
            **options,
        )


class Reading:
    """An open connection of a Database."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self.database = database
        self._connection = connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A transaction in which all tables are as they were at one moment.

        Keep it short: a server keeps all that changes meanwhile.
        """
        try:
            yield
        finally:
            with self.database._in_our_words():
                self._connection.rollback()

    def quoted(self, name: str) -> str:
        """A name as this server wants it in a statement, quoted where it must be."""
        return str(self._connection.dialect.identifier_preparer.quote(name))

    def rows(self, statement: Executable, **values: object) -> Sequence[Any]:
        """All rows of a SELECT, in the types of the driver."""
        with self.database._in_our_words():
            result = self._connection.execute(statement, values)
            # Straight from the driver: an object for each row would cost as much as our own work.
            return result.cursor.fetchall() if result.cursor is not None else ()


def _read_only(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    cursor.close()


def _conversions() -> dict[Any, Any]:
    """PyMySQL's conversions but for times, which are left as texts.

    It takes them apart by a regular expression, in a fifth of all the time that it needs.
    """
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions

    return {key: one for key, one in conversions.items() if key != FIELD_TYPE.DATETIME}


def _parsed(given: str, what: str) -> URL:
    try:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError
    except ModuleNotFoundError:
        raise Unreadable(
            f"{what}: the Python package SQLAlchemy is not installed",
            "pip install 'guestclock[openstack]'",
        ) from None
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise UsageProblem(f"{what}: this is no URL of a database", f"it is {_EXAMPLE}") from None
    url = url.set(drivername=_BARE.get(url.drivername, url.drivername))
    if url.get_backend_name() not in (*_EXTRAS, "sqlite"):
        raise UsageProblem(
            f"{what}: only MySQL, MariaDB and PostgreSQL are read", f"give {_EXAMPLE}"
        )
    # A password that is not escaped slips into what comes after it, and would be shown with it.
    if "@" in (url.host or "") + (url.database or ""):
        raise UsageProblem(f"{what}: the password in this URL is not escaped", _ESCAPE)
    # A plugin of SQLAlchemy's, such as DevStack's dbcounter, is the service's own affair.
    return url.difference_update_query(["plugin"])


def _name(url: URL) -> str:
    port = f":{url.port}" if url.port else ""
    return clean(f"{url.host or 'localhost'}{port}/{url.database or ''}")
