from __future__ import annotations

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import guestclock as guestclock_package
from tests.conftest import Ran, Run
from tests.disks.builders.ext import make_ext
from tests.disks.builders.tree import Files, Link
from tests.disks.remote.server import serving

DEBIAN: Files = {
    "etc/os-release": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    "etc/adjtime": b"0.0 0 0.0\n0\nLOCAL\n",
    "etc/localtime": Link("/usr/share/zoneinfo/Europe/Berlin"),
    "usr/bin/true": b"",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ext(tmp_path_factory.mktemp("made") / "debian.img", DEBIAN)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A folder with one image, debian.img."""
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(made, images)
    return images


def qcow2(path: Path, backing: str = "", data: str = "", extra: bytes = b"") -> Path:
    """An empty disk of 1 MiB that rests on `backing`, or has its data in the file `data`."""
    name = backing.encode("utf-8", "surrogateescape")
    extension = struct.pack(">II", 0x44415441, len(data)) + data.encode() if data else b""
    extension += bytes(-len(extension) % 8) + bytes(8)
    at = 104 + len(extension)
    header = struct.pack(
        ">4sIQIIQIIQQIIQ",
        b"QFI\xfb",
        3,
        at if name else 0,
        len(name),
        16,
        1 << 20,
        0,
        1,
        3 << 16,
        1 << 16,
        1,
        0,
        0,
    )
    header += struct.pack(">QQQII", 4 if data else 0, 0, 0, 4, 104)
    path.write_bytes((header + extension + name + extra).ljust(5 << 16, b"\0"))
    return path


def vmdk(path: Path, *extents: str) -> Path:
    """A descriptor that names those extents, in full lines."""
    lines = ["# Disk DescriptorFile", "version=1", "CID=fffffffe", "parentCID=ffffffff"]
    lines += ['createType="monolithicFlat"', *extents, 'ddb.adapterType = "ide"', ""]
    path.write_text("\n".join(lines))
    return path


def only(ran: Ran) -> dict[str, Any]:
    (image,) = json.loads(ran.out)
    assert isinstance(image, dict)
    return image


def test_an_image_is_told_for_people(guestclock: Run, folder: Path) -> None:
    ran = guestclock("inspect", folder / "debian.img")
    assert (ran.code, ran.err) == (0, "")
    for part in ("Debian GNU/Linux 12", "local time", "Europe/Berlin", "/etc/adjtime"):
        assert part in ran.out


def test_json_has_the_documented_keys(guestclock: Run, folder: Path) -> None:
    ran = guestclock("inspect", folder / "debian.img", "-f", "json")
    image = only(ran)
    assert (image["path"], image["format"], image["unknown"]) == (
        str(folder / "debian.img"),
        "raw",
        None,
    )
    (system,) = image["systems"]
    asked = {
        "family": "linux",
        "rtc": "local",
        "zone": "Europe/Berlin",
        "active_time_bias_minutes": None,
        "real_time_is_universal": None,
    }
    assert {name: system[name] for name in asked} == asked
    assert ran.code == 0


def test_a_folder_is_read_image_by_image(guestclock: Run, folder: Path) -> None:
    (folder / "empty.raw").write_bytes(bytes(4096))
    (folder / "note.txt").write_text("no image")
    ran = guestclock("inspect", folder, "-f", "json")
    assert [one["path"] for one in json.loads(ran.out)] == [
        str(folder / "debian.img"),
        str(folder / "empty.raw"),
    ]
    assert ran.code == 0


def test_what_cannot_be_read_is_exit_code_3_and_the_rest_is_read(
    guestclock: Run, folder: Path
) -> None:
    ran = guestclock("inspect", folder / "gone.img", folder / "debian.img", "-f", "json")
    gone, there = json.loads(ran.out)
    assert (gone["unknown"], gone["systems"]) == ("unreachable", [])
    assert there["unknown"] is None
    assert ran.code == 3


@pytest.mark.parametrize("options", [("--max-read", "8K"), ("--timeout", "0.000001")])
def test_a_limit_is_told(guestclock: Run, folder: Path, options: tuple[str, str]) -> None:
    ran = guestclock("inspect", folder / "debian.img", "-f", "json", *options)
    assert only(ran)["unknown"] == "limit"
    assert ran.code == 3


def test_a_format_that_is_said_is_believed(guestclock: Run, folder: Path) -> None:
    """A guest can write another format's header into its raw disk."""
    trap = qcow2(folder / "trap.raw", backing="/etc/passwd")
    ran = guestclock("inspect", trap, "-f", "json", "-f", "raw")
    assert only(ran)["unknown"] == "no-os" or only(ran)["format"] == "raw"
    assert "refused" not in ran.out


def test_a_qcow2_of_it_says_the_same(guestclock: Run, folder: Path) -> None:
    command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c"]
    subprocess.run([*command, folder / "debian.img", folder / "debian.qcow2"], check=True)
    both = guestclock("inspect", folder, "-f", "json")
    raw, packed = json.loads(both.out)
    assert packed["format"] == "qcow2"
    assert packed["systems"] == raw["systems"]


def overlay(folder: Path, backing: str) -> Path:
    top = folder / "top.qcow2"
    command: list[str | Path] = [
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-F",
        "raw",
        "-u",
        "-b",
        backing,
    ]
    subprocess.run([*command, top, "24M"], check=True)
    return top


def test_an_overlay_is_read_through_when_that_was_asked_for(guestclock: Run, folder: Path) -> None:
    top = overlay(folder, "debian.img")
    unasked = guestclock("inspect", top, "-f", "json")
    assert only(unasked)["unknown"] == "refused-reference"
    assert "--follow-backing" in only(unasked)["detail"]
    assert unasked.code == 3
    asked = guestclock("inspect", top, "-f", "json", "--follow-backing")
    assert only(asked)["systems"][0]["zone"] == "Europe/Berlin"
    assert asked.code == 0


def test_an_overlay_of_another_folder_needs_that_folder(guestclock: Run, folder: Path) -> None:
    golden = folder.parent / "golden"
    golden.mkdir()
    (folder / "debian.img").rename(golden / "debian.img")
    top = overlay(folder, "../golden/debian.img")
    refused = guestclock("inspect", top, "-f", "json", "--follow-backing")
    assert only(refused)["unknown"] == "refused-reference"
    allowed = ("--follow-backing", "--allow-dir", golden)
    assert only(guestclock("inspect", top, "-f", "json", *allowed))["unknown"] is None


def test_an_image_that_rests_on_itself_ends(guestclock: Run, folder: Path) -> None:
    qcow2(folder / "a.qcow2", backing="b.qcow2")
    qcow2(folder / "b.qcow2", backing="a.qcow2")
    ran = guestclock("inspect", folder / "a.qcow2", "-f", "json", "--follow-backing")
    assert only(ran)["unknown"] == "limit"
    assert "itself" in only(ran)["detail"]


@pytest.mark.parametrize("slow", [False, True])
def test_an_image_on_a_server_is_read_by_its_parts(
    guestclock: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving((folder / "debian.img").read_bytes()) as server:
        if slow:
            server.answers = server.whole
        ran = guestclock("inspect", server.url.replace("//", "//me:secret@"), "-f", "json")
        asked = [last - first + 1 for first, last in (one.range for one in server.asked)]
    image = only(ran)
    assert image["systems"][0]["zone"] == "Europe/Berlin"
    assert image["path"] == server.url.replace("//", "//***@")
    assert "secret" not in ran.out + ran.err
    assert sum(asked) < (4 << 20)


def test_an_image_on_a_server_names_no_files(
    guestclock: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    data = qcow2(folder / "x.qcow2", backing="debian.img").read_bytes()
    with serving(data) as server:
        ran = guestclock("inspect", server.url, "-f", "json", "--follow-backing")
    assert only(ran)["unknown"] == "refused-reference"


# Nothing outside is opened: what the kernel says of it.


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[int]:
    """A secret beside the folder of images, and a port at which nobody may call."""
    (tmp_path / "secret").write_bytes(b"a secret\n".ljust(1 << 20, b"."))
    (tmp_path / "secret-flat.vmdk").write_bytes(bytes(1 << 20))
    called = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0)
    yield listening.getsockname()[1]
    with listening:
        try:
            end, _ = listening.accept()
        except BlockingIOError:
            return
        end.close()
        called.set()
        pytest.fail("somebody called")


def hostile(folder: Path, port: int) -> list[Path]:
    """Images that name what they should not, each in a folder of its own below this one."""
    secret = folder.parent / "secret"
    names = [
        str(secret),
        "../secret",
        "../../secret",
        "link/../../secret",
        "link",
        "/etc/passwd",
        "/etc/shadow",
        "/proc/self/environ",
        "/dev/zero",
        f"nbd:127.0.0.1:{port}",
        f"nbd://127.0.0.1:{port}/x",
        f"http://127.0.0.1:{port}/x",
        f"https://127.0.0.1:{port}/x",
        f"ssh://127.0.0.1:{port}/x",
        f"file:{secret}",
        "fat:/etc",
        f'json:{{"driver": "raw", "file": {{"driver": "file", "filename": "{secret}"}}}}',
        f'json:{{"driver": "nbd", "host": "127.0.0.1", "port": "{port}"}}',
        "\udcff\udcfe",
        "",
    ]
    made = []
    for number, name in enumerate(names):
        own = folder / f"own{number}"
        own.mkdir()
        (own / "link").symlink_to(secret)
        (own / "disk-flat.vmdk").symlink_to(secret)
        made.append(qcow2(own / "backing.qcow2", backing=name))
        if name.isascii():
            made.append(qcow2(own / "data.qcow2", data=name))
            made += [
                vmdk(own / f"{kind}.vmdk", f'RW 2048 {kind} "{name}" 0')
                for kind in ("FLAT", "SPARSE", "VMFS", "VMFSRAW")
            ]
    made.append(vmdk(folder / "own0" / "disk.vmdk", 'RW 2048 FLAT "disk-flat.vmdk" 0'))
    return made


_CALL = re.compile(r"^\d+ +(?:open|openat|openat2|connect)\((?:AT_FDCWD, |\d+, )?(.*)$")


def opened(tmp_path: Path, *arguments: object) -> tuple[set[str], int]:
    """What a command opened or called by name, but for the program itself; and its exit code."""
    log = tmp_path / "strace.log"
    command: list[str | Path] = [
        "strace",
        "-f",
        "-e",
        "trace=open,openat,openat2,connect",
        "-o",
        log,
    ]
    command += [sys.executable, "-m", "guestclock", *map(str, arguments)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert "Traceback" not in ran.stderr, ran.stderr
    found = set()
    for line in log.read_text(errors="replace").splitlines():
        call = _CALL.match(line)
        if call is None:
            continue
        name = call[1].partition('"')[2].partition('"')[0] or call[1]
        ours = str(Path(guestclock_package.__file__).parent.parent)
        program = (sys.prefix, sys.base_prefix + "/lib", "/usr/lib", "/lib", ours)
        if not name.startswith(program):
            found.add(name)
    return found, ran.returncode


@pytest.mark.parametrize("options", [(), ("--follow-backing",)], ids=["unasked", "asked"])
def test_nothing_outside_is_opened(
    folder: Path, tmp_path: Path, trap: int, options: tuple[str, ...]
) -> None:
    images = hostile(folder, trap)
    harmless, code = opened(tmp_path, "inspect", folder / "debian.img", "-f", "json", *options)
    assert code == 0
    found, code = opened(tmp_path, "inspect", *images, "-f", "json", *options)
    assert code == 3
    allowed = harmless | {str(one) for one in images} | {str(one.parent) for one in images}
    names = {one.name for one in images} | {"link"}
    assert {one for one in found - allowed if one not in names} == set()
    assert not any("secret" in one or "passwd" in one or "shadow" in one for one in found)


@pytest.mark.parametrize("options", [(), ("--follow-backing",)], ids=["unasked", "asked"])
def test_each_hostile_image_has_its_reason_and_shows_no_secret(
    guestclock: Run, folder: Path, trap: int, options: tuple[str, ...]
) -> None:
    images = hostile(folder, trap)
    ran = guestclock("inspect", *images, "-f", "json", *options)
    for image in json.loads(ran.out):
        assert image["systems"] == []
        assert image["unknown"] is not None
        if image["path"].endswith(".qcow2"):
            # Nothing lies under the last one, which names no file.
            assert image["unknown"] in {"refused-reference", "unreachable", "empty"}, image
    assert "a secret" not in ran.out
    assert "root:" not in ran.out


def test_a_note_is_printed_where_a_protection_is_missing(
    guestclock: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from guestclock.disks import landlock

    monkeypatch.setattr(landlock, "landlock_version", lambda libc: 0)
    ran = guestclock("inspect", folder / "debian.img")
    assert ran.err.startswith("note: this kernel has no Landlock")
    assert ran.code == 0


def test_a_fault_of_a_reader_is_told_and_costs_one_image(
    guestclock: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from guestclock.disks import inspect
    from guestclock.disks.containers import detect

    whole = detect.open_image

    def fails(source: Any, references: Any, budget: Any, form: Any) -> Any:
        if references.name == "bad.img":
            os.abort()
        return whole(source, references, budget, form)

    monkeypatch.setattr(inspect, "open_image", fails)
    (folder / "bad.img").write_bytes(bytes(4096))
    ran = guestclock("inspect", folder, "-f", "json")
    bad, good = json.loads(ran.out)
    assert (bad["unknown"], good["unknown"]) == ("fault", None)
    assert "please report it" in bad["detail"]
    assert ran.code == 3
