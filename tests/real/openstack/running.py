"""The bed that the tests run on: brought up once for all workers, or one that is up already."""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "bed"
FOLDER = Path("/var/tmp/guestclock-test-bed")
ZONE = "Asia/Shanghai"


@dataclass(frozen=True)
class Bed:
    """A running bed; `environment` is what its openrc sets."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def at(cls, folder: Path) -> Bed:
        """The bed of a folder."""
        lines = (folder / "openrc").read_text().splitlines()
        words = [word for line in lines for word in shlex.split(line, comments=True)]
        pairs = (word.partition("=") for word in words if word != "export")
        return cls(folder, {name: value for name, _, value in pairs})

    @property
    def zone(self) -> str:
        """The zone of its compute host."""
        return self.environment["BED_ZONE"]

    @property
    def uri(self) -> str:
        """Its libvirt."""
        return self.environment["BED_LIBVIRT_URI"]

    @property
    def cell_url(self) -> str:
        """The database of Nova's cell, for a user who may SELECT all of it."""
        return self.environment["BED_CELL_DB_URL"]

    @property
    def transport_url(self) -> str:
        """The broker."""
        return self.environment["BED_TRANSPORT_URL"]

    @property
    def socket(self) -> Path:
        """Where MariaDB's root comes in."""
        return self.folder / "run/mariadb.sock"

    def secrets(self) -> list[str]:
        """All passwords of the bed."""
        lines = (self.folder / "secrets").read_text().splitlines()
        return [line.split("=", 1)[1] for line in lines]

    def log(self, name: str) -> Path:
        """What a daemon says."""
        return self.folder / f"log/{name}.log"

    def sql(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """The rows of a statement, run as root."""
        from sqlalchemy import create_engine, text
        from sqlalchemy.pool import NullPool

        url = f"mysql+pymysql://root@localhost/?unix_socket={self.socket}&charset=utf8mb4"
        with create_engine(url, poolclass=NullPool).begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def run(self, *command: str) -> str:
        """What a program of the system says that is run as the cloud's administrator."""
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command, env=self.environment | path | NO_PROXY, capture_output=True, text=True
        )
        if done.returncode:
            pytest.fail(f"{shlex.join(command)} gave {done.returncode}:\n{done.stderr[-4000:]}")
        return done.stdout

    def openstack(self, *arguments: str) -> str:
        """What the system's own client says."""
        return self.run("/usr/bin/openstack", *arguments)

    def nova_manage(self, *arguments: str) -> str:
        """What Nova's own tool says."""
        return self.run("nova-manage", "--config-file", f"{self.folder}/etc/nova.conf", *arguments)


NO_PROXY = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


@contextmanager
def running() -> Iterator[Bed]:
    """The bed that GUESTCLOCK_BED names, which stays, or one that is up while anyone uses it."""
    named = os.environ.get("GUESTCLOCK_BED")
    if named:
        yield Bed.at(Path(named))
        return
    # Every worker holds this lock together with the others; who gets it alone is the last. It
    # belongs to the bed and not to these files: another working copy may have it up.
    users = os.open(FOLDER.with_suffix(".users"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        _script("up.sh")
        yield Bed.at(FOLDER)
    finally:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            _script("down.sh", "--wipe")
        finally:
            os.close(users)


def _script(name: str, *arguments: str) -> None:
    """Runs one of the bed's scripts; a second worker's up.sh waits for the first one's."""
    environment = os.environ | {"BED_DIR": str(FOLDER), "BED_ZONE": ZONE}
    done = subprocess.run(
        [SCRIPTS / name, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        pytest.fail(f"{name} gave {done.returncode}:\n{done.stderr[-8000:]}")
