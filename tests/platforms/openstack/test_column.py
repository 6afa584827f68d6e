from __future__ import annotations

from dataclasses import replace

from guestclock.clock import Absolute, Localtime, Utc
from guestclock.evidence import Inferred, Observed, Unknown, value_of
from guestclock.platforms.openstack.column import resolved
from guestclock.platforms.openstack.records import NO_COLUMN, Action, Notified
from tests.platforms.openstack.build import (
    LATER,
    MADE,
    SERVER,
    cloud,
    domain,
    image,
    server,
)

BLIND = replace(server(), column=NO_COLUMN)
WINDOWS = {"os_type": "windows"}


def test_what_was_read_in_the_database_beats_all_else() -> None:
    told = {SERVER: Notified("windows", LATER, "instance.reboot.end")}
    given = server(None, metadata=Observed("windows", "metadata"))
    found = resolved(given, cloud(image(WINDOWS), notified=told), domain(Localtime()))
    assert found == Observed(None, "instances.os_type")


def test_a_notification_beats_what_is_inferred() -> None:
    told = {SERVER: Notified("Windows", LATER, "instance.reboot.end")}
    found = resolved(BLIND, cloud(image(WINDOWS), notified=told), domain(Localtime()))
    where = "notification instance.reboot.end of 2026-11-04T09:00:00Z"
    assert found == Observed("Windows", where)


def test_localtime_on_the_host_tells_windows() -> None:
    found = resolved(BLIND, cloud(), domain(Localtime()))
    assert isinstance(found, Inferred)
    assert found.value == "windows"


def test_utc_on_the_host_tells_that_it_is_not_windows() -> None:
    found = resolved(BLIND, cloud(image(WINDOWS)), domain(Utc()))
    assert isinstance(found, Inferred)
    assert found.value is None
    assert found.where.endswith("it is not windows")


def test_utc_on_the_host_tells_the_other_value_of_the_image() -> None:
    found = resolved(BLIND, cloud(image({"os_type": "Windows"})), domain(Utc()))
    assert value_of(found) == "Windows"


def test_a_definition_that_nova_never_writes_tells_nothing() -> None:
    given = replace(BLIND, metadata=Observed("linux", "API"))
    assert value_of(resolved(given, cloud(), domain(Absolute(0)))) == "linux"


def test_an_image_that_was_not_changed_since_tells_it() -> None:
    found = resolved(BLIND, cloud(image(WINDOWS)), None)
    assert isinstance(found, Inferred)
    assert found.value == "windows"


def test_an_image_that_was_changed_since_tells_nothing() -> None:
    found = resolved(BLIND, cloud(image(WINDOWS, updated_at=LATER)), None)
    assert isinstance(found, Unknown)
    assert "changed after the server was made" in found.reason
    assert "--cell-db" in found.settle


def test_another_property_that_was_changed_does_not_count_where_glance_says_which() -> None:
    given = image(WINDOWS, updated_at=LATER, os_type_set_at=Observed(MADE, "glance"))
    assert value_of(resolved(BLIND, cloud(given), None)) == "windows"
    never = image(updated_at=LATER, os_type_set_at=Observed(None, "glance"))
    assert resolved(BLIND, cloud(never), None) == Inferred(None, "its image never had one")


def test_a_rebuild_after_the_change_reads_the_image_again() -> None:
    given = replace(BLIND, made=(Action("create", MADE), Action("rebuild", LATER)))
    assert value_of(resolved(given, cloud(image(WINDOWS, updated_at=LATER)), None)) == "windows"


def test_an_image_that_is_gone_or_not_read_is_said_so() -> None:
    gone = resolved(BLIND, cloud(), None)
    assert isinstance(gone, Unknown)
    assert "its image is gone" in gone.reason
    unread = cloud()
    unread.images_read = False
    found = resolved(BLIND, unread, None)
    assert isinstance(found, Unknown)
    assert "its image was not read" in found.reason


def test_a_volume_tells_nothing_of_it() -> None:
    assert resolved(replace(BLIND, image=""), cloud(), None) == NO_COLUMN
