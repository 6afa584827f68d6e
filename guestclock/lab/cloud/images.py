"""`lab image`: bootable files and their properties, as Glance keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from guestclock.lab.cloud import compute, rows
from guestclock.lab.cloud.actions import CreateImage, DeleteImage
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.places import copy_whole, write_whole
from guestclock.lab.cloud.problems import BadValue
from guestclock.lab.cloud.records import Image
from guestclock.lab.cloud.site import Site
from guestclock.lab.cloud.travel import TimeTravel
from guestclock.lab.cloud.zone import guest_zone
from guestclock.lab.errors import LabError
from guestclock.lab.guests.disk import GuestSetup, Kind, disk_image, zone_table_of
from guestclock.zones import offset_at

_TABLE_YEARS = (1970, 2105)


class Images:
    """The images of one lab. Each method raises LabError where it cannot do what it says."""

    def __init__(self, site: Site, time: TimeTravel) -> None:
        self._site = site
        self._time = time

    def list(self) -> list[Image]:
        """Return all images by name."""
        with self._site.store.reading() as connection:
            return rows.images(connection)

    def show(self, name: str) -> Image:
        """Return one image, by name or id."""
        with self._site.store.reading() as connection:
            return rows.image(connection, name)

    def create_from_file(
        self, name: str, file: Path, properties: Mapping[str, str] | None = None
    ) -> Image:
        """Make an image of a raw bootable file, which is copied."""
        return self._create(name, file, None, properties or {})

    def create_guest(
        self,
        name: str,
        setup: GuestSetup,
        zone: str | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> Image:
        """Make an image of a small guest; `zone` is the one its zone table is of."""
        key = None if zone is None else guest_zone(zone).key
        return self._create(name, setup, key, properties or {})

    def guest_setup(
        self,
        kind: Kind,
        zone: str | None = None,
        bias_minutes: int | None = None,
        *,
        universal: bool = False,
        deaf: bool = False,
    ) -> GuestSetup:
        """Return the setup of a small guest in a zone, by its IANA or Windows name.

        Its bias (minutes, positive west) is the zone's at the lab's present time where none is
        given; with no zone the bias holds for ever.
        """
        if universal and kind != "windows":
            raise BadValue("only a windows guest has RealTimeIsUniversal", "add --guest windows")
        table: tuple[tuple[int, int], ...] = ()
        bias = bias_minutes or 0
        if zone is not None:
            found = guest_zone(zone)
            table = zone_table_of(found, *_TABLE_YEARS)
            if bias_minutes is None:
                bias = -offset_at(found, self._time.now()) // 60
        return GuestSetup(kind, universal, bias, deaf, table)

    def set(self, name: str, properties: Mapping[str, str]) -> Image:
        """Add properties, or give them other values. Servers that exist are not touched."""
        with self._site.working(), self._site.store.writing() as connection:
            image = rows.image(connection, name)
            rows.set_image_properties(connection, image, properties)
            return rows.image(connection, image.uuid)

    def unset(self, name: str, keys: Sequence[str]) -> Image:
        """Take properties off."""
        with self._site.working(), self._site.store.writing() as connection:
            image = rows.image(connection, name)
            missing = [key for key in keys if key not in image.properties]
            if missing:
                raise LabError(f"image {image.name} has no property {missing[0]!r}")
            rows.unset_image_properties(connection, image, list(keys))
            return rows.image(connection, image.uuid)

    def delete(self, name: str) -> None:
        """Delete an image; servers made of it keep their disks."""
        site = self._site
        with site.working():
            image = self.show(name)
            if image.status != "active":
                raise LabError(
                    f"image {image.name} is still being saved", "wait until it is active"
                )
            with site.locks.exclusive(Subject.IMAGE, image.number):
                with site.store.writing() as connection:
                    # Another command may have deleted it while this one waited.
                    rows.image(connection, image.uuid)
                    rows.begin_task(connection, Subject.IMAGE, image.number, DeleteImage())
                compute.remove_image(site, image)

    def _create(
        self,
        name: str,
        source: Path | GuestSetup,
        zone: str | None,
        properties: Mapping[str, str],
    ) -> Image:
        check_name(name, "an image")
        site = self._site
        with site.working(), ExitStack() as held:
            with site.store.writing() as connection:
                image = rows.add_image(connection, name, zone, properties)
                rows.begin_task(connection, Subject.IMAGE, image.number, CreateImage())
                # Nobody else knows the number before the commit, so the lock is free.
                held.enter_context(site.locks.exclusive(Subject.IMAGE, image.number))
            try:
                if isinstance(source, GuestSetup):
                    write_whole(site.places.image(image.uuid), disk_image(source))
                else:
                    copy_whole(source, site.places.image(image.uuid))
            except LabError:
                compute.remove_image(site, image)
                raise
            with site.store.writing() as connection:
                rows.set_image_active(connection, image)
                rows.end_task(connection, Subject.IMAGE, image.number)
        return replace(image, status="active")


def check_name(name: str, what: str) -> None:
    """Raise BadValue for a name that would be hard to read or to type again."""
    if not name or name != name.strip() or not name.isprintable() or len(name) > 255:
        raise BadValue(f"{name!r} cannot be the name of {what}")
