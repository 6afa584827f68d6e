"""A MariaDB and a PostgreSQL of the tests' own, each in a folder of its own, on a loopback port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO, Protocol

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

PATIENCE = 120.0


class SqlServer(Protocol):
    """A server, its administrator, and what others asked of it."""

    port: int
    dialect: str

    def admin(self, database: str) -> Engine:
        """An engine of the administrator."""
        ...

    def make(self, database: str) -> None:
        """Make an empty database."""
        ...

    def drop(self, database: str) -> None:
        """Drop a database that nobody uses."""
        ...

    def user(self, name: str, password: str, database: str) -> str:
        """Make a user that may log in and nothing more; the URL that they would give."""
        ...

    def hang_up(self, user: str) -> None:
        """End all connections of a user."""
        ...

    def statements_of(self, user: str) -> list[str]:
        """All that a user sent, in order."""
        ...


@dataclass
class MariaDb:
    folder: Path
    port: int
    dialect: str = "mariadb"

    def admin(self, database: str) -> Engine:
        url = f"mysql+pymysql://root@localhost/{database}?unix_socket={self.folder}/sock"
        return create_engine(url, poolclass=NullPool)

    def make(self, database: str) -> None:
        with self.admin("mysql").begin() as connection:
            made = "CREATE DATABASE {} CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci"
            connection.execute(text(made.format(database)))

    def drop(self, database: str) -> None:
        with self.admin("mysql").begin() as connection:
            connection.execute(text(f"DROP DATABASE {database}"))

    def hang_up(self, user: str) -> None:
        with self.admin("mysql").begin() as connection:
            connection.execute(text(f"KILL USER {user}@'%'"))

    def user(self, name: str, password: str, database: str) -> str:
        with self.admin("mysql").begin() as connection:
            made = f"CREATE USER {name}@'%' IDENTIFIED BY :password"
            connection.execute(text(made), {"password": password})
        return f"mysql://{name}:{password}@127.0.0.1:{self.port}/{database}"

    def statements_of(self, user: str) -> list[str]:
        with self.admin("mysql").connect() as connection:
            asked = text(
                "SELECT CONVERT(argument USING utf8mb4) FROM general_log"
                " WHERE user_host LIKE :who AND command_type IN ('Query', 'Execute', 'Prepare')"
                " ORDER BY event_time"
            )
            return list(connection.scalars(asked, {"who": f"{user}[%"}))


@dataclass
class PostgreSql:
    folder: Path
    port: int
    log: Log
    dialect: str = "postgresql"

    def admin(self, database: str) -> Engine:
        url = f"postgresql+psycopg://boss@/{database}?host={self.folder}&port={self.port}"
        return create_engine(url, poolclass=NullPool)

    def make(self, database: str) -> None:
        self._alone(f"CREATE DATABASE {database}")

    def drop(self, database: str) -> None:
        self._alone(f"DROP DATABASE {database} WITH (FORCE)")

    def hang_up(self, user: str) -> None:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :user"
        with self.admin("postgres").begin() as connection:
            connection.execute(text(ended), {"user": user})

    def _alone(self, statement: str) -> None:
        """Run what will not run in a transaction."""
        with self.admin("postgres").connect() as connection:
            own = connection.execution_options(isolation_level="AUTOCOMMIT")
            own.execute(text(statement))

    def user(self, name: str, password: str, database: str) -> str:
        with self.admin("postgres").begin() as connection:
            connection.execute(text(f"CREATE USER {name} PASSWORD '{password}'"))
        return f"postgresql://{name}:{password}@127.0.0.1:{self.port}/{database}"

    def statements_of(self, user: str) -> list[str]:
        mark = f"{user}|LOG:  "
        found: list[str] = []
        mine = False
        for line in self.log.lines:
            if not line.startswith("\t"):
                told = line.removeprefix(mark)
                mine = told != line and told.startswith(_STATEMENT)
                if mine:
                    found.append(told.partition(": ")[2])
            elif mine:
                found[-1] += "\n" + line.strip("\t")
        return found


_STATEMENT = ("statement: ", "execute ")


@dataclass
class Log:
    """The lines of a process, read as they come, and the moment that it says it is ready."""

    stream: IO[str]
    ready_line: str
    lines: list[str] = field(default_factory=list)
    ready: Event = field(default_factory=Event)

    def read(self) -> None:
        for line in self.stream:
            self.lines.append(line.rstrip("\n"))
            if self.ready_line in line:
                self.ready.set()
        self.ready.set()


@contextmanager
def mariadb() -> Iterator[MariaDb]:
    """A MariaDB that writes down all that it is asked."""
    with _folder(None) as folder:
        data, port = folder / "data", _free_port()
        # Not in /tmp, where each mariadbd that starts removes the files of all others.
        own = f"--tmpdir={folder}"
        us = ["--user=root"] if os.geteuid() == 0 else []
        made = ["mariadb-install-db", "--no-defaults", own, *us, f"--datadir={data}"]
        _run([*made, "--skip-test-db", "--auth-root-authentication-method=normal"])
        command = ["mariadbd", "--no-defaults", own, *us, f"--datadir={data}", f"--port={port}"]
        command += [f"--socket={folder}/sock", "--bind-address=127.0.0.1", "--general-log"]
        command += ["--log-output=TABLE", f"--pid-file={folder}/pid", "--innodb-fast-shutdown=2"]
        command += ["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"]
        with _running(command, "ready for connections", None):
            yield MariaDb(folder, port)


@contextmanager
def postgresql() -> Iterator[PostgreSql]:
    """A PostgreSQL that writes down all that it is asked."""
    # It will not run as root.
    user = "postgres" if os.geteuid() == 0 else None
    with _folder(user) as folder:
        data, port, tools = folder / "data", _free_port(), _postgresql_tools()
        made = [f"{tools}/initdb", "-D", str(data), "-U", "boss", "-E", "UTF8", "--locale=C.UTF-8"]
        _run([*made, "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"], user)
        command = [f"{tools}/postgres", "-D", str(data), "-p", str(port), "-k", str(folder)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "log_statement=all", "-F"]
        command += ["-c", "log_line_prefix=%u|", "-c", "logging_collector=off"]
        with _running(command, "ready to accept connections", user) as log:
            yield PostgreSql(folder, port, log)


@contextmanager
def _folder(owner: str | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="guestclock-sql-"))
    try:
        if owner is not None:
            shutil.chown(folder, owner)
        yield folder
    finally:
        shutil.rmtree(folder)


def _run(command: list[str], user: str | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, user=user, cwd="/", check=False)
    assert done.returncode == 0, done.stderr or done.stdout


@contextmanager
def _running(command: list[str], ready: str, user: str | None) -> Iterator[Log]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, user=user, cwd="/"
    )
    assert process.stderr is not None
    log = Log(process.stderr, ready)
    reader = Thread(target=log.read, daemon=True)
    reader.start()
    try:
        assert log.ready.wait(PATIENCE), "it does not get ready"
        assert process.poll() is None, "\n".join(log.lines[-20:])
        yield log
    finally:
        # Both end at once on SIGTERM when nobody is connected, and on SIGINT in any case.
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(PATIENCE)
        process.stderr.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _postgresql_tools() -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if installed:
        return str(installed[-1].parent)
    found = shutil.which("initdb")
    assert found is not None, "PostgreSQL is not installed"
    return str(Path(found).parent)
