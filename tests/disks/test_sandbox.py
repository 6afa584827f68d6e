from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from guestclock.disks import landlock, sandbox, seccomp
from guestclock.disks.budget import Budget, Limits
from guestclock.disks.containers.interface import References
from guestclock.disks.source import Source
from guestclock.disks.worker import Inspector
from tests.disks import readers

LIBC = ctypes.CDLL(None, use_errno=True)
needs_landlock = pytest.mark.skipif(
    landlock.landlock_version(LIBC) == 0, reason="this kernel has no Landlock"
)
needs_seccomp = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"), reason="no numbers for this machine"
)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(4096))
    return path


def done_inside(
    monkeypatch: pytest.MonkeyPatch, image: Path, does: Callable[[], object]
) -> tuple[str, list[str]]:
    """What `does` comes to in the process that reads images, and the notes of that process."""

    def reader(source: Source, references: References, budget: Budget) -> str:
        try:
            return repr(does())
        except OSError as problem:
            return f"errno {problem.errno}"

    readers.use(monkeypatch, reader)
    with Inspector(Limits()) as inspector:
        return inspector.inspect(str(image))["detail"], inspector.notes


@needs_landlock
@pytest.mark.parametrize(
    "does",
    [
        lambda: os.open("/etc/passwd", os.O_RDONLY),
        lambda: os.open("/etc/hostname", os.O_RDONLY),
        lambda: os.listdir("/etc"),
        lambda: os.listdir("/"),
        lambda: os.open("/proc/self/environ", os.O_RDONLY),
        lambda: os.open("/tmp/made-by-a-reader", os.O_CREAT | os.O_WRONLY),
        lambda: os.open(sandbox.__file__, os.O_RDWR),
        lambda: os.mkdir(os.path.join(os.path.dirname(sandbox.__file__), "made")),
        lambda: os.unlink(sandbox.__file__),
        lambda: os.symlink("x", "/tmp/made-by-a-reader"),
    ],
)
def test_no_file_can_be_opened(
    monkeypatch: pytest.MonkeyPatch, image: Path, does: Callable[[], object]
) -> None:
    assert done_inside(monkeypatch, image, does) == ("errno 13", [])


@needs_landlock
def test_not_even_the_image_and_its_neighbours_can_be_opened_by_name(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    monkeypatch.chdir(image.parent)
    assert done_inside(monkeypatch, image, lambda: os.listdir("."))[0] == "errno 13"
    opened = done_inside(monkeypatch, image, lambda: os.open("disk.img", os.O_RDONLY))
    assert opened[0] == "errno 13"


def test_modules_can_still_be_imported(monkeypatch: pytest.MonkeyPatch, image: Path) -> None:
    def imports() -> str:
        import chunk_of_nothing  # type: ignore[import-not-found]

        return str(chunk_of_nothing)

    def fresh() -> str:
        sys.modules.pop("guestclock.words", None)
        sys.modules.pop("colorsys", None)
        import colorsys

        import guestclock.words

        return f"{colorsys.__name__} {guestclock.words.__name__}"

    assert done_inside(monkeypatch, image, fresh)[0] == "'colorsys guestclock.words'"
    assert "ModuleNotFoundError" in done_inside(monkeypatch, image, imports)[0]


@needs_seccomp
@pytest.mark.parametrize(
    "does",
    [
        socket.socket,
        lambda: socket.socket(socket.AF_UNIX),
        socket.socketpair,
        os.fork,
        lambda: os.execv(sys.executable, [sys.executable]),
        lambda: os.posix_spawn(sys.executable, [sys.executable], {}),
        lambda: os.kill(os.getppid(), signal.SIGTERM),
        lambda: os.pidfd_open(os.getppid()),
        lambda: os.memfd_create("program"),
    ],
)
def test_no_socket_no_program_no_other_process_can_be_had(
    monkeypatch: pytest.MonkeyPatch, image: Path, does: Callable[[], object]
) -> None:
    assert done_inside(monkeypatch, image, does) == (f"errno {1}", [])


def test_nothing_of_the_program_stays_open(
    monkeypatch: pytest.MonkeyPatch, image: Path, tmp_path: Path
) -> None:
    def open_ones() -> list[int]:
        found = []
        for number in range(256):
            try:
                os.fstat(number)
                found.append(number)
            except OSError:
                continue
        return found

    with (tmp_path / "secret").open("wb"), socket.socket():
        said = done_inside(monkeypatch, image, open_ones)[0]
    # The three standard ones, which lead nowhere, the channel, and the image.
    assert len(json.loads(said)) == 5


def test_an_image_is_open_for_reading_only(monkeypatch: pytest.MonkeyPatch, image: Path) -> None:
    def write() -> int:
        return max(_written(number) for number in range(3, 64))

    def _written(number: int) -> int:
        try:
            return os.pwrite(number, b"written", 0)
        except OSError:
            return -1

    assert done_inside(monkeypatch, image, write)[0] == "-1"
    assert not any(image.read_bytes())


def test_what_a_reader_prints_is_seen_by_nobody(
    monkeypatch: pytest.MonkeyPatch, image: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done_inside(monkeypatch, image, lambda: os.write(1, b"seen") + os.write(2, b"seen"))
    assert capfd.readouterr() == ("", "")


def test_root_has_none_of_its_powers_left_but_one(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    def powers() -> list[int]:
        libc = ctypes.CDLL(None)
        sets = (ctypes.c_uint32 * 6)()
        libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), sets)
        return [one & ~sandbox._READ_ANY for one in sets]

    assert done_inside(monkeypatch, image, powers)[0] == "[0, 0, 0, 0, 0, 0]"


def test_without_landlock_a_note_says_so(monkeypatch: pytest.MonkeyPatch, image: Path) -> None:
    monkeypatch.setattr(landlock, "landlock_version", lambda libc: 0)
    _, notes = done_inside(monkeypatch, image, os.getpid)
    assert len(notes) == 1
    assert "Landlock" in notes[0]


def test_without_seccomp_a_name_space_keeps_from_the_network(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    monkeypatch.setattr(seccomp, "_MACHINES", {})

    def interfaces() -> list[str]:
        return [name for _, name in socket.if_nameindex()]

    said, notes = done_inside(monkeypatch, image, interfaces)
    assert said == "['lo']" or "network" in notes[0]


def test_another_system_has_one_note_for_all(monkeypatch: pytest.MonkeyPatch, image: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    _, notes = done_inside(monkeypatch, image, os.getpid)
    assert len(notes) == 1
    assert "neither from files nor from the network" in notes[0]


def test_a_note_is_told_once_for_many_processes(
    monkeypatch: pytest.MonkeyPatch, image: Path
) -> None:
    monkeypatch.setattr(landlock, "landlock_version", lambda libc: 0)
    readers.use(monkeypatch, lambda source, references, budget: os._exit(1))
    with Inspector(Limits()) as inspector:
        inspector.inspect(str(image))
        inspector.inspect(str(image))
        assert len(inspector.notes) == 1


def test_the_numbers_of_system_calls_are_those_of_this_machine() -> None:
    """The C library's own header has them, where there is a compiler."""
    names = [name for name, one in seccomp._FORBIDDEN.items() if min(one) >= 0]
    asked = "#include <sys/syscall.h>\n" + "".join(f"{name}=SYS_{name}\n" for name in names)
    ran = subprocess.run(["cc", "-E", "-P", "-"], input=asked, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    said = dict(line.split("=") for line in ran.stdout.splitlines() if "=" in line)
    column = seccomp._MACHINES[platform.machine()][0]
    assert said == {name: str(seccomp._FORBIDDEN[name][column]) for name in names}
