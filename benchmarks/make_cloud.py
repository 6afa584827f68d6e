"""The rows of a large cloud, as Nova and Glance write them, in a MariaDB of their own.

    python benchmarks/make_cloud.py FOLDER --servers 20000      serves it until it is interrupted

The same seed gives the same cloud. A third of the servers are Windows, one in ten was booted from a
volume, some are deleted, and of those that live one in fifty has one of the defects in `DEFECTS`.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cloud_rows
from own_mariadb import MariaDb, mariadb

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 800
WINDOWS = (("Windows Server 2022", "win2k22"), ("Windows Server 2019", "win2k19"))
OTHERS = (
    ("Ubuntu 24.04", "ubuntu"),
    ("Ubuntu 22.04", "ubuntu"),
    ("Debian 12", "debian"),
    ("Rocky 9", "rocky"),
    ("AlmaLinux 9", "almalinux"),
)
DEFECTS = (
    "missing",  # an image of Windows without os_type
    "case",  # os_type=Windows
    "late",  # the image was corrected after the server was made
    "column",  # the metadata were corrected, the server was not
    "metadata",  # the server was corrected in the database, its metadata were not
    "spread",  # made of a snapshot that has its missing os_type from its base
    "lost",  # made of a snapshot that has not inherited os_type
    "volume",  # booted from a volume whose metadata have no os_type
    "utc guest",  # os_type=windows on a Linux
    "rescue",  # Windows, rescued with a Linux
)
_OF_GOOD_IMAGES = ("column", "metadata", "volume", "rescue")
_DEFECT_EVERY = 50
_DELETED = 0.05


@dataclass(frozen=True, slots=True)
class Image:
    """An image; `os_type_at` is when that property was set, if it was."""

    id: str
    name: str
    owner: str
    properties: Mapping[str, str]
    made: datetime
    os_type_at: datetime

    @property
    def windows(self) -> bool:
        return self.properties["os_distro"].startswith("win")


@dataclass(frozen=True, slots=True)
class Server:
    """A server; `metadata` are the properties that Nova copied of its image."""

    number: int
    id: str
    name: str
    project: str
    user: str
    host: str
    image: str
    volume: str | None
    os_type: str | None
    metadata: Mapping[str, str]
    vm_state: str
    made: datetime
    actions: Sequence[tuple[str, datetime]] = field(default=())
    deleted: bool = False


class CloudMaker:
    """Makes images, and servers of them by their numbers, which begin with 1."""

    def __init__(self, servers: int, images: int, hosts: int, seed: int = 1) -> None:
        self._seed = seed
        self._count = servers
        self.hosts = tuple(f"compute-{number:03d}" for number in range(hosts))
        self._projects = tuple(self._hex("project", number) for number in range(1 + servers // 50))
        rng = random.Random(seed)
        self._good: list[Image] = []
        self._bad: dict[str, list[Image]] = {kind: [] for kind in DEFECTS}
        for number in range(images):
            self._add_image(number, rng)
        self.images = (*self._good, *(one for some in self._bad.values() for one in some))
        self._windows = [one for one in self._good if one.windows]

    def servers(self, first: int, last: int) -> Iterator[Server]:
        """The servers of these numbers, both included."""
        for number in range(first, last + 1):
            yield self._server(number)

    def _add_image(self, number: int, rng: random.Random) -> None:
        """One in twenty is defective; two in five of the others are snapshots of servers."""
        if number % 20 == 19:
            kinds = [kind for kind in DEFECTS if kind not in _OF_GOOD_IMAGES]
            kind = kinds[number // 20 % len(kinds)]
            self._bad[kind] += self._defective(kind, number, rng)
            return
        base = rng.choice(self._good) if self._good and rng.random() < 0.4 else None
        windows = rng.random() < 0.3
        if base is None:
            self._good.append(self._image(number, rng, windows, "windows" if windows else "linux"))
        else:
            self._good.append(self._snapshot(number, rng, base, base.properties.get("os_type")))

    def _defective(self, kind: str, number: int, rng: random.Random) -> Iterator[Image]:
        match kind:
            case "missing":
                yield self._image(number, rng, True, None)
            case "case":
                yield self._image(number, rng, True, "Windows")
            case "late":
                yield self._image(number, rng, True, "windows", DAYS * DAY)
            case "spread":
                yield self._snapshot(number, rng, self._image(number, rng, True, None), None)
            case "lost":
                yield self._snapshot(number, rng, rng.choice(self._windows_so_far()), None)
            case _:
                yield self._image(number, rng, False, "windows")

    def _windows_so_far(self) -> list[Image]:
        return [one for one in self._good if one.windows]
