"""The partitions of a BSD's disk label, whether fdisk wrote it or a BSD would have."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from guestclock.disks.budget import Budget
from guestclock.disks.problem import Damaged, DiskProblem
from guestclock.disks.source import Memory
from guestclock.disks.volumes.detect import volumes
from tests.disks.builders.disklabel import FFS, SWAP, UNUSED, make_label

_SECTOR = 512
_START, _SECTORS = 2048, 65536
_A = 16


def _disk(label: bytes, kind: int, marks: dict[int, bytes], start: int = _START) -> bytes:
    """A disk with a slice that has that label, and marks at sectors of the disk."""
    disk = bytearray((start + _SECTORS) * _SECTOR)
    if kind:
        entry = bytes((0, 0, 0, 0, kind, 0, 0, 0))
        disk[446:462] = entry + start.to_bytes(4, "little") + _SECTORS.to_bytes(4, "little")
        disk[510:512] = b"\x55\xaa"
    at = (start + 1) * _SECTOR
    disk[at : at + _SECTOR] = label
    for sector, mark in marks.items():
        disk[sector * _SECTOR : sector * _SECTOR + len(mark)] = mark
    return bytes(disk)


def _found(disk: bytes) -> dict[str, bytes]:
    """The first bytes of each volume."""
    found = {}
    for volume in volumes(Memory(disk), Budget()):
        assert not isinstance(volume.content, DiskProblem), volume.content.detail
        found[volume.place] = volume.content.read_at(0, 4)
    return found


@pytest.mark.parametrize(
    ("kind", "code", "base", "raw"),
    [
        pytest.param("freebsd", 0xA5, 0, 0, id="FreeBSD counts from the slice"),
        pytest.param("freebsd", 0xA5, _START, _START, id="FreeBSD of old from the disk"),
        pytest.param("netbsd", 0xA9, _START, _START, id="NetBSD from the disk"),
        pytest.param("openbsd", 0xA6, _START, 0, id="OpenBSD from the disk, whose c is all of it"),
    ],
)
def test_each_bsd_counts_from_its_own_begin(kind: str, code: int, base: int, raw: int) -> None:
    label = make_label(
        [
            (base + _A, 1000, FFS),
            (base + 2000, 1000, SWAP),
            (raw, _SECTORS, UNUSED),
            (base + 4000, 2000, FFS),
        ],
        kind,
    )
    disk = _disk(label, code, {_START + _A: b"root", _START + 4000: b"/usr"})
    assert _found(disk) == {
        "partition 1 (MBR): BSD a": b"root",
        "partition 1 (MBR): BSD d": b"/usr",
    }


def test_a_disk_without_an_mbr_may_have_a_label() -> None:
    label = make_label([(_A, 1000, FFS), (0, 0, UNUSED), (0, _SECTORS, UNUSED)])
    assert _found(_disk(label, 0, {_A: b"root"}, start=0)) == {"BSD a": b"root"}


def test_a_slice_without_a_label_is_one_volume() -> None:
    assert _found(_disk(bytes(_SECTOR), 0xA5, {_START: b"root"})) == {"partition 1 (MBR)": b"root"}


def test_a_wrong_checksum_is_damage() -> None:
    label = bytearray(make_label([(_A, 1000, FFS)]))
    label[150] ^= 1
    (volume,) = volumes(Memory(_disk(bytes(label), 0xA5, {})), Budget())
    assert isinstance(volume.content, Damaged)
    assert "checksum" in volume.content.detail


def test_a_partition_beyond_its_slice_is_damage() -> None:
    label = make_label([(_SECTORS + 5, 1000, FFS)])
    (volume,) = volumes(Memory(_disk(label, 0xA5, {})), Budget())
    assert isinstance(volume.content, Damaged)


def test_a_label_of_fdisk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes((_START + _SECTORS) * _SECTOR))
    commands = f"o n p 1 {_START} +31M t a5 b y n a 4096 +8M n d 30000 +1M t a 7 w r w".split()
    subprocess.run(
        ["fdisk", str(path)],
        input="\n".join(commands) + "\n",
        text=True,
        check=True,
        capture_output=True,
    )
    with path.open("r+b") as disk:
        disk.seek(4096 * _SECTOR)
        disk.write(b"root")
    assert _found(path.read_bytes()) == {"partition 1 (MBR): BSD a": b"root"}
