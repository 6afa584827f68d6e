from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import tzdata

from guestclock.evidence import Fact, Inferred, Observed, Unknown, value_of
from guestclock.platforms.qemu import localtime
from guestclock.platforms.qemu.localtime import zone_of_root

PACKAGED = Path(tzdata.__file__).parent / "zoneinfo"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small file system with a database of its own, which is also this host's."""
    for name in ("Asia/Shanghai", "Europe/Berlin", "Etc/UTC"):
        file = tmp_path / "usr/share/zoneinfo" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGED / name, file)
    (tmp_path / "etc").mkdir()
    monkeypatch.setattr(localtime, "_HERE", str(tmp_path))
    localtime._by_content.cache_clear()
    return tmp_path


def zone(root: Path) -> Fact[str]:
    return zone_of_root(str(root), "the box")


@pytest.mark.parametrize(
    "target", ["/usr/share/zoneinfo/Asia/Shanghai", "../usr/share/zoneinfo/Asia/Shanghai"]
)
def test_a_link_is_followed_inside_the_root(root: Path, target: str) -> None:
    (root / "etc/localtime").symlink_to(target)
    assert zone(root) == Observed(
        "Asia/Shanghai",
        "/etc/localtime of the box, a link to /usr/share/zoneinfo/Asia/Shanghai",
    )


def test_a_link_over_another_link(root: Path) -> None:
    (root / "etc/localtime").symlink_to("/etc/zone")
    (root / "etc/zone").symlink_to("/share/Europe/Berlin")
    (root / "share").symlink_to("usr/share/zoneinfo")
    assert value_of(zone(root)) == "Europe/Berlin"


def test_links_cannot_lead_out_of_the_root(root: Path) -> None:
    (root / "etc/localtime").symlink_to("../../../../../../etc/hostname")
    found = zone(root)
    assert isinstance(found, Observed)
    assert found.value == "UTC"
    assert "which is not there: glibc takes UTC" in found.where


def test_a_copy_is_known_by_its_content(root: Path) -> None:
    shutil.copy(root / "usr/share/zoneinfo/Asia/Shanghai", root / "etc/localtime")
    assert zone(root) == Inferred(
        "Asia/Shanghai", "/etc/localtime of the box, whose content is that of Asia/Shanghai"
    )


def test_a_zone_mounted_over_another_is_known_by_its_content(root: Path, tmp_path: Path) -> None:
    # What a bind mount on /etc/localtime does, where that is a link: the name says one zone, the
    # content is another's.
    other = root / "other"
    shutil.copytree(root / "usr", other / "usr")
    shutil.copy(root / "usr/share/zoneinfo/Asia/Shanghai", other / "usr/share/zoneinfo/Etc/UTC")
    (other / "etc").mkdir()
    (other / "etc/localtime").symlink_to("/usr/share/zoneinfo/Etc/UTC")
    assert value_of(zone(other)) == "Asia/Shanghai"


def test_a_zone_of_another_release_is_known_by_its_name(root: Path) -> None:
    other = root / "other"
    shutil.copytree(root / "usr", other / "usr")
    changed = other / "usr/share/zoneinfo/Europe/Berlin"
    changed.write_bytes(changed.read_bytes().replace(b"CET-1CEST", b"CET-1CESX"))
    (other / "etc").mkdir()
    (other / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    found = zone(other)
    assert isinstance(found, Observed)
    assert found.value == "Europe/Berlin"
    assert "of another release" in found.where


def test_a_file_of_no_known_zone_goes_by_its_rule(root: Path) -> None:
    content = (PACKAGED / "America/New_York").read_bytes()
    (root / "etc/localtime").write_bytes(content)
    found = zone(root)
    assert isinstance(found, Inferred)
    assert found.value == "EST5EDT,M3.2.0,M11.1.0"


@pytest.mark.parametrize("content", [b"", b"nonsense\nnonsense\n", b"TZif2", b"TZif2\n\n"])
def test_a_file_that_is_no_zone_is_unknown(root: Path, content: bytes) -> None:
    (root / "etc/localtime").write_bytes(content)
    found = zone(root)
    assert isinstance(found, Unknown)
    assert found.settle == "give the zone with --host-zone"


def test_no_file_is_utc_as_glibc_says(root: Path) -> None:
    assert zone(root) == Observed(
        "UTC", "/etc/localtime of the box, which is not there: glibc takes UTC"
    )


def test_a_link_to_itself_is_utc(root: Path) -> None:
    (root / "etc/localtime").symlink_to("localtime")
    assert value_of(zone(root)) == "UTC"


def test_a_root_that_is_gone_says_nothing(root: Path) -> None:
    found = zone(root / "gone")
    assert isinstance(found, Unknown)


def test_a_pipe_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "etc/localtime")
    assert isinstance(zone(root), Unknown)


def test_what_may_not_be_read_is_unknown(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "lstat", refuse)
    assert zone(root) == Unknown(
        "/etc/localtime of the box cannot be read: Permission denied", "run as root"
    )
