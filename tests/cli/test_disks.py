"""`--disks`: what a machine's own disk says counts for more than what was said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.disks.builders.containers import make_container
from tests.disks.builders.hive import dword
from tests.disks.builders.ntfs import make_ntfs
from tests.disks.builders.windows import windows_files

DOMAIN = """<domain type='kvm'><name>{name}</name><memory>1</memory>
<metadata><libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
<libosinfo:os id='{os}'/></libosinfo:libosinfo></metadata>
<os><type arch='x86_64' machine='q35'>hvm</type></os><clock offset='{clock}'/>
<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
<source file='{image}'/><target dev='vda'/></disk></devices></domain>"""
DEBIAN, WINDOWS = "http://debian.org/debian/12", "http://microsoft.com/win/2k22"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("images")
    universal = dword("RealTimeIsUniversal", 1)
    local = make_ntfs(folder / "local.raw", windows_files())
    utc = make_ntfs(folder / "utc.raw", windows_files(universal=universal))
    return {
        "local": make_container(local, folder / "local.qcow2", "qcow2"),
        "utc": make_container(utc, folder / "utc.qcow2", "qcow2"),
    }


def _domain(folder: Path, name: str, image: Path | str, clock: str, os: str) -> str:
    path = folder / f"{name}.xml"
    path.write_text(DOMAIN.format(name=name, image=image, clock=clock, os=os))
    return str(path)


def test_explain_observes_the_guest_on_its_disk(
    guestclock: Run, images: dict[str, Path], tmp_path: Path
) -> None:
    domain = _domain(tmp_path, "w1", images["local"], "utc", DEBIAN)
    ran = guestclock("explain", domain, "--host-zone", "UTC", "-f", "json", "--disks")
    assert ran.code == 0
    found = json.loads(ran.out)
    guest = next(hop for hop in found["hops"] if hop["name"] == "guest")
    assert "RealTimeIsUniversal" in json.dumps(guest)
    assert "8 h behind" in found["verdict"]


def test_audit_finds_what_contradicts_the_disk(
    guestclock: Run, images: dict[str, Path], tmp_path: Path
) -> None:
    _domain(tmp_path, "w1", images["local"], "utc", DEBIAN)
    _domain(tmp_path, "w2", images["utc"], "localtime", WINDOWS)
    ran = guestclock("audit", str(tmp_path), "--host-zone", "UTC", "-f", "json", "--disks")
    assert ran.code == 1
    rules = {(one["machine"]["name"], one["rule"]) for one in json.loads(ran.out)["findings"]}
    assert {("w1", "CLK101"), ("w1", "CLK701"), ("w2", "CLK702")} <= rules


def test_an_image_may_be_named_for_a_machine(
    guestclock: Run, images: dict[str, Path], tmp_path: Path
) -> None:
    domain = _domain(tmp_path, "w1", "/no/such/image", "utc", DEBIAN)
    named = f"w1={images['local']}"
    ran = guestclock("audit", domain, "--host-zone", "UTC", "-f", "json", "--disks", named)
    assert ran.code == 1
    assert "CLK701" in {one["rule"] for one in json.loads(ran.out)["findings"]}


def test_a_disk_that_is_not_there_is_not_read(guestclock: Run, tmp_path: Path) -> None:
    domain = _domain(tmp_path, "w1", "/no/such/image", "utc", DEBIAN)
    ran = guestclock("audit", domain, "--host-zone", "UTC", "--disks")
    assert ran.code == 3
    assert "/no/such/image" in ran.out + ran.err


def test_a_folder_after_the_bare_option_is_told_how_to_be_written(
    guestclock: Run, tmp_path: Path
) -> None:
    ran = guestclock("audit", "--disks", str(tmp_path))
    assert ran.code == 2
    assert "put --disks last" in ran.out + ran.err


def test_predict_takes_the_guest_from_an_image(guestclock: Run, images: dict[str, Path]) -> None:
    at = ("--at", "2026-11-23T12:00:00Z", "-f", "json")
    ran = guestclock("predict", "utc", "--disks", str(images["local"]), *at)
    assert ran.code == 0
    assert json.loads(ran.out)[-1]["error_seconds"] == -28_800
    ran = guestclock("predict", "utc", "--disks", str(images["utc"]), *at)
    assert json.loads(ran.out)[-1]["error_seconds"] == 0


def test_predict_says_why_an_image_gives_no_guest(guestclock: Run, tmp_path: Path) -> None:
    (tmp_path / "blank").write_bytes(bytes(1 << 20))
    ran = guestclock("predict", "utc", "--disks", str(tmp_path / "blank"))
    assert ran.code == 3
    assert "empty" in ran.out + ran.err
