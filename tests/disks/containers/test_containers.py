"""Containers: what qemu-img wrote is read back, and broken or lying images do no harm."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.containers.detect import open_image
from guestclock.disks.containers.interface import NoReferences
from guestclock.disks.problem import (
    DiskProblem,
    Empty,
    Encrypted,
    NotAnImage,
    RefusedReference,
    UnreadFormat,
)
from guestclock.disks.source import Memory, Source
from tests.disks.builders.containers import CONTAINERS, format_of, make_container

MIB = 1 << 20
_BROKEN = (
    *("qcow2", "qcow2-zlib", "qcow2-zstd", "qcow2-subclusters"),
    *("vmdk-stream", "vmdk", "vhd", "vhdx", "vdi"),
)


class Beside(NoReferences):
    """Opens the parts of an image in its folder, and never a backing file."""

    def __init__(self, folder: Path) -> None:
        super().__init__("image")
        self._folder = folder

    def part(self, name: str) -> Source:
        return Memory((self._folder / name).read_bytes())


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk of 40 MiB with noise, text that compresses, zeros and holes."""
    path, noise = tmp_path_factory.mktemp("raw") / "disk.raw", Random(7)
    with path.open("wb") as file:
        file.truncate(40 * MIB)
        for at in (0, 70_000, 5 * MIB + 512, 39 * MIB):
            file.seek(at)
            file.write(noise.randbytes(10_000))
        file.seek(12 * MIB)
        file.write(b"the same line again and again\n" * 20_000)
    return path


def _open(path: Path, form: str | None = None) -> tuple[str, Source]:
    return open_image(Memory(path.read_bytes()), Beside(path.parent), Budget(), form)


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_virtual_disk_is_the_raw_one(name: str, raw: Path, tmp_path: Path) -> None:
    image = make_container(raw, tmp_path / "image.img", name)
    form, disk = _open(image)
    assert form == format_of(name)
    content = raw.read_bytes()
    assert disk.size == len(content)
    for at in range(0, len(content), MIB):
        assert disk.read_at(at, MIB) == content[at : at + MIB]
    choose = Random(1)
    for _ in range(200):
        at, count = choose.randrange(len(content) - 70_000), choose.randrange(70_000)
        assert disk.read_at(at, count) == content[at : at + count]


def test_a_snapshot_inside_is_not_the_disk(raw: Path, tmp_path: Path) -> None:
    image = make_container(raw, tmp_path / "image", "qcow2")
    subprocess.run(["qemu-img", "snapshot", "-c", "before", str(image)], check=True)
    write = ["qemu-io", "-c", "write -P 0x77 0 64k", str(image)]
    subprocess.run(write, check=True, capture_output=True)
    assert _open(image)[1].read_at(0, 4) == b"\x77" * 4


@pytest.mark.parametrize("form", ["qcow2", "vmdk"])
def test_a_backing_file_is_refused_where_it_is_needed(form: str, raw: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    base = make_container(raw, tmp_path / "base", form)
    create = ["qemu-img", "create", "-f", form, "-b", str(base), "-F", form, str(overlay)]
    subprocess.run(create, check=True, capture_output=True)
    write = ["qemu-io", "-f", form, "-c", "write -P 0x77 0 64k", str(overlay)]
    subprocess.run(write, check=True, capture_output=True)
    disk = _open(overlay)[1]
    assert disk.read_at(0, 4) == b"\x77" * 4
    with pytest.raises(RefusedReference, match="base"):
        disk.read_at(12 * MIB, 4)


def test_an_external_data_file_is_refused(tmp_path: Path) -> None:
    options = f"data_file={tmp_path / 'data'}"
    image = tmp_path / "image"
    create = ["qemu-img", "create", "-f", "qcow2", "-o", options, str(image), "1M"]
    subprocess.run(create, check=True, capture_output=True)
    with pytest.raises(RefusedReference):
        open_image(Memory(image.read_bytes()), NoReferences(), Budget())


@pytest.mark.parametrize(("method", "said"), [(1, "encrypted"), (2, "LUKS")])
def test_an_encrypted_qcow2_needs_its_key(
    method: int, said: str, raw: Path, tmp_path: Path
) -> None:
    # qemu-img measures the processor's speed to make one, and fails on a busy machine.
    image = bytearray(make_container(raw, tmp_path / "image", "qcow2").read_bytes())
    image[32:36] = method.to_bytes(4, "big")
    with pytest.raises(Encrypted, match=said):
        open_image(Memory(bytes(image)), NoReferences(), Budget())


@pytest.mark.parametrize(
    ("head", "problem", "said"),
    [
        (b"", Empty, "empty"),
        (b"\x1f\x8b\x08", NotAnImage, "gzip"),
        (b"\xfd7zXZ\0", NotAnImage, "xz"),
        (b"\x28\xb5\x2f\xfd", NotAnImage, "zstd"),
        (b"WithoutFreeSpace", UnreadFormat, "parallels"),
        (b"QED\0", UnreadFormat, "qed"),
        (b"QFI\xfb\0\0\0\1", UnreadFormat, "version 1"),
        (b"COWD", UnreadFormat, "COWD"),
    ],
)
def test_what_is_not_read_is_refused_by_name(
    head: bytes, problem: type[DiskProblem], said: str
) -> None:
    with pytest.raises(problem, match=said):
        open_image(Memory(head + bytes(4096) if head else b""), NoReferences(), Budget())


def test_a_format_that_was_told_is_believed(raw: Path, tmp_path: Path) -> None:
    image = make_container(raw, tmp_path / "image", "qcow2")
    form, disk = _open(image, "raw")
    assert (form, disk.read_at(0, 4)) == ("raw", b"QFI\xfb")
    assert _open(make_container(raw, tmp_path / "v", "vhd"), "vpc")[0] == "vhd"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("small")
    disk = folder / "disk.raw"
    disk.write_bytes(Random(3).randbytes(9000).ljust(MIB, b"\0"))
    return {name: make_container(disk, folder / name, name).read_bytes() for name in _BROKEN}


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_broken_image_is_a_problem_and_nothing_else(
    images: dict[str, bytes], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(images)))
    image = bytearray(images[name])
    used = [at for at in range(0, len(image), 64) if any(image[at : at + 64])]
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(used)) + data.draw(st.integers(0, 63))
        if at < len(image):
            image[at] = data.draw(st.integers(0, 255))
    budget = Budget(Limits(max_read=8 << 20, timeout=10))
    try:
        _, disk = open_image(Memory(bytes(image)), NoReferences(), budget)
        for at in range(0, min(disk.size, MIB), 4096):
            disk.read_at(at, min(4096, disk.size - at))
    except DiskProblem:
        pass
