"""Members of Linux' software RAID: a mirror's is the volume, any other's is only named."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from guestclock.disks.budget import Budget
from guestclock.disks.problem import Damaged, DiskProblem, UnreadVolume
from guestclock.disks.source import Memory
from guestclock.disks.volumes.detect import volumes
from guestclock.disks.volumes.interface import Volume
from guestclock.disks.volumes.md import split_at_end
from tests.disks.builders.ext import make_ext
from tests.disks.builders.md import make_member
from tests.disks.builders.volumes import make_disk
from tests.disks.test_matrix import DEBIAN, inspected

CONTENT = b"ROOT" + bytes((4 << 20) - 4)


def _only(path: Path) -> Volume:
    (volume,) = volumes(Memory(path.read_bytes()), Budget())
    return volume


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_mdadm_takes_what_the_builder_lays_out(version: str, tmp_path: Path) -> None:
    path = make_member(tmp_path / "member", CONTENT, version)
    told = subprocess.run(
        ["mdadm", "--examine", str(path)], check=True, capture_output=True, text=True
    ).stdout
    assert f"Version : {version}" in told
    assert "- correct" in told
    assert "Raid Level : raid1" in told
    assert "Avail Dev Size : 8192 sectors" in told


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_member_of_a_mirror_is_the_volume(version: str, tmp_path: Path) -> None:
    volume = _only(make_member(tmp_path / "member", CONTENT, version))
    assert volume.place == "md host:root"
    assert not isinstance(volume.content, DiskProblem)
    assert volume.content.size == len(CONTENT)
    assert volume.content.read_at(0, len(CONTENT)) == CONTENT


def test_a_superblock_at_the_end_is_found_by_the_type_of_the_partition(tmp_path: Path) -> None:
    member = make_member(tmp_path / "member", CONTENT, "1.0")
    disk = make_disk(tmp_path / "disk", [member])
    assert _only(disk).place == "partition 1 (GPT)"
    subprocess.run(["sgdisk", "-t", "1:FD00", str(disk)], check=True, capture_output=True)
    volume = _only(disk)
    assert volume.place == "partition 1 (GPT): md host:root"
    assert not isinstance(volume.content, DiskProblem)
    assert volume.content.read_at(0, 4) == b"ROOT"


def test_a_system_on_a_mirror_is_found(tmp_path: Path) -> None:
    content = make_ext(tmp_path / "root", DEBIAN).read_bytes()
    disk = make_disk(tmp_path / "disk", [make_member(tmp_path / "member", content)])
    (system,) = inspected(disk)["systems"]
    assert system["place"]["volume"] == "partition 1 (GPT): md host:root"
    assert (system["rtc"], system["zone"]) == ("local", "Europe/Berlin")


@pytest.mark.parametrize(
    ("make", "detail"),
    [
        (partial(make_member, level=5), "RAID5"),
        (partial(make_member, level=0), "RAID0"),
        (partial(make_member, level=-1), "linear"),
        (partial(make_member, in_step=False), "out of step"),
        (partial(make_member, features=4), "out of step"),
        (partial(make_member, role=0xFFFE), "out of step"),
        (partial(make_member, role=0xFFFF), "out of step"),
    ],
)
def test_what_may_not_be_the_whole_volume_is_not_read(
    make: Callable[[Path, bytes], Path], detail: str, tmp_path: Path
) -> None:
    content = _only(make(tmp_path / "member", CONTENT)).content
    assert isinstance(content, UnreadVolume)
    assert detail in content.detail


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    path = make_member(tmp_path / "member", CONTENT)
    image = bytearray(path.read_bytes())
    image[4096 + 72] = 5
    path.write_bytes(image)
    assert isinstance(_only(path).content, Damaged)


@pytest.mark.parametrize(("level", "state"), [(1, 1), (1, 0), (5, 1)])
def test_the_oldest_superblock_is_known(level: int, state: int) -> None:
    image = bytearray(1 << 20)
    image[:4] = b"ROOT"
    at = len(image) - (64 << 10)
    for offset, word in ((0, 0xA92B4EFC), (4, 0), (8, 90), (28, level), (132, state)):
        image[at + offset : at + offset + 4] = word.to_bytes(4, "little")
    if (level, state) == (1, 1):
        found = split_at_end(Memory(bytes(image)), Budget())
        assert found is not None
        (volume,) = found
        assert not isinstance(volume.content, DiskProblem)
        assert (volume.content.read_at(0, 4), volume.content.size) == (b"ROOT", at)
    else:
        with pytest.raises(UnreadVolume):
            split_at_end(Memory(bytes(image)), Budget())
