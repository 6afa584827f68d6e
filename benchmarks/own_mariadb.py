"""A MariaDB of its own in a folder, with the tables that Nova's and Glance's own tools make.

It needs `mariadbd`, `nova-manage` and `glance-manage` (Debian: mariadb-server, nova-common and
glance-common), but none of their services and no root. It listens on a socket in the folder alone.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

TOOLS = {
    "mariadb-install-db": "mariadb-server",
    "mariadbd": "mariadb-server",
    "nova-manage": "nova-common",
    "glance-manage": "glance-common",
}
READER = "reader"
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
_START_SECONDS = 60
# All of it stays in memory, so that every run reads it from there; nothing must survive a crash.
_OPTIONS = (
    "--no-defaults",
    "--skip-networking",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-log-file-size=1G",
    "--innodb-buffer-pool-size=1G",
)


@dataclass(frozen=True, slots=True)
class MariaDb:
    """A running server; its root and the user `reader`, who may only SELECT, have no passwords."""

    folder: Path

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    def url(self, database: str) -> str:
        """SQLAlchemy's URL, for the reader."""
        return self._url(READER, database)

    def _url(self, user: str, database: str) -> str:
        return f"mysql+pymysql://{user}@localhost/{database}?charset=utf8&unix_socket={self.socket}"

    def options(self, database: str) -> dict[str, str]:
        """The same as PyMySQL's own options."""
        return {
            "unix_socket": str(self.socket),
            "user": READER,
            "database": database,
            "charset": "utf8",
        }

    def execute(self, *statements: str, database: str | None = None) -> Sequence[Any]:
        """Runs statements as root, and gives the rows of the last."""
        connection = pymysql.connect(
            unix_socket=str(self.socket), user="root", database=database, autocommit=True
        )
        with closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            rows: Sequence[Any] = cursor.fetchall()
            return rows

    def load(self, database: str, table: str, columns: Sequence[str], path: Path) -> None:
        """Adds the lines of a file, tab-separated, \\N for NULL, to a table."""
        self.execute(
            "SET unique_checks = 0",
            "SET foreign_key_checks = 0",
            f"LOAD DATA INFILE '{path}' INTO TABLE `{table}` CHARACTER SET utf8mb4"
            f" ({', '.join(f'`{name}`' for name in columns)})",
            database=database,
        )

    def make_tables(self) -> None:
        """Nova's cell in the database `nova`, Glance's in `glance`, both at the same time."""
        for database in ("nova", "glance"):
            self.execute(
                f"CREATE DATABASE {database} CHARACTER SET utf8mb3",
                f"GRANT SELECT ON {database}.* TO {READER}@localhost",
            )
        started = [
            self._manage("nova-manage", "nova", "db", "sync", "--local_cell"),
            self._manage("glance-manage", "glance", "db_sync"),
        ]
        for tool in started:
            if tool.wait():
                sys.exit(f"{tool.args!r} failed: its output is in {self.folder}/*.log")

    def _manage(self, tool: str, database: str, *command: str) -> subprocess.Popen[bytes]:
        config = self.folder / f"{database}.conf"
        config.write_text(f"[database]\nconnection = {self._url('root', database)}\n")
        with (self.folder / f"{database}.log").open("wb") as log:
            return subprocess.Popen(
                [_found(tool), "--config-file", config, *command],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )


@contextmanager
def mariadb(folder: Path) -> Iterator[MariaDb]:
    """A server with its data in a folder, which must be empty; it ends with the block."""
    for tool in TOOLS:
        _found(tool)
    user, data = getpass.getuser(), folder / "data"
    install = [_found("mariadb-install-db"), "--no-defaults", f"--datadir={data}"]
    # Not in /tmp, where each mariadbd that starts removes the files of all others.
    install += [f"--tmpdir={folder}"]
    install += [f"--user={user}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    server = MariaDb(folder)
    command = [_found("mariadbd"), *_OPTIONS, f"--user={user}", f"--datadir={data}"]
    command += [f"--socket={server.socket}", f"--tmpdir={folder}"]
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notified:
        # As systemd does it: the server says itself when it is ready.
        notified.bind(str(folder / "notify"))
        notified.settimeout(_START_SECONDS)
        with (folder / "mariadbd.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify")},
            )
        try:
            while b"READY=1" not in notified.recv(4096):
                pass
            server.execute(f"CREATE USER {READER}@localhost")
            yield server
        finally:
            # Nothing of it is kept, so that it need not write down what it has in memory.
            process.kill()
            process.wait()


def _found(tool: str) -> str:
    found = shutil.which(tool, path=_PATH)
    if found is None:
        sys.exit(f"there is no {tool}: on Debian it is in the package {TOOLS[tool]}")
    return found
