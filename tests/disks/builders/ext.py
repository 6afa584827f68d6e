"""Volumes of ext2, ext3 and ext4, made by mke2fs from a tree of files."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.disks.builders.tree import Files, write_tree

_JOURNAL_FROM = 24 << 20


def make_ext(
    path: Path,
    files: Files,
    *,
    version: int = 4,
    block: int = 1024,
    size: int = _JOURNAL_FROM,
    options: Sequence[str] = (),
    label: str = "",
    indexed: bool = False,
) -> Path:
    """A volume of `size` bytes; `indexed` has e2fsck give each larger folder its index."""
    with path.open("wb") as image:
        image.truncate(size)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        write_tree(tree, files)
        command = ["mke2fs", "-q", "-F", "-t", f"ext{version}", "-b", str(block)]
        command += ["-L", label, "-N", str(max(1024, 2 * len(files))), *options]
        _run([*command, "-d", str(tree), str(path)])
    if indexed:
        index_folders(path)
    return path


def index_folders(path: Path) -> None:
    """Has e2fsck give each larger folder its index, by the superblock's hash."""
    _run(["e2fsck", "-fyD", str(path)], allowed=(0, 1))


def debugfs(path: Path, *requests: str, write: bool = False) -> bytes:
    """What debugfs, the reader of e2fsprogs, says to the requests."""
    command = ["debugfs", *(["-w"] if write else []), "-f", "-", str(path)]
    given = "".join(f"{request}\n" for request in requests)
    return subprocess.run(command, input=given.encode(), capture_output=True, check=True).stdout


def debugfs_cat(path: Path, file: str) -> bytes:
    """A file's contents, as debugfs reads them."""
    command = ["debugfs", "-R", f'cat "{file}"', str(path)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _run(command: list[str], allowed: Sequence[int] = (0,)) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in allowed, f"{command}: {done.stderr}"
