"""UFS: what makefs wrote is read back, and broken volumes do no harm."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.filesystems.ufs import mount
from guestclock.disks.problem import DiskProblem
from guestclock.disks.source import Memory, Paged
from guestclock.disks.tree import Tree
from tests.disks.builders.tree import Files, Link
from tests.disks.builders.ufs import make_ufs

FILES: Files = {
    "etc/wall_cmos_clock": b"",
    "etc/rc.conf": b"hostname=bsd\n",
    "large": Random(1).randbytes(2_000_000),
    "var/db/zoneinfo": b"Europe/Berlin\n",
    "etc/localtime": Link("/usr/share/zoneinfo/Europe/Berlin"),
    "long": Link("a/" * 100),
    **{f"many/file{number:04}": b"%d" % number for number in range(500)},
}


def _tree(data: bytes) -> Tree:
    budget = Budget(Limits(max_read=32 << 20, timeout=10))
    files = mount(Paged(Memory(data), budget), budget)
    if files is None:
        raise DiskProblem("no UFS")
    return Tree(files, budget)


@pytest.mark.parametrize("version", [1, 2])
def test_files_are_read_back(version: int, tmp_path: Path) -> None:
    tree = _tree(make_ufs(tmp_path / "v", FILES, version).read_bytes())
    assert tree.files.name == f"ufs{version}"
    for path, content in FILES.items():
        if isinstance(content, Link):
            assert tree.target(path) == content.target
        else:
            assert tree.read(path) == content
    assert len(list(tree.entries("many"))) == 500
    assert tree.find("etc/nothing") is None


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    files = {path: content for path, content in FILES.items() if not path.startswith("many")}
    return make_ufs(tmp_path_factory.mktemp("ufs") / "v", files, size="4m").read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_broken_volume_is_a_problem_and_nothing_else(small: bytes, data: st.DataObject) -> None:
    used = [at for at in range(0, 1 << 20, 64) if any(small[at : at + 64])]
    image = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(used)) + data.draw(st.integers(0, 63))
        image[at] = data.draw(st.integers(0, 255))
    try:
        tree = _tree(bytes(image))
        for path in ("large", "etc/rc.conf", "long/x", "etc/localtime"):
            tree.read(path)
        list(tree.entries(""))
    except DiskProblem:
        pass
