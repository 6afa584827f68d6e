"""The readers of ext, xfs and btrfs, on volumes that the kernel itself wrote by a loop mount."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.btrfs import mount as mount_btrfs
from guestclock.disks.filesystems.ext import mount as mount_ext
from guestclock.disks.filesystems.interface import FileSystem, Kind, Mount
from guestclock.disks.filesystems.xfs import mount as mount_xfs
from guestclock.disks.source import Source
from guestclock.disks.tree import Tree
from tests.disks.builders.btrfs import make_btrfs
from tests.disks.builders.ext import make_ext
from tests.disks.builders.xfs import make_xfs, xfs_db
from tests.disks.filesystems.mutation import opened

pytestmark = pytest.mark.real

# Text that compresses, with a seed of noise so that each part of it is told from the others.
TEXT = """
text() { seq -f "line %.0f of $1: 0.0 0 0.0 LOCAL" 1 $2; }
"""


def as_root(script: str) -> None:
    """Runs a shell script as root, which mounting takes."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    done = subprocess.run([*root, "sh", "-ec", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def fill(image: Path, script: str, options: str = "loop") -> None:
    """Mounts an image, runs a script in its folder and unmounts it."""
    place = image.with_name(f"{image.name}.mounted")
    place.mkdir(exist_ok=True)
    as_root(f"mount -o {options} {image} {place}; trap 'cd /; umount {place}' EXIT\n"
            f"cd {place}\n{TEXT}\n{script}\ncd /")  # fmt: skip


def as_mounted(image: Path, path: str) -> bytes:
    """A file as the kernel reads it."""
    out = image.with_name("out")
    fill(image, f"cat {path} > {out}; chmod 644 {out}", "ro,loop")
    return out.read_bytes()


def tree_of(image: Path, mount: Mount) -> Tree:
    return Tree(opened(image, mount), Budget())


@pytest.mark.parametrize("compress", ["zlib", "lzo", "zstd"])
def test_what_btrfs_compressed_is_what_it_reads_back(tmp_path: Path, compress: str) -> None:
    image = make_btrfs(tmp_path / "x", {})
    fill(
        image,
        """
        text small 20 > small; text large 40000 > large
        (text a 3000; head -c 50000 /dev/urandom; head -c 300000 /dev/zero; text b 999) > mixed
        sync
        printf LOCAL | dd of=large bs=1 seek=500001 conv=notrunc status=none
        """,
        f"loop,compress-force={compress}",
    )
    tree = tree_of(image, mount_btrfs)
    for path in ("small", "large", "mixed"):
        assert tree.read(path) == as_mounted(image, path)


