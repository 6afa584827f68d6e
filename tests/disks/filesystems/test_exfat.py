"""exFAT: what is laid out as fsck.exfat wants it is read back, and broken volumes do no harm."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.filesystems.detect import mount
from guestclock.disks.problem import Damaged, DiskProblem
from guestclock.disks.source import Memory, Paged
from guestclock.disks.tree import Tree
from tests.disks.builders.exfat import make_exfat, sum_of

FILES = {
    "EFI/Microsoft/Boot/BCD": Random(1).randbytes(30_000),
    "EFI/Microsoft/Boot/scattered": Random(2).randbytes(30_000),
    "a name of more than thirty characters for two entries.text": b"long",
    "none": b"",
    "Straße": b"street",
}


def _tree(data: bytes) -> Tree:
    budget = Budget(Limits(max_read=32 << 20, timeout=10))
    return Tree(mount(Paged(Memory(data), budget), budget), budget)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exfat") / "v"
    return make_exfat(path, FILES, label="ESP", scattered=["EFI/Microsoft/Boot/scattered"])


def test_the_builder_lays_out_what_the_checker_takes(volume: Path) -> None:
    check = subprocess.run(["fsck.exfat", "-n", str(volume)], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr


def test_files_are_read_back(volume: Path) -> None:
    tree = _tree(volume.read_bytes())
    assert (tree.files.name, tree.files.label) == ("exfat", "ESP")
    for path, content in FILES.items():
        assert tree.read(path) == content
        assert tree.read(path.upper() if path.isascii() else path) == content
    assert sorted(name for name, _ in tree.entries("")) == ["EFI", *sorted(FILES)[2:]]
    assert tree.find("EFI/nothing") is None


def test_a_folder_longer_than_a_cluster_is_read_through_its_chain(tmp_path: Path) -> None:
    many = {f"d/file number {number}.text": b"%d" % number for number in range(200)}
    tree = _tree(make_exfat(tmp_path / "v", many).read_bytes())
    assert len(list(tree.entries("d"))) == 200
    assert tree.read("d/FILE NUMBER 199.text") == b"199"


def test_what_was_never_written_reads_as_zeros(tmp_path: Path) -> None:
    path = make_exfat(tmp_path / "v", {"preallocated": b"\xaa" * 9000})
    image = bytearray(path.read_bytes())
    _set_written(image, 5000)
    assert _tree(bytes(image)).read("preallocated") == b"\xaa" * 5000 + bytes(4000)


def test_entries_with_a_wrong_checksum_are_damaged(volume: Path) -> None:
    image = bytearray(volume.read_bytes())
    at = image.index("none".encode("utf-16-le"))
    image[at] ^= 1
    with pytest.raises(Damaged, match="checksum"):
        _tree(bytes(image)).find("none")


def _set_written(image: bytearray, count: int) -> None:
    name = image.index("preallocated".encode("utf-16-le")) - 2
    file = name - 64
    image[name - 32 + 8 : name - 32 + 16] = count.to_bytes(8, "little")
    total = sum_of(bytes(image[file + 4 : file + 96]), sum_of(bytes(image[file : file + 2])))
    image[file + 2 : file + 4] = total.to_bytes(2, "little")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_broken_volume_is_a_problem_or_read_as_it_was(volume: Path, data: st.DataObject) -> None:
    image = bytearray(volume.read_bytes())
    used = [at for at in range(0, 1 << 20, 32) if any(image[at : at + 32])]
    # The heads of blocks are broken as often as all that follows them.
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(used[:40] + used)) + data.draw(st.integers(0, 31))
        image[at] = data.draw(st.integers(0, 255))
    try:
        tree = _tree(bytes(image))
        for path in FILES:
            tree.read(path)
        list(tree.entries(""))
    except DiskProblem:
        pass
