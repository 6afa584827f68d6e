"""`guestclock audit --cell-db` against a bare loop that only reads the same rows with PyMySQL.

    python benchmarks/cloud.py                       10,000 and 50,000 servers
    python benchmarks/cloud.py --servers 100000      20,000 and 100,000 servers
    python benchmarks/cloud.py --serve FOLDER        leaves the cloud running, to look at it

The cloud is in a MariaDB of its own, with Nova's and Glance's real tables. The bare loop sends the
very statements that the audit sends, and throws the rows away. Both run as processes of their own,
in turn, several times; the ratio is that of the medians. Memory is the peak of the process, which
must not grow with the servers: a fifth of them is measured first. That fifth is also read from all
sources together: Glance's database, and an API on loopback that waits before each page as a real
one does; there the bare loop asks for the same pages as well.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cloud_api import stand_in  # noqa: E402
from cloud_tables import fill_images, fill_servers  # noqa: E402
from make_cloud import Cloud  # noqa: E402
from own_mariadb import MariaDb, mariadb  # noqa: E402

from tests.platforms.openstack.stand_in import StandIn  # noqa: E402

MOST_RATIO = 2.0
MOST_GROWTH_MB = 30
MOST_ROUNDS_OF_API = 3
PARTS = 5

# The peak of this very process, in KiB: what getrusage says of a child is at least its parent's.
PEAK = """
def peak():
    with open("/proc/self/status") as lines:
        return next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
"""
BARE = f"""
import json, sys
import pymysql
{PEAK}
with open(sys.argv[1]) as file:
    told = json.load(file)
for database in told["databases"]:
    connection = pymysql.connect(**database["connect"])
    cursor = connection.cursor()
    for statement, values in database["statements"]:
        cursor.execute(statement, values)
        for row in cursor.fetchall():
            pass
if told["api"]:
    import requests
    session, api = requests.Session(), told["api"]
    signed_in = session.post(f"{{api['url']}}/identity/v3/auth/tokens", json=api["auth"])
    session.headers["X-Auth-Token"] = signed_in.headers["X-Subject-Token"]
    for path, query, microversion in api["asked"]:
        headers = {{"OpenStack-API-Version": f"compute {{microversion}}"}} if microversion else {{}}
        json.loads(session.get(api["url"] + path, params=query, headers=headers).content)
