from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from guestclock.evidence import Observed, value_of
from guestclock.platforms.openstack.database.glance import GlanceDatabase
from guestclock.platforms.openstack.records import Image
from tests.platforms.openstack.database.copies import Row, copy_of
from tests.real.openstack.tables_of_nova import GLANCE, IMAGES, PROPERTIES

FIRST = datetime(2026, 1, 1)
THEN = datetime(2026, 2, 2)


def image(name: str, **other: object) -> Row:
    plain = {"status": "active", "visibility": "public", "os_hidden": False, "deleted": False}
    return {"id": name, "name": name.upper(), "created_at": FIRST, **plain, **other}


def prop(
    of: str, name: str, value: str | None, changed: datetime | None = None, deleted: bool = False
) -> Row:
    times = {"created_at": FIRST, "updated_at": changed}
    return {"image_id": of, "name": name, "value": value, "deleted": deleted, **times}


def images(url: str, page: int = 2) -> dict[str, Image]:
    found = list(GlanceDatabase(url, page).images())
    assert len({one.id for one in found}) == len(found)
    return {one.id: one for one in found}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "glance.db"


def test_an_image_has_all_that_the_tables_say(path: Path) -> None:
    row = image("a", owner="project-1", os_hidden=True, updated_at=THEN, visibility="community")
    own = [prop("a", "os_type", "Windows", THEN), prop("a", "note", None)]
    database = GlanceDatabase(copy_of(path, GLANCE, {IMAGES: [row], PROPERTIES: own}))
    assert list(database.images()) == [
        Image(
            "a",
            "A",
            {"os_type": "Windows", "note": ""},
            "active",
            "community",
            True,
            "project-1",
            FIRST.replace(tzinfo=UTC),
            THEN.replace(tzinfo=UTC),
            Observed(THEN.replace(tzinfo=UTC), f"{database.name}: image_properties os_type"),
            database.name,
        )
    ]
    assert database.notes == []


def test_when_os_type_was_set_changed_removed_or_never(path: Path) -> None:
    rows = [image(name) for name in ("changed", "never", "plain", "removed", "set", "upper")]
    own = [
        prop("set", "os_type", "windows"),
        prop("changed", "os_type", "windows", THEN),
        prop("removed", "os_type", "windows", THEN, deleted=True),
        prop("never", "os_distro", "windows", THEN),
        prop("upper", "OS_TYPE", "windows", THEN),
    ]
    found = images(copy_of(path, GLANCE, {IMAGES: rows, PROPERTIES: own}))
    times = {name: value_of(one.os_type_set_at) for name, one in found.items()}
    first, then = FIRST.replace(tzinfo=UTC), THEN.replace(tzinfo=UTC)
    assert times == {
        "changed": then,
        "never": None,
        "plain": None,
        "removed": then,
        "set": first,
        "upper": None,
    }
    assert found["removed"].os_type is None
    assert found["upper"].os_type is None
    assert all(isinstance(one.os_type_set_at, Observed) for one in found.values())


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_pages_hold_each_image_once(path: Path, page: int) -> None:
    names = ["a", "b", "c", "d"]
    rows = [image(name, deleted=name == "b") for name in names]
    own = [prop(of, key, of) for of in names for key in ("os_type", "os_distro", "x")]
    found = images(copy_of(path, GLANCE, {IMAGES: rows, PROPERTIES: own}), page)
    assert {name: one.properties for name, one in found.items()} == {
        name: {"os_type": name, "os_distro": name, "x": name} for name in ("a", "c", "d")
    }


def test_without_images_there_are_none(path: Path) -> None:
    assert images(copy_of(path, GLANCE, {})) == {}