def test_holes_and_reserved_space_of_btrfs_read_as_zero(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", {})
    fill(
        image,
        """
        truncate -s 3M file
        for n in 3 40 41 500; do printf "at $n" | dd of=file bs=4096 seek=$n conv=notrunc; done
        fallocate -o 400000 -l 100000 file
        """,
    )
    assert tree_of(image, mount_btrfs).read("file") == as_mounted(image, "file")


def test_subvolumes_of_btrfs_are_folders_and_the_default_is_the_root(tmp_path: Path) -> None:
    image = make_btrfs(tmp_path / "x", {"top": b"1"})
    fill(
        image,
        """
        btrfs -q subvolume create @; mkdir @/etc; echo LOCAL > @/etc/adjtime
        btrfs -q subvolume create @/inner; echo in > @/inner/file
        btrfs -q subvolume snapshot @ shot; echo UTC > @/etc/adjtime
        """,
    )
    tree = tree_of(image, mount_btrfs)
    assert tree.read("@/etc/adjtime") == b"UTC\n"
    assert tree.read("shot/etc/adjtime") == b"LOCAL\n"
    assert tree.read("@/inner/file") == b"in\n"
    assert sorted(name for name, _ in tree.entries("")) == ["@", "shot", "top"]
    # A snapshot has only the name of the subvolume inside.
    assert list(tree.entries("shot/inner")) == []
    assert tree.find("shot/inner/file") is None
    fill(image, "btrfs subvolume set-default @")
    tree = tree_of(image, mount_btrfs)
    assert tree.read("etc/adjtime") == b"UTC\n"
    assert tree.find("top") is None
    fill(image, "mkdir later; touch later/file", "loop,subvolid=5")
    fill(image, "btrfs subvolume set-default 5 .; btrfs subvolume delete shot", "loop,subvolid=5")
    tree = tree_of(image, mount_btrfs)
    assert tree.find("shot") is None
    assert tree.find("later/file") is not None


def test_a_mirrored_file_is_read_from_either_device(tmp_path: Path) -> None:
    images = [tmp_path / "one", tmp_path / "two"]
    for image in images:
        with image.open("wb") as file:
            file.truncate(256 << 20)
    place = tmp_path / "place"
    place.mkdir()
    one, two = images
    as_root(f"""
        mkfs.btrfs -q -m raid1 -d raid1 {one} {two}
        a=$(losetup -f --show {one}); b=$(losetup -f --show {two})
        trap 'cd /; umount {place}; losetup -d $a; losetup -d $b' EXIT
        mount -o device=$a,device=$b $a {place}
        {TEXT}
        text mirrored 50000 > {place}/file
    """)
    contents = [tree_of(image, mount_btrfs).read("file") for image in images]
    assert contents[0] is not None
    assert contents[0].startswith(b"line 1 of mirrored")
    assert contents[0].endswith(b"line 50000 of mirrored: 0.0 0 0.0 LOCAL\n")
    assert contents[0] == contents[1]


SCATTERED = """
truncate -s 3M file
for n in $(seq 0 3 700); do
    printf "at $n" | dd of=file bs=4096 seek=$n conv=notrunc status=none
done
fallocate -o 2990000 -l 100000 file
"""


def test_a_scattered_file_of_xfs_is_read_through_its_tree(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", {})
    fill(image, SCATTERED)
    files = opened(image, mount_xfs)
    node = files.lookup(files.root(), "file")
    assert node is not None
    assert "btree" in xfs_db(image, f"inode {node.key}", "print core.format")
    assert tree_of(image, mount_xfs).read("file") == as_mounted(image, "file")


def test_long_links_and_large_folders_of_xfs(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", {})
    target = "t" * 1000
    fill(
        image,
        f"""
        ln -s {target} long; ln -s {target[:200]} short
        mkdir -p d/e; cd d; seq -f "name%.0f" 1 6000 | xargs touch
        seq -f "name%.0f" 2000 4000 | xargs rm; mkfifo pipe; cd ..
        """,
    )
    tree = tree_of(image, mount_xfs)
    assert tree.target("long") == target
    assert tree.target("short") == target[:200]
    names = {f"name{number}" for number in range(1, 6001) if not 2000 <= number <= 4000}
    assert {name for name, _ in tree.entries("d")} == names | {"e", "pipe"}
    for number in (1, 1999, 2000, 3000, 4001, 6000):
        assert (tree.find(f"d/name{number}") is not None) == (f"name{number}" in names)
    pipe = tree.find("d/pipe")
    assert pipe is not None
    assert pipe.kind is Kind.OTHER


def test_a_scattered_file_of_ext4_is_read_through_its_tree(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", {}, block=4096, size=64 << 20)
    fill(image, SCATTERED)
    assert tree_of(image, mount_ext).read("file") == as_mounted(image, "file")


@pytest.mark.parametrize("which", ["ext4", "xfs"])
def test_a_copy_of_a_mounted_volume_warns_of_its_journal(tmp_path: Path, which: str) -> None:
    image = tmp_path / "x"
    copy = tmp_path / "copy"
    mount: Mount
    if which == "ext4":
        make_ext(image, {}, size=64 << 20)
        mount = mount_ext
    else:
        make_xfs(image, {})
        mount = mount_xfs
    fill(image, f"echo LOCAL > file; sync; cp --sparse=always {image} {copy}; chmod 644 {copy}")
    warnings: dict[Path, tuple[str, ...]] = {}
    for path in (image, copy):
        files: FileSystem = opened(path, mount)
        warnings[path] = files.warnings
    assert warnings[image] == ()
    assert any("was not replayed" in line for line in warnings[copy])


def test_a_log_of_xfs_that_went_round_is_known_to_be_closed(tmp_path: Path) -> None:
    image = make_xfs(tmp_path / "x", {})
    rounds = "for n in $(seq 1 40); do seq 1 1500 | xargs touch; seq 1 1500 | xargs rm; sync; done"
    fill(image, f"mkdir d; cd d; {rounds}; touch last; cd ..")
    files = opened(image, mount_xfs)
    command = ["/usr/sbin/xfs_logprint", "-t", str(image)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (files.warnings == ()) == ("state: <CLEAN>" in told), told
    assert Tree(files, Budget()).find("d/last") is not None


def test_sources_of_files_have_the_size_of_their_inode(tmp_path: Path) -> None:
    image = make_ext(tmp_path / "x", {})
    fill(image, "truncate -s 5G file")
    source: Source | None = tree_of(image, mount_ext).open("file")
    assert source is not None
    assert source.size == 5 << 30
    assert source.read_at((5 << 30) - 3, 3) == bytes(3)