print(peak(), file=sys.stderr)
"""
AUDIT = f"""
import sys
from guestclock.cli.main import guestclock
{PEAK}
guestclock(sys.argv[1:], standalone_mode=False)
print(peak(), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took: seconds, and MB at its peak."""

    seconds: float
    peak: float


@dataclass(frozen=True, slots=True)
class Measured:
    """How many times the bare loop an audit took, and MB at its highest peak."""

    ratio: float
    peak: float


def run(command: Sequence[str], environment: dict[str, str]) -> Run:
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        check=False,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(done.stderr)
    return Run(seconds, int(done.stderr.split()[-1]) / 1000)


class Bench:
    """The two commands of one choice of sources."""

    def __init__(self, place: Path, server: MariaDb, rounds: int) -> None:
        self._place = place
        self._server = server
        self._rounds = rounds

    def of_cell(self, servers: int) -> Measured:
        """With the cell's database alone."""
        told = {"databases": [self._recorded("nova", servers_of_cell)], "api": None}
        title = f"{servers} servers, --cell-db"
        return self._compared(title, self._cell(), told, {}, self._rounds)

    def of_cloud(self, servers: int, cloud: Cloud, delay: float) -> Measured:
        """With all sources."""
        options = [*self._cell(), "--glance-db", self._kept("glance"), "--os-cloud", "stand-in"]
        databases = [
            self._recorded("nova", servers_of_cell),
            self._recorded("glance", images_of_glance),
        ]
        with stand_in(cloud, servers, delay) as api:
            environment = {"OS_CLIENT_CONFIG_FILE": str(api.clouds_yaml(self._place))}
            run(self._audit(options), environment)
            told = {"databases": databases, "api": asked_of(api)}
            title = f"{servers} servers, --cell-db --glance-db --os-cloud, {delay:g} s a page"
            rounds = min(self._rounds, MOST_ROUNDS_OF_API)
            return self._compared(title, options, told, environment, rounds)

    def _compared(
        self,
        title: str,
        options: list[str],
        told: object,
        environment: dict[str, str],
        rounds: int,
    ) -> Measured:
        file = self._place / "told.json"
        file.write_text(json.dumps(told))
        bare = [sys.executable, "-c", BARE, str(file)]
        audit = self._audit(options)
        print(title)
        run(bare, environment)  # fills the server's memory, and the page cache
        pairs = []
        for _ in range(rounds):
            one, other = run(bare, environment), run(audit, environment)
            print(f"  bare loop {show(one)}   audit {show(other)}")
            pairs.append((one, other))
        loops, audits = zip(*pairs, strict=True)
        ratio = median(one.seconds for one in audits) / median(one.seconds for one in loops)
        print(f"  the audit takes {ratio:.2f} times the bare loop (at most {MOST_RATIO})")
        return Measured(ratio, max(one.peak for one in audits))

    def _cell(self) -> list[str]:
        return ["--cell-db", self._kept("nova"), "--host-zone", "Asia/Shanghai"]

    def _audit(self, options: list[str]) -> list[str]:
        fixed = ["audit", "-f", "json", "-o", os.devnull, "--fail-on", "never"]
        return [sys.executable, "-c", AUDIT, *fixed, *options]

    def _kept(self, database: str) -> str:
        """The URL as an option takes it, in a file."""
        path = self._place / f"{database}.url"
        path.write_text(self._server.url(database))
        return f"file:{path}"

    def _recorded(self, database: str, read: Callable[[str], Iterable[object]]) -> object:
        """How to connect to a database, and the SELECTs that are sent to read it."""
        from sqlalchemy import Engine, event

        sent: list[tuple[str, Any]] = []

        def record(
            _connection: object,
            _cursor: object,
            statement: str,
            values: Any,
            _context: object,
            _many: bool,
        ) -> None:
            sent.append((statement, values))

        event.listen(Engine, "before_cursor_execute", record)
        try:
            for _ in read(self._server.url(database)):
                pass
        finally:
            event.remove(Engine, "before_cursor_execute", record)
        return {"connect": self._server.options(database), "statements": sent}


def asked_of(api: StandIn) -> object:
    """What the API was asked for, and how to sign in there."""
    user = {"user": {"password": api.password}}
    return {
        "url": api.url,
        "auth": {"auth": {"identity": {"methods": ["password"], "password": user}}},
        "asked": [
            (one.path, one.query, one.microversion) for one in api.requests if one.method == "GET"
        ],
    }


def servers_of_cell(url: str) -> Iterable[object]:
    from guestclock.platforms.openstack.database.cell import CellDatabase

    return CellDatabase(url).servers()


def images_of_glance(url: str) -> Iterable[object]:
    from guestclock.platforms.openstack.database.glance import GlanceDatabase

    return GlanceDatabase(url).images()


def show(one: Run) -> str:
    return f"{one.seconds:6.2f} s {one.peak:4.0f} MB"


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def measure(place: Path, options: argparse.Namespace) -> bool:
    """Whether the ratios and the memory hold."""
    with mariadb(place) as server:
        server.make_tables()
        bench = Bench(place, server, options.rounds)
        part = options.servers // PARTS
        cloud = Cloud(options.servers, options.images, options.hosts, options.seed)
        fill_images(server, cloud)
        fill_servers(server, cloud, 1, part)
        small = bench.of_cell(part)
        slow = Measured(0, 0) if options.no_api else bench.of_cloud(part, cloud, options.delay)
        fill_servers(server, cloud, part + 1, options.servers)
        large = bench.of_cell(options.servers)
        growth = large.peak - small.peak
        print(
            f"peak {small.peak:.0f} MB, for {PARTS} times the servers {large.peak:.0f} MB"
            f" (at most +{MOST_GROWTH_MB})"
        )
        return max(large.ratio, slow.ratio) <= MOST_RATIO and growth <= MOST_GROWTH_MB


def serve(place: Path, options: argparse.Namespace) -> None:
    """Makes the cloud in a new folder, and keeps it until it is interrupted."""
    place.mkdir(parents=True)
    with mariadb(place) as server:
        server.make_tables()
        cloud = Cloud(options.servers, options.images, options.hosts, options.seed)
        fill_images(server, cloud)
        fill_servers(server, cloud, 1, options.servers)
        with stand_in(cloud, options.servers, options.delay) as api:
            print(f"export OS_CLIENT_CONFIG_FILE={api.clouds_yaml(place)} OS_CLOUD=stand-in")
            print(f"export CELL='{server.url('nova')}' GLANCE='{server.url('glance')}'")
            print("guestclock audit --cell-db env:CELL --glance-db env:GLANCE", flush=True)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--servers", type=int, default=50000)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delay", type=float, default=0.2, help="seconds a page of the API")
    parser.add_argument("--no-api", action="store_true", help="only the databases")
    parser.add_argument("--serve", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if options.serve is not None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        serve(options.serve.absolute(), options)
        return 0
    with tempfile.TemporaryDirectory() as place:
        return 0 if measure(Path(place), options) else 1


if __name__ == "__main__":
    sys.exit(main())
