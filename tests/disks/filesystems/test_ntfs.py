"""NTFS: what mkntfs and libntfs-3g wrote is read back, and broken volumes do no harm."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.filesystems.ntfs import mount
from guestclock.disks.problem import DiskProblem
from guestclock.disks.source import FileSource, Memory, Paged, Source
from guestclock.disks.tree import Tree
from tests.disks.builders.ntfs import NoSpace, format_ntfs, make_ntfs, opened

HIVE = "Windows/System32/config/SYSTEM"


def _tree(source: Source, budget: Budget | None = None) -> Tree:
    budget = budget or Budget()
    files = mount(Paged(source, budget), budget)
    assert files is not None
    return Tree(files, budget)


def _open(path: Path) -> Tree:
    return _tree(Memory(path.read_bytes()))


def _noise(size: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(size)


@pytest.mark.parametrize("cluster", [512, 4096, 65536])
def test_files_are_read_back(tmp_path: Path, cluster: int) -> None:
    files = {HIVE: _noise(300_000), "Windows/win.ini": b"small", "Windows/none": b""}
    tree = _open(make_ntfs(tmp_path / "v", files, cluster=cluster, label="System"))
    for path, content in files.items():
        assert tree.read(path) == content
    assert tree.files.label == "System"
    assert tree.files.warnings == ()


def test_sectors_of_4096_bytes(tmp_path: Path) -> None:
    image = make_ntfs(tmp_path / "v", {HIVE: _noise(9000)}, sector=4096)
    assert _open(image).read(HIVE) == _noise(9000)


def test_names_are_found_in_any_case(tmp_path: Path) -> None:
    tree = _open(make_ntfs(tmp_path / "v", {"Grüße/Ärger.txt": b"x", HIVE: b"y"}))
    assert tree.read("GRÜSSE/x") is None
    assert tree.read("grÜßE/äRGER.TXT") == b"x"
    assert tree.read(HIVE.lower()) == b"y"
    assert tree.read("Windows/System33/config") is None


def test_a_large_folder_is_a_tree(tmp_path: Path) -> None:
    names = [f"file number {number:05}.txt" for number in range(3000)]
    image = make_ntfs(tmp_path / "v", {f"many/{name}": name.encode() for name in names})
    tree = _open(image)
    assert [name for name, _ in tree.entries("many")] == sorted(names)
    for name in names[::97]:
        assert tree.read(f"many/{name.upper()}") == name.encode()
    budget = Budget()
    assert _tree(FileSource(image.open("rb").fileno()), budget).read(f"many/{names[1500]}")
    assert budget.spent < 64 << 10


def test_compressed_files_are_unpacked(tmp_path: Path) -> None:
    text = b"".join(b"line %d of a text that compresses well\n" % one for one in range(9000))
    files = {"packed/text": text, "packed/noise": _noise(200_000)}
    image = make_ntfs(tmp_path / "v", files, compressed=["packed"])
    tree = _open(image)
    for path, content in files.items():
        assert tree.read(path) == content
    node = tree.find("packed/text")
    assert node is not None
    assert tree.files.open(node).read_at(123_456, 99) == text[123_456 : 123_456 + 99]


def test_a_file_in_many_pieces_has_a_list_of_attributes(tmp_path: Path) -> None:
    image = format_ntfs(tmp_path / "v", 8 << 20)
    filler = 0
    with opened(image) as volume:
        volume.write("reserve", bytes(1 << 18))
        try:
            while filler < 4000:
                volume.write(f"filler/{filler}", b"x" * 4096)
                filler += 1
        except NoSpace:
            pass
    with opened(image) as volume:
        # Deleting takes clusters too, before it gives any back.
        volume.delete("reserve")
        for number in range(filler):
            if number % 4 < 2:
                volume.delete(f"filler/{number}")
    content = _noise(2_000_000)
    with opened(image) as volume:
        volume.write(HIVE, content, step=4096)
    assert _open(image).read(HIVE) == content
    shown = subprocess.run(["ntfscat", str(image), HIVE], check=True, capture_output=True).stdout
    assert shown == content


def test_the_copy_of_a_lost_boot_sector_is_taken(tmp_path: Path) -> None:
    image = make_ntfs(tmp_path / "v", {HIVE: b"here"})
    data = bytearray(image.read_bytes())
    data[11:24] = bytes(13)
    assert _tree(Memory(bytes(data))).read(HIVE) == b"here"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    files = {HIVE: _noise(9000), "Windows/x": b"tiny"}
    return make_ntfs(tmp_path_factory.mktemp("ntfs") / "v", files, size=2 << 20).read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_broken_volume_is_a_problem_and_nothing_else(small: bytes, data: st.DataObject) -> None:
    used = [at for at in range(0, len(small), 512) if any(small[at : at + 512])]
    image = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(used)) + data.draw(st.integers(0, 511))
        image[at] = data.draw(st.integers(0, 255))
    budget = Budget(Limits(max_read=32 << 20, timeout=10))
    try:
        files = mount(Paged(Memory(bytes(image)), budget), budget)
        if files is None:
            return
        tree = Tree(files, budget)
        tree.read(HIVE)
        for name, _ in tree.entries("Windows"):
            tree.read(f"Windows/{name}")
    except DiskProblem:
        pass
