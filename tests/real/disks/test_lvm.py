"""LVM2 volumes that LVM itself laid out are read, whatever lies between their pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from guestclock.disks.budget import Budget
from guestclock.disks.problem import DiskProblem
from guestclock.disks.source import Memory
from guestclock.disks.volumes.detect import volumes
from tests.disks.builders.ext import make_ext
from tests.disks.builders.lvm import make_lvm, make_striped_lvm
from tests.disks.builders.volumes import make_disk
from tests.disks.test_matrix import DEBIAN, inspected

pytestmark = pytest.mark.real


def test_a_volume_in_pieces_is_whole(tmp_path: Path) -> None:
    root = make_ext(tmp_path / "root", DEBIAN)
    group = make_lvm(tmp_path / "pv", {"root": root})
    found = {one.name: one.content for one in volumes(Memory(group.read_bytes()), Budget())}
    content = found["root"]
    assert not isinstance(content, DiskProblem)
    size = root.stat().st_size
    assert content.read_at(0, size) == root.read_bytes()


def test_a_striped_volume_is_whole(tmp_path: Path) -> None:
    root = make_ext(tmp_path / "root", DEBIAN)
    group = make_striped_lvm(tmp_path / "pv", root)
    (volume,) = volumes(Memory(group.read_bytes()), Budget())
    assert not isinstance(volume.content, DiskProblem)
    data = root.read_bytes()
    assert volume.content.read_at(0, len(data)) == data
    # Across a stripe's end, where the next byte is on the other one.
    at = (64 << 10) - 100
    assert volume.content.read_at(at, 200) == data[at : at + 200]


def test_a_system_in_a_group_in_a_partition_is_found(tmp_path: Path) -> None:
    group = make_lvm(tmp_path / "pv", {"root": make_ext(tmp_path / "root", DEBIAN)})
    disk = make_disk(tmp_path / "disk", [group])
    (system,) = inspected(disk)["systems"]
    assert system["place"]["volume"] == "partition 1 (GPT): LVM vg0/root"
    assert (system["rtc"], system["zone"]) == ("local", "Europe/Berlin")
