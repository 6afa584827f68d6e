"""Btrfs, compared with `btrfs restore` on volumes that mkfs.btrfs made."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget
from guestclock.disks.compression.crc32c import crc32c
from guestclock.disks.filesystems.btrfs import mount
from guestclock.disks.filesystems.btrfs.folder import name_hash
from guestclock.disks.filesystems.interface import Kind
from guestclock.disks.problem import Damaged, DiskProblem, Encrypted, UnreadFilesystem
from guestclock.disks.source import Memory, Source
from guestclock.disks.tree import Tree
from tests.disks.builders.btrfs import items, leaves, make_btrfs, physical, restore
from tests.disks.builders.tree import Files, Link
from tests.disks.filesystems.mutation import Large, Patched, opened, patches, survives, walk

SUPER = 64 << 10
LARGE = bytes(range(256)) * 4096
ONE = LARGE[: 64 << 10]
"""What mkfs.btrfs lays out as one extent."""
MIXED = random.Random(3).randbytes(9_000) + bytes(30_000) + b"0.0 0 0.0\n0\nLOCAL\n" * 4000
FILES: Files = {
    "etc/adjtime": b"0.0 0 0.0\n0\nLOCAL\n" * 20,
    "etc/empty": b"",
    "etc/localtime": Link("/usr/share/zoneinfo/Europe/Paris"),
    "etc/" + "n" * 255: b"long name",
    "usr/link": Link("../" * 40 + "etc/adjtime"),
    "usr/share/\u00e9t\u00e9": b"summer",
    "usr/share/zoneinfo": MIXED,
    "var/large": LARGE,
    "empty/": b"",
}
VARIANTS = [
    ("-m", "single"),
    ("-m", "dup"),
    ("-m", "dup", "-d", "dup"),
    ("--mixed", "-n", "4096"),
    ("-m", "single", "-n", "65536"),
    ("-m", "single", "--csum", "xxhash"),
    ("-m", "single", "--csum", "sha256"),
    ("-m", "single", "--csum", "blake2"),
    ("-m", "single", "-O", "^no-holes,^skinny-metadata,^extref"),
]


def check_all(image: Path) -> None:
    files = opened(image, mount)
    found = {path: value for path, value in walk(files).items() if value is not None}
    assert found == {
        f"/{path}": content.target if isinstance(content, Link) else content[: 1 << 16]
        for path, content in FILES.items()
        if not path.endswith("/")
    }
    tree = Tree(files, Budget())
    assert tree.read("var/large") == LARGE
    assert tree.read("usr/share/zoneinfo") == MIXED
    assert tree.read("usr/link") == FILES["etc/adjtime"]
    assert tree.find("etc/nothing") is None


@pytest.mark.parametrize("options", VARIANTS)
def test_all_that_mkfs_laid_out_is_read_back(tmp_path: Path, options: tuple[str, ...]) -> None:
    check_all(make_btrfs(tmp_path / "x", FILES, options=options))


@pytest.mark.parametrize("compress", ["zlib", "lzo", "zstd"])
def test_compressed_extents_are_read_as_btrfs_restore_reads_them(
    tmp_path: Path, compress: str
) -> None:
    files: Files = {f"d/f{number}": MIXED[: 500 + 9000 * number] for number in range(9)}
    files = {**files, "small": b"LOCAL\n" * 100, "tail": MIXED[-70_000:]}
    image = make_btrfs(tmp_path / "x", files, compress=compress)
    kind = {"zlib": 1, "lzo": 2, "zstd": 3}[compress]
    kinds = {data[at + 16] for _, data, at in extents(image)}
    assert kind in kinds
    restored = restore(image, tmp_path / "out")
    tree = Tree(opened(image, mount), Budget())
    for path, content in files.items():
        assert tree.read(path) == content, path
        assert (restored / path).read_bytes() == content
    source = tree.open("tail")
    assert source is not None
    assert source.read_at(40_000, 5_000) == MIXED[-30_000:-25_000]


def extents(image: Path) -> list[tuple[int, bytes, int]]:
    """Each extent's leaf, its bytes, and where the extent's item is in it."""
    volume = Large(image)
    found = []
    for leaf in leaves(image):
        data = volume.read_at(leaf, 16384)
        found += [(leaf, data, at) for key, at, _ in items(data) if key[1] == 108]
    return found


def test_many_names_are_found_by_their_hash_in_a_deep_tree(tmp_path: Path) -> None:
    files: Files = {f"etc/file{number:05}": b"%d" % number for number in range(3000)}
    image = make_btrfs(tmp_path / "x", files)
    budget = Budget()
    reader = opened(image, mount, budget)
    etc = reader.lookup(reader.root(), "etc")
    assert etc is not None
    before = budget.spent
    assert reader.lookup(etc, "file01234") is not None
    # Two nodes of a name, two of an inode.
    assert budget.spent - before <= 4 * 16384
    assert {f"etc/{name}" for name, _ in reader.entries(etc)} == files.keys()
    for path, content in list(files.items())[::17]:
        node = reader.lookup(etc, path.removeprefix("etc/"))
        assert node is not None
        assert reader.open(node).read_at(0, node.size) == content
    assert reader.lookup(etc, "file99999") is None


def test_the_hash_of_a_name_is_the_kernels() -> None:
    # As `btrfs inspect-internal dump-tree` shows it for the default subvolume.
    assert name_hash(b"default") == 2378154706


def test_a_hole_reads_as_zero(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", {"file": ONE})
    ((leaf, data, at),) = extents(image)
    key_at = next(
        101 + 25 * number for number, (key, _, _) in enumerate(items(data)) if key[1] == 108
    )
    # The extent begins later, and shorter, than the file: there is nothing on both its sides.
    volume = Patched(
        Large(image),
        [
            (leaf + key_at + 9, struct.pack("<Q", 8192)),
            (leaf + at + 45, struct.pack("<Q", 4096)),
        ],
    )
    files = mount(volume, Budget())
    assert files is not None
    source = Tree(files, Budget()).open("file")
    assert source is not None
    assert source.read_at(0, 20_000) == bytes(8192) + ONE[:4096] + bytes(20_000 - 12_288)
    assert source.read_at(len(ONE) - 9, 9) == bytes(9)


@pytest.mark.parametrize(
    ("offset", "new", "kind", "words"),
    [
        (17, b"\1", Encrypted, "encrypted"),
        (20, b"\7", UnreadFilesystem, "kind 7"),
        (16, b"\7", UnreadFilesystem, "compression of kind 7"),
        (16, b"\1", Damaged, "zlib stream"),
        (8, (1 << 40).to_bytes(8, "little") + b"\1", Damaged, "too large"),
        (45, bytes(8), Damaged, "empty"),
        (37, b"\0\0\0\0\1", Damaged, "longer than its space"),
        (21, b"\0\0\0\0\0\0\0\1", Damaged, "no chunk"),
    ],
)
def test_an_extent_that_is_not_understood_is_a_problem(
    tmp_path: Path, offset: int, new: bytes, kind: type[DiskProblem], words: str
) -> None:
    image = make_btrfs(tmp_path / "x", {"file": ONE})
    ((leaf, _, at),) = extents(image)
    files = mount(Patched(Large(image), [(leaf + at + offset, new)]), Budget())
    assert files is not None
    with pytest.raises(kind, match=words):
        Tree(files, Budget()).read("file")


def test_an_unwritten_extent_reads_as_zero(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", {"file": ONE})
    ((leaf, _, at),) = extents(image)
    files = mount(Patched(Large(image), [(leaf + at + 20, b"\2")]), Budget())
    assert files is not None
    assert Tree(files, Budget()).read("file") == bytes(len(ONE))


def test_a_file_is_found_with_few_reads(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", FILES)
    budget = Budget()
    tree = Tree(opened(image, mount, budget), budget)
    assert tree.read("etc/adjtime") == FILES["etc/adjtime"]
    # The superblock, and a node of each of the trees of chunks, roots and files.
    assert budget.spent <= 4096 + 3 * 16384


def changed_super(image: Path, *changes: tuple[int, bytes], place: int = SUPER) -> Source:
    """The volume with bytes of a superblock changed and its sum made right again."""
    changed = Patched(Large(image), [(place + at, new) for at, new in changes])
    data = changed.read_at(place, 4096)
    return Patched(changed, [(place, crc32c(data[32:]).to_bytes(4, "little"))])


def test_features_that_are_not_read_are_named(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", FILES)
    for bit, words in (
        (0x1000, "zones"),
        (0x2000, "extent tree v2"),
        (0x4000, "tree of stripes"),
        (1 << 40, "0x10000000000"),
    ):
        with pytest.raises(UnreadFilesystem, match=words):
            mount(changed_super(image, (0xBC, struct.pack("<Q", bit))), Budget())
    with pytest.raises(UnreadFilesystem, match="kind 9"):
        mount(changed_super(image, (0xC4, b"\x09")), Budget())


def test_the_label_and_a_log_that_waits(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", FILES, label="root")
    files = opened(image, mount)
    assert (files.name, files.label, files.warnings) == ("btrfs", "root", ())
    waiting = mount(changed_super(image, (0x60, b"\0\0\1")), Budget())
    assert waiting is not None
    assert any("log was not replayed" in line for line in waiting.warnings)


def test_a_broken_superblock_is_read_from_its_mirror(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", FILES)
    files = mount(Patched(Large(image), [(SUPER + 0x50, b"\xff")]), Budget())
    assert files is not None
    assert any("mirror" in line for line in files.warnings)
    assert Tree(files, Budget()).read("etc/adjtime") == FILES["etc/adjtime"]


def test_without_a_superblock_there_is_none_even_if_its_mirror_is_there(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", FILES)
    assert mount(Patched(Large(image), [(SUPER, bytes(4096))]), Budget()) is None
    assert mount(Memory(bytes(70_000)), Budget()) is None


def devices(tmp_path: Path, profile: str, count: int) -> list[Path]:
    """Devices of one empty file system: mkfs.btrfs puts files on a single one only."""
    images = [tmp_path / f"device{number}" for number in range(count)]
    for image in images:
        with image.open("wb") as file:
            file.truncate(128 << 20)
    command = ["mkfs.btrfs", "-q", "-m", profile, "-d", profile, *map(str, images)]
    subprocess.run(command, capture_output=True, check=True)
    return images


@pytest.mark.parametrize(("profile", "count"), [("raid1", 2), ("raid1c3", 3), ("raid1c4", 4)])
def test_each_device_of_a_mirror_can_be_read_alone(
    tmp_path: Path, profile: str, count: int
) -> None:
    for image in devices(tmp_path, profile, count):
        assert list(Tree(opened(image, mount), Budget()).entries("")) == []


def test_a_part_that_is_on_another_device_is_named(tmp_path: Path) -> None:
    whole, rest = devices(tmp_path, "single", 2)
    assert opened(whole, mount).root().kind is Kind.FOLDER
    with pytest.raises(UnreadFilesystem, match="over 2 devices"):
        opened(rest, mount)


@pytest.mark.parametrize(("profile", "count"), [("raid0", 2), ("raid10", 4), ("raid5", 3)])
def test_striped_devices_are_named(tmp_path: Path, profile: str, count: int) -> None:
    with pytest.raises(UnreadFilesystem, match=f"striped .{profile}."):
        opened(devices(tmp_path, profile, count)[0], mount)


def test_a_node_of_another_generation_or_place_is_damage(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", FILES)
    leaf = leaves(image)[0]
    for offset in (0x20, 0x30, 0x50, 0x64):
        with pytest.raises(Damaged, match="another node"):
            mount(Patched(Large(image), [(leaf + offset, b"\xfe")]), Budget())


def test_the_kinds_and_times_of_nodes(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", FILES)
    tree = Tree(opened(image, mount), Budget())
    node = tree.find("etc/adjtime")
    assert node is not None
    assert node.kind is Kind.FILE
    assert node.modified is not None
    assert abs(node.modified - image.stat().st_mtime) < 600


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, list[int]]:
    folder = tmp_path_factory.mktemp("btrfs")
    files: Files = {**FILES, **{f"many/file{number}": b"%d" % number for number in range(120)}}
    image = make_btrfs(folder / "x", files, compress="lzo")
    volume = Large(image)
    roots, chunks = struct.unpack("<QQ", volume.read_at(SUPER + 0x50, 16))
    places = set(range(SUPER, SUPER + 4096, 512))
    for node in (physical(image, roots), physical(image, chunks), *leaves(image)):
        places.update(
            at for at in range(node, node + 16384, 512) if volume.read_at(at, 512) != bytes(512)
        )
    for _, data, at in extents(image):
        address = int.from_bytes(data[at + 21 : at + 29], "little")
        if data[at + 20] and data[at + 16]:
            places.add(physical(image, address))
    return volume, sorted(places)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_change_of_bytes_raises_anything_but_a_problem(
    small: tuple[Source, list[int]], data: st.DataObject
) -> None:
    volume, places = small
    changed = Patched(volume, data.draw(patches(places)))
    top = changed.read_at(SUPER, 4096)
    whole = Patched(changed, [(SUPER, crc32c(top[32:]).to_bytes(4, "little"))])
    survives(mount, whole, ["etc/adjtime", "usr/share/zoneinfo", "many/file77", "usr/link"])
