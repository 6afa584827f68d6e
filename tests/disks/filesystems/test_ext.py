"""ext2, ext3 and ext4, compared with debugfs on volumes that mke2fs made."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.ext import mount
from guestclock.disks.filesystems.interface import Kind
from guestclock.disks.problem import Damaged, Encrypted, UnreadFilesystem
from guestclock.disks.source import FileSource, Memory
from guestclock.disks.tree import Tree
from tests.disks.builders.ext import debugfs, debugfs_cat, index_folders, make_ext
from tests.disks.builders.tree import Files, Link
from tests.disks.filesystems.mutation import (
    Patched,
    in_use,
    opened,
    patches,
    sparse,
    survives,
    walk,
)

LARGE = bytes(range(256)) * 4096
FILES: Files = {
    "etc/adjtime": b"0.0 0 0.0\n0\nLOCAL\n",
    "etc/empty": b"",
    "etc/localtime": Link("/usr/share/zoneinfo/Europe/Paris"),
    "etc/" + "n" * 255: b"long name",
    "etc/tiny": b"x" * 100,
    "usr/long": Link("../" * 30 + "etc/adjtime"),
    "usr/edge": Link("l" * 59),
    "usr/beyond": Link("l" * 60),
    "usr/share/\u00e9t\u00e9": b"summer",
    "var/large": LARGE,
    "empty/": b"",
}
MANY: Files = {f"etc/file{number:04}": str(number).encode() for number in range(1500)}
INLINE = ("-O", "inline_data,64bit,metadata_csum", "-I", "512")

VARIANTS = [
    (2, 1024, ()),
    (2, 1024, ("-r", "0")),
    (3, 1024, ()),
    (3, 4096, ()),
    (4, 1024, ()),
    (4, 4096, ()),
    (4, 1024, INLINE),
    (4, 4096, ("-O", "bigalloc,64bit", "-C", "16384")),
    (4, 1024, ("-O", "meta_bg,^resize_inode", "-g", "1024")),
    (4, 1024, ("-O", "meta_bg,64bit,^resize_inode", "-g", "1024")),
    (4, 1024, ("-O", "^64bit,^flex_bg,sparse_super2", "-g", "2048")),
    (4, 65536, ()),
]


def expected(files: Files) -> dict[str, bytes | str]:
    return {
        f"/{path}": content.target if isinstance(content, Link) else content
        for path, content in files.items()
        if not path.endswith("/")
    }


def check_all(path: Path, files: Files, name: str) -> None:
    found = opened(path, mount)
    assert found.name == name
    content = {at: value for at, value in walk(found).items() if value is not None}
    shown = {at: value[: 1 << 16] for at, value in expected(files).items()}
    assert content == shown
    tree = Tree(found, Budget())
    for at, value in expected(files).items():
        if isinstance(value, bytes):
            assert tree.read(at) == value
        else:
            assert tree.target(at) == value
    assert tree.find("etc/nothing") is None


@pytest.mark.parametrize(("version", "block", "options"), VARIANTS)
def test_all_that_mke2fs_laid_out_is_read_back(
    tmp_path: Path, version: int, block: int, options: tuple[str, ...]
) -> None:
    image = make_ext(
        tmp_path / "x", FILES, version=version, block=block, options=options, size=48 << 20
    )
    check_all(image, FILES, f"ext{version}")
    found = Tree(opened(image, mount), Budget())
    for path in ("etc/adjtime", "etc/tiny", "var/large"):
        # Of a file that lies in its inode debugfs shows the zeros that follow it as well.
        content = found.read(path)
        assert content is not None
        shown = debugfs_cat(image, f"/{path}")
        assert shown[: len(content)] == content
        assert not any(shown[len(content) :])


@pytest.mark.parametrize(("version", "options"), [(3, ()), (4, ()), (4, INLINE)])
def test_an_indexed_folder_gives_every_name_and_none_that_it_lacks(
    tmp_path: Path, version: int, options: tuple[str, ...]
) -> None:
    image = make_ext(tmp_path / "x", MANY, version=version, options=options, indexed=True)
    assert b"Root node dump" in debugfs(image, "htree_dump /etc")
    files = opened(image, mount)
    etc = files.lookup(files.root(), "etc")
    assert etc is not None
    assert {f"etc/{name}" for name, _ in files.entries(etc)} == MANY.keys()
    for path, content in MANY.items():
        node = files.lookup(etc, path.removeprefix("etc/"))
        assert node is not None
        assert files.open(node).read_at(0, node.size) == content
    assert files.lookup(etc, "file9999") is None


@pytest.mark.parametrize("hash_name", ["legacy", "half_md4", "tea"])
@pytest.mark.parametrize("flags", [1, 2])
def test_every_hash_of_names_finds_them(tmp_path: Path, hash_name: str, flags: int) -> None:
    names = ["\u00e9" * (number % 40) + f"{number}-" + "y" * (number % 90) for number in range(300)]
    image = make_ext(tmp_path / "x", {f"d/{name}": b"" for name in names})
    version = {"legacy": 0, "half_md4": 1, "tea": 2}[hash_name]
    subprocess.run(
        ["tune2fs", "-E", f"hash_alg={hash_name}", str(image)], check=True, capture_output=True
    )
    debugfs(image, f"set_super_value flags {flags}", write=True)
    index_folders(image)
    files = opened(image, mount)
    folder = files.lookup(files.root(), "d")
    assert folder is not None
    assert f"Hash Version: {version}".encode() in debugfs(image, "htree_dump /d")
    for name in names:
        assert files.lookup(folder, name) is not None, name


def test_an_index_of_two_levels_saves_reading_the_folder(tmp_path: Path) -> None:
    files: Files = {f"etc/{'n' * 200}{number:05}": b"" for number in range(3000)}
    image = make_ext(tmp_path / "x", files, indexed=True, size=40 << 20)
    budget = Budget()
    found = opened(image, mount, budget)
    etc = found.lookup(found.root(), "etc")
    assert etc is not None
    before = budget.spent
    assert found.lookup(etc, f"{'n' * 200}01234") is not None
    assert etc.size > 600_000
    assert budget.spent - before < 40_000
    for number in range(3000):
        assert found.lookup(etc, f"{'n' * 200}{number:05}") is not None


@pytest.mark.parametrize("version", [2, 4])
def test_a_large_sparse_file_reads_as_zero_where_it_has_nothing(
    tmp_path: Path, version: int
) -> None:
    image = make_ext(tmp_path / "x", {"var/log": b"start"}, version=version)
    host = tmp_path / "sparse"
    with host.open("wb") as file:
        for number in range(0, 400, 3):
            file.seek(number * 20_000)
            file.write(f"part {number}".encode())
        file.seek(3 << 30 if version == 4 else 70 << 20)
        file.write(b"the end")
    debugfs(image, f"write {host} var/sparse", write=True)
    source = Tree(opened(image, mount), Budget()).open("var/sparse")
    assert source is not None
    assert source.size == host.stat().st_size
    assert source.read_at(source.size - 10, 10) == b"\0\0\0the end"
    with host.open("rb") as file:
        assert source.read_at(0, 8_000_000) == file.read(8_000_000)


def test_unwritten_extents_read_as_zero(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", {"file": b"A" * 4096})
    debugfs(image, "fallocate /file 4 9", "set_inode_field /file size 10240", write=True)
    assert b"Uninit" in debugfs(image, "dump_extents /file")
    assert Tree(opened(image, mount), Budget()).read("file") == b"A" * 4096 + bytes(6144)


def test_an_inline_folder_and_its_files_need_no_block(tmp_path: Path) -> None:
    files: Files = {"d/one": b"1" * 60, "d/two": b"2" * 200, "d/three": Link("t" * 70)}
    image = make_ext(tmp_path / "x", files, options=INLINE)
    tree = Tree(opened(image, mount), Budget())
    assert tree.read("d/one") == b"1" * 60
    assert tree.read("d/two") == b"2" * 200
    assert tree.target("d/three") == "t" * 70
    assert sorted(name for name, _ in tree.entries("d")) == ["one", "three", "two"]


def test_a_folder_that_takes_names_in_any_case(tmp_path: Path) -> None:
    options = ("-O", "casefold", "-E", "encoding=utf8")
    image = make_ext(tmp_path / "x", {"Etc/AdjTime": b"UTC"}, options=options)
    # EXT4_CASEFOLD_FL beside the flag of extents.
    debugfs(image, "set_inode_field /Etc flags 0x40080000", write=True)
    tree = Tree(opened(image, mount), Budget())
    assert tree.read("Etc/aDJtIME") == b"UTC"
    assert tree.find("etc/adjtime") is None


def test_encrypted_files_and_folders_say_so(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", {"d/x": b"UTC", "e": b"secret"}, options=("-O", "encrypt"))
    debugfs(image, "set_inode_field /d flags 0x80800", write=True)
    debugfs(image, "set_inode_field /e flags 0x80800", write=True)
    tree = Tree(opened(image, mount), Budget())
    for path in ("d/x", "e"):
        with pytest.raises(Encrypted, match="fscrypt"):
            tree.read(path)


def test_what_the_superblock_says_of_itself(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", FILES, label="root")
    assert opened(image, mount).label == "root"
    assert opened(image, mount).warnings == ()
    debugfs(image, "feature needs_recovery", "set_super_value state 3", write=True)
    warnings = opened(image, mount).warnings
    assert any("journal was not replayed" in line for line in warnings)
    assert any("errors" in line for line in warnings)


def test_a_broken_superblock_is_read_from_its_copy(tmp_path: Path) -> None:
    # Each has a second group, of which the copy is: a group has 8 * block blocks.
    for block in (1024, 2048, 4096):
        image = make_ext(
            tmp_path / f"x{block}", FILES, block=block, size=max(24 << 20, 10 * block * block)
        )
        with image.open("r+b") as file:
            file.seek(1024 + 0x20)
            file.write(b"\xff" * 8)
        found = opened(image, mount)
        assert any("a copy" in line for line in found.warnings)
        assert Tree(found, Budget()).read("etc/adjtime") == FILES["etc/adjtime"]


def test_without_a_superblock_there_is_none_even_if_its_copies_are_there(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", FILES)
    with image.open("r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))
    volume = sparse(image)
    assert mount(volume, Budget()) is None
    assert mount(Memory(b""), Budget()) is None


def patched(image: Path, at: int, new: bytes) -> Patched:
    return Patched(sparse(image), [(at, new)])


def test_features_that_are_not_read_are_named(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", FILES, options=("-O", "^metadata_csum"))
    (incompatible,) = struct.unpack("<I", sparse(image).read_at(1024 + 0x60, 4))
    for bit, words in ((0x1, "compression"), (0x8, "journal device"), (0x80000000, "0x80000000")):
        volume = patched(image, 1024 + 0x60, struct.pack("<I", incompatible | bit))
        with pytest.raises(UnreadFilesystem, match=words):
            mount(volume, Budget())


def test_a_name_of_a_free_inode_is_damage(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", {"gone": b"x"})
    debugfs(image, "set_inode_field /gone links_count 0", write=True)
    files = opened(image, mount)
    with pytest.raises(Damaged, match="not in use"):
        files.lookup(files.root(), "gone")


def test_an_extent_tree_that_is_deeper_than_any_is_damage(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", {"file": b"x" * 5000})
    debugfs(image, "set_inode_field /file block[1] 0x00090004", write=True)
    files = opened(image, mount)
    node = files.lookup(files.root(), "file")
    assert node is not None
    with pytest.raises(Damaged, match="header"):
        files.open(node).read_at(0, 1)


def test_a_file_is_found_with_few_reads(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", FILES, block=4096, size=64 << 20)
    budget = Budget()
    tree = Tree(opened(image, mount, budget), budget)
    assert tree.read("etc/adjtime") == FILES["etc/adjtime"]
    # Superblock, descriptor, two pages of inodes, two folders and the file.
    assert budget.spent <= 7 * 4096


def test_the_kinds_and_times_of_nodes(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", FILES)
    debugfs(image, "set_inode_field /etc/adjtime mtime @1700000000", write=True)
    debugfs(image, "mknod pipe p", write=True)
    tree = Tree(opened(image, mount), Budget())
    node = tree.find("etc/adjtime")
    assert node is not None
    assert node.modified == 1700000000
    pipe = tree.find("pipe")
    assert pipe is not None
    assert pipe.kind is Kind.OTHER


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Memory, list[int]]]:
    folder = tmp_path_factory.mktemp("ext")
    files: Files = {**FILES, **{f"many/{'m' * 60}{number}": b"" for number in range(60)}}
    sets = [
        (2, ("-b", "1024")),
        (4, INLINE),
        (4, ("-O", "^metadata_csum")),
    ]
    made = [
        make_ext(
            folder / f"x{number}", files, version=version, options=options, size=4 << 20,
            indexed=True,
        )
        for number, (version, options) in enumerate(sets)
    ]  # fmt: skip
    return [(sparse(path), in_use(path)) for path in made]


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_change_of_bytes_raises_anything_but_a_problem(
    small: list[tuple[Memory, list[int]]], data: st.DataObject
) -> None:
    volume, places = data.draw(st.sampled_from(small))
    # The large file's contents are most of the volume and say nothing.
    places = [at for at in places if volume.read_at(at, 256) != LARGE[:256]]
    changed = Patched(volume, data.draw(patches(places)))
    survives(mount, changed, ["etc/adjtime", "many/" + "m" * 60 + "7", "usr/long"])


def test_a_volume_that_was_cut_short_is_damaged(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", FILES)
    with image.open("r+b") as file:
        file.truncate(1024 + 1024)
    with image.open("rb") as file, pytest.raises(Damaged):
        mount(FileSource(file.fileno()), Budget())
