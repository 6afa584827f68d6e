"""GUID partition tables that fdisk wrote: both copies, and sectors of 4096 bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from guestclock.disks.budget import Budget
from guestclock.disks.problem import Damaged, DiskProblem
from guestclock.disks.source import Memory
from guestclock.disks.volumes.detect import volumes

_SIZE = 8 << 20
_MIB = 1 << 20


@pytest.fixture(params=[512, 4096])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> bytearray:
    """A partition named root at 1 MiB, with a mark, and one at 4 MiB."""
    sector: int = request.param
    path = tmp_path / "disk"
    path.write_bytes(bytes(_SIZE))
    commands = f"g n 1 {_MIB // sector} +2M n 2 {4 * _MIB // sector} +1M x n 1 root r w".split()
    subprocess.run(
        ["fdisk", "-b", str(sector), str(path)],
        input="\n".join(commands) + "\n",
        text=True,
        check=True,
        capture_output=True,
    )
    image = bytearray(path.read_bytes())
    image[_MIB : _MIB + 4] = b"mark"
    image[4 * _MIB : 4 * _MIB + 4] = b"more"
    return image


def _found(disk: bytearray) -> list[tuple[str, str, int, bytes]]:
    found = []
    for volume in volumes(Memory(bytes(disk)), Budget()):
        content = volume.content
        assert not isinstance(content, DiskProblem)
        found.append((volume.place, volume.name, content.size, content.read_at(0, 4)))
    return found


EXPECTED = [
    ("partition 1 (GPT)", "root", 2 * _MIB, b"mark"),
    ("partition 2 (GPT)", "", _MIB, b"more"),
]


def test_its_partitions_are_found(disk: bytearray) -> None:
    assert _found(disk) == EXPECTED


def test_the_copy_at_the_end_stands_in_for_a_broken_one(disk: bytearray) -> None:
    at = disk.index(b"EFI PART")
    disk[at + 16] ^= 0xFF
    assert _found(disk) == EXPECTED
    disk[at : at + 8] = bytes(8)
    assert _found(disk) == EXPECTED


def test_broken_entries_are_read_from_the_copy(disk: bytearray) -> None:
    at = disk.index("root".encode("utf-16-le"))
    disk[at] ^= 1
    assert _found(disk) == EXPECTED


def test_two_broken_copies_are_damage(disk: bytearray) -> None:
    for at in (disk.index(b"EFI PART"), disk.rindex(b"EFI PART")):
        disk[at + 16] ^= 0xFF
    (volume,) = volumes(Memory(bytes(disk)), Budget())
    assert isinstance(volume.content, Damaged)
