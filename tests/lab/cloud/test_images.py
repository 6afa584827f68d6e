from __future__ import annotations

from pathlib import Path

import pytest

from guestclock.lab.cloud import Lab
from guestclock.lab.errors import LabError
from guestclock.lab.guests.disk import read_setup


def test_properties_are_set_and_unset(lab: Lab) -> None:
    lab.images.set("win", {"os_type": "windows", "a": "1"})
    lab.images.set("win", {"a": "2"})
    assert lab.images.show("win").properties == {"os_type": "windows", "a": "2"}
    lab.images.unset("win", ["os_type"])
    assert lab.images.show("win").properties == {"a": "2"}


def test_a_property_that_is_not_there_cannot_be_unset_and_nothing_is(lab: Lab) -> None:
    lab.images.set("win", {"a": "1"})
    with pytest.raises(LabError, match="has no property 'b'"):
        lab.images.unset("win", ["a", "b"])
    assert lab.images.show("win").properties == {"a": "1"}


def test_a_file_is_copied(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "disk.raw"
    file.write_bytes(b"one")
    image = lab.images.create_from_file("foreign", file, {"os_type": "linux"})
    file.write_bytes(b"two")
    assert (lab.folder / "images" / image.uuid).read_bytes() == b"one"
    assert lab.images.show("foreign").status == "active"


def test_an_image_of_a_file_that_is_not_there_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="is not there"):
        lab.images.create_from_file("foreign", tmp_path / "missing")
    assert [image.name for image in lab.images.list()] == ["lin", "win"]
    assert len(list((lab.folder / "images").iterdir())) == 2


def test_names_are_used_once(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="there is an image 'win' already"):
        lab.images.create_from_file("win", tmp_path)


@pytest.mark.parametrize("name", ["", " a", "a\n", "a\x1b[31m"])
def test_a_name_that_could_not_be_typed_again_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(LabError, match="cannot be the name of an image"):
        lab.images.create_guest(name, lab.images.guest_setup("utc"))


def test_a_deleted_image_leaves_its_servers_alone(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.images.delete("win")
    assert len(list((lab.folder / "images").iterdir())) == 1
    lab.servers.reboot("desk7", hard=True)
    view = lab.servers.show("desk7")
    assert (view.status, view.image) == ("ACTIVE", None)
    with pytest.raises(LabError, match="there is no image"):
        lab.servers.rebuild("desk7")
    assert lab.servers.show("desk7").status == "ACTIVE"


def test_a_guest_has_its_zones_bias_of_the_labs_time_unless_another_is_given(lab: Lab) -> None:

    setup = lab.images.guest_setup("windows", "Asia/Shanghai")
    assert setup.bias_minutes == -480
    other = lab.images.guest_setup("windows", "Asia/Shanghai", -540)
    assert (other.bias_minutes, other.zone_table) == (-540, setup.zone_table)


def test_a_windows_zone_is_kept_by_its_iana_name(lab: Lab) -> None:
    setup = lab.images.guest_setup("windows", "China Standard Time")
    image = lab.images.create_guest("new", setup, "China Standard Time")
    assert (setup.bias_minutes, image.zone) == (-480, "Asia/Shanghai")


def test_the_guests_setup_is_on_the_images_disk(lab: Lab) -> None:
    setup = lab.images.guest_setup("windows", bias_minutes=300, universal=True, deaf=True)
    image = lab.images.create_guest("odd", setup)
    assert read_setup(lab.folder / "images" / image.uuid) == setup


def test_only_windows_has_the_universal_flag(lab: Lab) -> None:
    with pytest.raises(LabError, match="only a windows guest"):
        lab.images.guest_setup("utc", universal=True)


def test_a_guests_zone_must_be_one(lab: Lab) -> None:
    with pytest.raises(LabError, match="no zone is called 'Mars/Base'"):
        lab.images.guest_setup("utc", "Mars/Base")
