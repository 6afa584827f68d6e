"""FAT: what mkfs.fat and mtools wrote is read back, and broken volumes do no harm."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.filesystems.fat import mount
from guestclock.disks.problem import DiskProblem
from guestclock.disks.source import Memory, Paged
from guestclock.disks.tree import Tree
from tests.disks.builders.fat import make_fat

FILES = {
    "EFI/Microsoft/Boot/BCD": Random(1).randbytes(30_000),
    "EFI/BOOT/BOOTX64.EFI": b"MZ",
    "a rather long name with spaces.text": b"long",
    "none": b"",
}


def _tree(data: bytes) -> Tree:
    budget = Budget(Limits(max_read=32 << 20, timeout=10))
    files = mount(Paged(Memory(data), budget), budget)
    if files is None:
        raise DiskProblem("no FAT")
    return Tree(files, budget)


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_files_are_read_back(bits: int, tmp_path: Path) -> None:
    tree = _tree(make_fat(tmp_path / "v", FILES, bits, label="ESP").read_bytes())
    assert tree.files.name == f"fat{bits}"
    assert tree.files.label == "ESP"
    for path, content in FILES.items():
        assert tree.read(path) == content
        assert tree.read(path.swapcase()) == content
    assert sorted(name for name, _ in tree.entries("")) == ["EFI", *sorted(FILES)[2:]]
    assert tree.find("EFI/nothing") is None


def test_a_large_folder_is_read_through_its_chain(tmp_path: Path) -> None:
    many = {f"d/file number {number}.text": b"%d" % number for number in range(300)}
    tree = _tree(make_fat(tmp_path / "v", many, 16).read_bytes())
    assert len(list(tree.entries("d"))) == 300
    assert tree.read("d/FILE NUMBER 299.text") == b"299"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_fat(tmp_path_factory.mktemp("fat") / "v", FILES, 12).read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_broken_volume_is_a_problem_and_nothing_else(small: bytes, data: st.DataObject) -> None:
    used = [at for at in range(0, len(small), 32) if any(small[at : at + 32])]
    image = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(used)) + data.draw(st.integers(0, 31))
        image[at] = data.draw(st.integers(0, 255))
    try:
        tree = _tree(bytes(image))
        for path in FILES:
            tree.read(path)
        list(tree.entries(""))
    except DiskProblem:
        pass
