"""XFS, compared with what went into volumes that mkfs.xfs made, and with xfs_db."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget
from guestclock.disks.compression.crc32c import crc32c
from guestclock.disks.filesystems.interface import Kind
from guestclock.disks.filesystems.xfs import mount
from guestclock.disks.filesystems.xfs.index import name_hash
from guestclock.disks.problem import Damaged, UnreadFilesystem
from guestclock.disks.source import Memory, Source
from guestclock.disks.tree import Tree
from tests.disks.builders.tree import Files, Link
from tests.disks.builders.xfs import make_xfs, xfs_db
from tests.disks.filesystems.mutation import Large, Patched, opened, patches, survives, walk

LARGE = bytes(range(256)) * 4096
FILES: Files = {
    "etc/adjtime": b"0.0 0 0.0\n0\nLOCAL\n",
    "etc/empty": b"",
    "etc/localtime": Link("/usr/share/zoneinfo/Europe/Paris"),
    "etc/" + "n" * 255: b"long name",
    "usr/link": Link("../" * 40 + "etc/adjtime"),
    "usr/share/\u00e9t\u00e9": b"summer",
    "var/large": LARGE,
    "empty/": b"",
}
VARIANTS = [
    (5, ()),
    (4, ()),
    (4, ("-n", "ftype=0")),
    (5, ("-b", "size=1024")),
    (5, ("-m", "bigtime=1,inobtcount=1")),
    (5, ("-m", "bigtime=0,inobtcount=0,reflink=0", "-i", "nrext64=0")),
    (5, ("-s", "size=4096")),
    (5, ("-i", "size=2048", "-n", "size=65536")),
    (4, ("-b", "size=512", "-i", "size=256", "-n", "size=4096")),
    (5, ("-i", "nrext64=1")),
]


def folder_of(count: int, length: int = 0) -> Files:
    return {f"etc/file{number:05}{'x' * length}": b"%d" % number for number in range(count)}


@pytest.mark.parametrize(("version", "options"), VARIANTS)
def test_all_that_mkfs_laid_out_is_read_back(
    tmp_path: Path, version: int, options: tuple[str, ...]
) -> None:
    image = make_xfs(tmp_path / "x", FILES, version=version, options=options)
    files = opened(image, mount)
    found = {path: value for path, value in walk(files).items() if value is not None}
    assert found == {
        f"/{path}": content.target if isinstance(content, Link) else content[: 1 << 16]
        for path, content in FILES.items()
        if not path.endswith("/")
    }
    tree = Tree(files, Budget())
    assert tree.read("var/large") == LARGE
    assert tree.read("usr/link") == FILES["etc/adjtime"]
    assert tree.find("etc/nothing") is None


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize(
    ("count", "form"), [(2, "local"), (40, "block"), (300, "leaf"), (1500, "node")]
)
def test_every_form_of_folder_gives_every_name_and_none_that_it_lacks(
    tmp_path: Path, version: int, count: int, form: str
) -> None:
    files = folder_of(count)
    image = make_xfs(tmp_path / "x", files, version=version)
    reader = opened(image, mount)
    etc = reader.lookup(reader.root(), "etc")
    assert etc is not None
    shape = xfs_db(image, f"inode {etc.key}", "print core.format core.nextents")
    assert ("local" in shape) == (form == "local")
    if form == "node":
        # The top of the index is a node of hashes, not a leaf of names.
        magic = xfs_db(image, f"inode {etc.key}", "dblock 8388608", "print")
        assert "nhdr" in magic
    assert {f"etc/{name}" for name, _ in reader.entries(etc)} == files.keys()
    for path, content in files.items():
        node = reader.lookup(etc, path.removeprefix("etc/"))
        assert node is not None, path
        assert reader.open(node).read_at(0, node.size) == content
    for name in ("nothing", "file99999", "f", "file00001x"):
        assert reader.lookup(etc, name) is None


def test_the_hash_of_a_name_is_that_of_xfs_db(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", {})
    names = ["a", "ab", "abc", "adjtime", "localtime", "\u00e9t\u00e9", "x" * 255]
    for name in names:
        assert int(xfs_db(image, f"hash {name}"), 16) == name_hash(name.encode())


def colliding(count: int) -> list[str]:
    """Names of one hash: a bit of the first four letters is undone by one of the next four."""
    names = [""]
    while len(names) < count:
        names = [name + piece for name in names for piece in ("aaaaaaab", "aaaqaaac")]
    return names


@pytest.mark.parametrize("version", [4, 5])
def test_a_name_is_told_from_all_others_of_its_hash(tmp_path: Path, version: int) -> None:
    # More than the leaves of an index that one name would lead to.
    names = colliding(1024)
    assert len({name_hash(name.encode()) for name in names}) == 1
    files = {f"d/{name}": name[-8:].encode() for name in names}
    image = make_xfs(tmp_path / "x", files, version=version)
    tree = Tree(opened(image, mount), Budget())
    for name in names[::31]:
        assert tree.read(f"d/{name}") == name[-8:].encode()
        assert tree.find(f"d/{name}x") is None
    assert tree.find("d/" + "aaaaaaab" * 9 + "aaaqaaab") is None


@pytest.mark.parametrize("version", [4, 5])
def test_a_map_too_large_for_its_inode_is_a_tree(tmp_path: Path, version: int) -> None:
    image = make_xfs(tmp_path / "x", {"file": LARGE}, version=version)
    reader = opened(image, mount)
    node = reader.lookup(reader.root(), "file")
    assert node is not None
    first = int(re.findall(r"\d+", xfs_db(image, f"inode {node.key}", "dblock 0", "fsblock"))[0])
    inode = byte(image, f"inode {node.key}")
    # Each other block of the file, backwards, and then an unwritten one; nodes lie in its rest.
    extents = [(2 * number, first + 200 - number, 1, False) for number in range(100)]
    extents.append((300, first, 5, True))
    leaves = [extents[:60], extents[60:]]
    changes = []
    for number, leaf in enumerate(leaves):
        block = first + 240 + number
        at = byte(image, f"fsblock {block}")
        changes.append((at, map_node(image, version, 0, at, node.key, packed(leaf), len(leaf))))
    keys = b"".join(leaf[0][0].to_bytes(8, "big") for leaf in leaves)
    pointers = b"".join((first + 240 + number).to_bytes(8, "big") for number in range(2))
    start = 176 if version == 5 else 100
    room = (len(bytes_at(image, inode, 256 if version == 4 else 512)) - start - 4) // 16
    fork = b"\0\1\0\2" + keys.ljust(room * 8, b"\0") + pointers
    changes += [(inode + 5, b"\3"), (inode + start, fork)]
    files = mount(Patched(Large(image), changes), Budget())
    assert files is not None
    source = files.open(node)
    for block, place, _, _ in extents[:100]:
        past = (place - first) * 4096
        assert source.read_at(block * 4096, 8192) == LARGE[past : past + 4096] + bytes(4096)
    assert source.size == len(LARGE)
    assert source.read_at(255 * 4096, 4096) == bytes(4096)


def packed(extents: list[tuple[int, int, int, bool]]) -> bytes:
    return b"".join(
        (unwritten << 127 | block << 73 | place << 21 | count).to_bytes(16, "big")
        for block, place, count, unwritten in extents
    )


def map_node(
    image: Path, version: int, level: int, at: int, inode: int, content: bytes, count: int
) -> bytes:
    siblings = b"\xff" * 16
    head = (b"BMA3" if version == 5 else b"BMAP") + level.to_bytes(2, "big")
    head += count.to_bytes(2, "big") + siblings
    if version == 5:
        head += (at // 512).to_bytes(8, "big") + bytes(8) + bytes_at(image, 32, 16)
        head += inode.to_bytes(8, "big") + bytes(8)
    return (head + content).ljust(4096, b"\0")


def byte(image: Path, what: str) -> int:
    """The byte of the volume at which something lies."""
    found = re.search(r"\((\d+)\)", xfs_db(image, f"convert {what} byte"))
    assert found is not None
    return int(found[1])


def test_large_blocks_of_folders_are_read_only_in_part(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", folder_of(2500), options=("-n", "size=65536"))
    budget = Budget()
    tree = Tree(opened(image, mount, budget), budget)
    before = budget.spent
    assert tree.read("etc/file01234") == b"1234"
    assert budget.spent - before < 180_000


def test_a_file_is_found_with_few_reads(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", FILES)
    budget = Budget()
    reader = opened(image, mount, budget)
    before = budget.spent
    assert Tree(reader, budget).read("etc/adjtime") == FILES["etc/adjtime"]
    # Inodes in two pages, one block of the folder, the file.
    assert budget.spent - before <= 5 * 4096
    assert before <= 30 * 4096


def test_the_label_and_a_log_that_was_closed(tmp_path: Path) -> None:
    for version in (4, 5):
        reader = opened(make_xfs(tmp_path / "x", FILES, version=version, label="root"), mount)
        assert (reader.name, reader.label, reader.warnings) == ("xfs", "root", ())


def bytes_at(image: Path, place: int, count: int) -> bytes:
    with image.open("rb") as file:
        file.seek(place)
        return file.read(count)


def log_start(image: Path) -> int:
    found = re.search(r"logstart = (\d+)", xfs_db(image, "sb 0", "print logstart"))
    assert found is not None
    return byte(image, f"fsblock {found[1]}")


def test_a_log_that_was_not_closed_is_a_warning(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", FILES)
    at = log_start(image)
    assert bytes_at(image, at, 4) == bytes.fromhex("feedbabe")
    flags = bytes_at(image, at + 512 + 9, 1)[0]
    assert flags & 0x20
    with image.open("r+b") as file:
        file.seek(at + 512 + 9)
        file.write(bytes([flags & ~0x20]))
    assert any("log was not replayed" in line for line in opened(image, mount).warnings)


def patched(image: Path, *changes: tuple[int, bytes], fix: bool = True) -> Source:
    """The volume with bytes of its superblock changed and its sum made right again."""
    changed = Patched(Large(image), list(changes))
    if not fix:
        return changed
    data = bytearray(changed.read_at(0, 512))
    data[224:228] = bytes(4)
    return Patched(changed, [(224, crc32c(bytes(data)).to_bytes(4, "little"))])


def test_features_that_are_not_read_are_named(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", FILES)
    features = int.from_bytes(bytes_at(image, 216, 4), "big")
    for bit, words in ((0x100, "folder of metadata"), (0x200, "zones"), (1 << 31, "0x80000000")):
        volume = patched(image, (216, (features | bit).to_bytes(4, "big")))
        with pytest.raises(UnreadFilesystem, match=words):
            mount(volume, Budget())
    with pytest.raises(UnreadFilesystem, match="version 3"):
        mount(patched(image, (100, b"\x20\x03")), Budget())
    repaired = mount(patched(image, (216, (features | 0x10).to_bytes(4, "big"))), Budget())
    assert repaired is not None
    assert any("repair" in line for line in repaired.warnings)


def test_a_superblock_with_a_wrong_sum_is_damage(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", FILES)
    with pytest.raises(Damaged, match="checksum"):
        mount(patched(image, (8, b"\x01"), fix=False), Budget())
    assert mount(patched(image, (0, b"none")), Budget()) is None
    assert mount(Memory(b"XFSB"), Budget()) is None


def test_a_long_link_without_its_header_is_damage_and_with_it_is_read(tmp_path: Path) -> None:
    text = "t" * 600
    image = make_xfs(tmp_path / "x", {"long": Link(text)})
    reader = opened(image, mount)
    node = reader.lookup(reader.root(), "long")
    assert node is not None
    with pytest.raises(Damaged, match="wrong header"):
        reader.target(node)
    place = xfs_db(image, f"inode {node.key}", "dblock 0", "daddr")
    at = int(re.findall(r"\d+", place)[0]) * 512
    uuid = bytes_at(image, 32, 16)
    header = b"XSLM" + bytes(4) + len(text).to_bytes(4, "big") + bytes(4) + uuid
    header += node.key.to_bytes(8, "big") + (at // 512).to_bytes(8, "big") + bytes(8)
    whole = mount(Patched(Large(image), [(at, header + text.encode())]), Budget())
    assert whole is not None
    assert whole.target(node) == text


def test_version_4_has_long_links_without_a_header(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", {"long": Link("t" * 600)}, version=4)
    assert Tree(opened(image, mount), Budget()).target("long") == "t" * 600


def test_an_inode_of_another_place_is_damage(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", FILES)
    reader = opened(image, mount)
    etc = reader.lookup(reader.root(), "etc")
    assert etc is not None
    at = byte(image, f"inode {etc.key}")
    for offset in (0, 152, 160):
        broken = mount(Patched(Large(image), [(at + offset, b"\xff\xff")]), Budget())
        assert broken is not None
        with pytest.raises(Damaged, match="place of"):
            broken.lookup(broken.root(), "etc")


def test_the_kinds_and_times_of_nodes(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", FILES)
    tree = Tree(opened(image, mount), Budget())
    node = tree.find("etc/adjtime")
    assert node is not None
    assert node.kind is Kind.FILE
    assert node.modified is not None
    assert abs(node.modified - image.stat().st_mtime) < 600


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Source, list[int]]]:
    folder = tmp_path_factory.mktemp("xfs")
    made: list[tuple[Source, list[int]]] = []
    files: Files = {**FILES, **folder_of(400), "d/one": b"1", "d/link": Link("x")}
    for version in (4, 5):
        image = make_xfs(folder / f"x{version}", files, version=version)
        reader = opened(image, mount)
        places = {0, 512}
        for path in ("", "etc", "d", "usr", "etc/adjtime", "var/large"):
            node = Tree(reader, Budget()).find(path)
            assert node is not None
            places.add(byte(image, f"inode {node.key}"))
            if node.kind is Kind.FOLDER and path == "etc":
                for block in (0, 1, 8388608):
                    place = xfs_db(image, f"inode {node.key}", f"dblock {block}", "daddr")
                    at = int(re.findall(r"\d+", place)[0]) * 512
                    places.update(range(at, at + 4096, 512))
        made.append((Large(image), sorted(places)))
    return made


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_change_of_bytes_raises_anything_but_a_problem(
    small: list[tuple[Source, list[int]]], data: st.DataObject
) -> None:
    volume, places = data.draw(st.sampled_from(small))
    changed: Source = Patched(volume, data.draw(patches(places)))
    top = bytearray(changed.read_at(0, 512))
    top[224:228] = bytes(4)
    if changed.read_at(100, 2)[1] & 0xF == 5:
        changed = Patched(changed, [(224, crc32c(bytes(top)).to_bytes(4, "little"))])
    survives(mount, changed, ["etc/adjtime", "etc/file00123", "usr/link", "d/one"])
