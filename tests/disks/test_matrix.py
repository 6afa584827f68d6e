"""Every container, table, file system and system together: the whole answer is right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import NoReferences
from guestclock.disks.inspect import inspect_source
from guestclock.disks.record import ImageRecord, SystemRecord, record
from guestclock.disks.source import FileSource, Memory, Source
from guestclock.disks.systems.interface import Moment
from tests.disks.builders.containers import CONTAINERS, format_of, make_container
from tests.disks.builders.ext import make_ext
from tests.disks.builders.hive import dword
from tests.disks.builders.ntfs import make_ntfs
from tests.disks.builders.tree import Files, Link
from tests.disks.builders.volumes import make_disk
from tests.disks.builders.windows import windows_files

AT = Moment(1_795_435_200)
DEBIAN: Files = {
    "etc/os-release": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    "etc/adjtime": b"0.0 0 0.0\n0\nLOCAL\n",
    "etc/localtime": Link("../usr/share/zoneinfo/Europe/Berlin"),
}
UNIVERSAL = windows_files(universal=dword("RealTimeIsUniversal", 1))


class Beside(NoReferences):
    """Opens the parts of an image in its folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        self._folder = path.parent

    def part(self, name: str) -> Source:
        return Memory((self._folder / name).read_bytes())


def inspected(path: Path, budget: Budget | None = None) -> ImageRecord:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        source = FileSource(descriptor)
        found = inspect_source(source, path.name, Beside(path), budget or Budget(), AT)
    finally:
        os.close(descriptor)
    return record(found)


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Raw disks by the table that they have; on each are a Windows and a Debian."""
    folder = tmp_path_factory.mktemp("disks")
    windows = make_ntfs(folder / "windows", windows_files())
    universal = make_ntfs(folder / "universal", UNIVERSAL)
    debian = make_ext(folder / "debian", DEBIAN)
    return {
        "gpt": make_disk(folder / "gpt", [windows, debian]),
        "mbr": make_disk(folder / "mbr", [debian, windows], "dos", logical=1),
        "none": universal,
        "none-ext": debian,
    }


def _is_windows(system: SystemRecord) -> None:
    assert (system["family"], system["rtc"]) == ("windows", "local")
    assert system["zone"] == "China Standard Time"
    assert system["active_time_bias_minutes"] == -480
    assert system["real_time_is_universal"] is False
    assert system["place"]["filesystem"] == "ntfs"


def _is_debian(system: SystemRecord) -> None:
    assert (system["family"], system["version"], system["rtc"]) == ("linux", "12", "local")
    assert system["zone"] == "Europe/Berlin"
    assert system["place"]["filesystem"] == "ext4"


@pytest.mark.parametrize("container", CONTAINERS)
def test_both_systems_are_found(container: str, disks: dict[str, Path], tmp_path: Path) -> None:
    for table in ("gpt", "mbr"):
        image = make_container(disks[table], tmp_path / f"{table}.img", container)
        found = inspected(image)
        assert (found["format"], found["unknown"]) == (format_of(container), None)
        by_family = {system["family"]: system for system in found["systems"]}
        assert len(found["systems"]) == 2
        _is_windows(by_family["windows"])
        _is_debian(by_family["linux"])


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_disk_without_a_table_is_one_volume(
    container: str, disks: dict[str, Path], tmp_path: Path
) -> None:
    image = make_container(disks["none"], tmp_path / "image", container)
    (system,) = inspected(image)["systems"]
    assert (system["rtc"], system["real_time_is_universal"]) == ("utc", True)
    assert system["place"]["volume"] == "the whole disk"
    (system,) = inspected(disks["none-ext"])["systems"]
    _is_debian(system)


def test_little_is_read(disks: dict[str, Path]) -> None:
    budget = Budget()
    assert len(inspected(disks["gpt"], budget)["systems"]) == 2
    assert budget.spent < 512 << 10


def test_a_lost_first_table_is_read_from_its_copy(disks: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(disks["gpt"].read_bytes())
    data[512:1024] = bytes(512)
    (tmp_path / "image").write_bytes(data)
    assert len(inspected(tmp_path / "image")["systems"]) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(1 << 20), "empty"),
        (b"LUKS\xba\xbe" + bytes(1 << 20), "encrypted"),
        (b"\xeb\x58\x90-FVE-FS-" + bytes(1 << 20), "encrypted"),
        (b"hsqs" + bytes(1 << 20), "unread-filesystem"),
        (b"", "empty"),
        (b"\x1f\x8b\x08" + bytes(4096), "not-an-image"),
    ],
)
def test_what_says_nothing_has_a_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(content)
    found = inspected(tmp_path / "image")
    assert (found["systems"], found["unknown"]) == ([], reason)
    assert found["detail"]
