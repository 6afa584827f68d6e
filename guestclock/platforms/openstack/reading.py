"""Reads all of a cloud but its servers: images, volumes, hosts, domains, what was notified.

The API, the databases and the hosts are read at the same time. A source that fails is one
Unread, and the others are read to their end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from guestclock.errors import GuestclockError, Unreadable
from guestclock.platforms.interface import Note, Unread
from guestclock.platforms.openstack.api import Api
from guestclock.platforms.openstack.database.api import ApiDatabase
from guestclock.platforms.openstack.database.glance import GlanceDatabase
from guestclock.platforms.openstack.domains import Domains, read_domains
from guestclock.platforms.openstack.given import Given
from guestclock.platforms.openstack.notifications import read_notifications
from guestclock.platforms.openstack.records import Cloud, Image
from guestclock.platforms.surroundings import Surroundings


@dataclass
class Told:
    """What could not be read, and what sources could not tell; any thread may add to it."""

    unread: list[Unread] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _noted: set[Note] = field(default_factory=set)

    @contextmanager
    def failing(self, source: str) -> Iterator[None]:
        """Turns a source that cannot be read into one Unread."""
        try:
            yield
        except Unreadable as problem:
            self.unread.append(Unread(source, reason_of(problem, source)))

    def add(self, told: Iterable[Unread | Note]) -> None:
        """Keeps what a source told; a note that it repeats is kept once."""
        for one in told:
            if isinstance(one, Unread):
                self.unread.append(one)
            elif one not in self._noted:
                self._noted.add(one)
                self.notes.append(one)

    def drained(self) -> Iterator[Unread | Note]:
        """All that was told since this was asked last."""
        while self.unread:
            yield self.unread.pop(0)
        while self.notes:
            yield self.notes.pop(0)


def reason_of(problem: GuestclockError, source: str) -> str:
    """An error of a source in one line, with its hint and without the source's name before it."""
    text = str(problem).removeprefix(f"{source.partition(',')[0]}: ")
    return f"{text}: {problem.hint}" if problem.hint else text


@dataclass(frozen=True, slots=True)
class Read:
    """All of a cloud but its servers. `api` is None where it was not given or does not answer."""

    cloud: Cloud
    domains: Domains
    api: Api | None


def read_cloud(given: Given, surroundings: Surroundings, told: Told) -> Read:
    """Reads what was given, several sources at a time. Raises UsageProblem for what cannot be."""
    cloud = Cloud(given.cloud or "")
    api = Api(given.cloud, given.region) if given.cloud else None
    with ThreadPoolExecutor(5, "source") as pool:
        answers = pool.submit(_read_api, api, cloud, told) if api else None
        images = pool.submit(_read_glance, given.glance_db, told)
        mapped = pool.submit(_read_mappings, given, told)
        domains = pool.submit(
            read_domains, given.connections, given.folders, surroundings, given.live
        )
        if given.notifications:
            cloud.notified, notes = read_notifications(given.notifications)
            told.add(notes)
        reached = bool(answers and answers.result())
        _merge_images(cloud, images.result())
        mapped.result()
        found = domains.result()
    told.add(found.told)
    return Read(cloud, found, api if reached else None)


def _read_api(api: Api, cloud: Cloud, told: Told) -> bool:
    """Whether the cloud answered; each listing may fail by itself."""
    source = f"cloud {api.name}"
    with told.failing(source):
        api.connect()
        with told.failing(f"{source}, images"):
            cloud.images = {image.id: image for image in api.images()}
            cloud.images_read = True
        with told.failing(f"{source}, volumes"):
            cloud.volumes = {volume.id: volume for volume in api.volumes()}
        with told.failing(f"{source}, volume snapshots"):
            cloud.snapshots = {snapshot.id: snapshot for snapshot in api.volume_snapshots()}
        with told.failing(f"{source}, hosts"):
            cloud.hosts = {host.name: host for host in api.hosts()}
        told.add(api.notes)
        return True
    return False


def _read_glance(spec: str | None, told: Told) -> list[Image] | None:
    if spec is None:
        return None
    database = GlanceDatabase(spec)
    images: list[Image] | None = None
    with told.failing(database.name):
        images = list(database.images())
    told.add(database.notes)
    return images


def _merge_images(cloud: Cloud, stored: list[Image] | None) -> None:
    """Glance's database adds when os_type was set, and the images that the API did not show."""
    if stored is None:
        return
    for image in stored:
        shown = cloud.images.get(image.id)
        if shown is not None:
            image = replace(shown, os_type_set_at=image.os_type_set_at)
        cloud.images[image.id] = image
    cloud.images_read = True


def _read_mappings(given: Given, told: Told) -> None:
    """Tells of the cells with servers for which no database was given."""
    if given.api_db is None:
        return
    database = ApiDatabase(given.api_db)
    with told.failing(database.name):
        mapped = database.mapped()
        if given.cells:
            missing = len([name for name in mapped if name != "cell0"]) - len(given.cells)
            if missing > 0:
                counts = ", ".join(f"{name}: {count}" for name, count in mapped.items())
                text = f"{missing} more cells have servers than --cell-db were given ({counts})"
                told.add([Note(database.name, text)])
    told.add(database.notes)
