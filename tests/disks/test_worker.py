from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from guestclock.disks import inquiry
from guestclock.disks.budget import Budget, Limits
from guestclock.disks.channel import MOST_DATA
from guestclock.disks.containers.interface import References
from guestclock.disks.problem import Damaged, Unreachable
from guestclock.disks.source import Memory, Source
from guestclock.disks.worker import Inspector
from tests.disks import readers


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "disk.img"
    path.write_bytes(b"a disk".ljust(4096, b"."))
    return str(path)


def once(path: Path, does: Callable[[], str]) -> readers.Reader:
    """A reader that does that for the image of this name, and says its process's id for others."""

    def reader(source: Source, references: References, budget: Budget) -> str:
        return does() if references.name == path.name else str(os.getpid())

    return reader


def burn() -> str:
    while True:
        pass


def burn_beside() -> str:
    threading.Event().wait()
    return ""


def eat() -> str:
    kept = []
    while True:
        kept.append(bytearray(16 << 20))


def descend() -> str:
    return descend()


def die() -> str:
    signal.raise_signal(signal.SIGKILL)
    return ""


def miss() -> str:
    nothing: dict[str, str] = {}
    return nothing["key"]


FAILURES: dict[str, tuple[Callable[[], str], str, str]] = {
    "abort": (os.abort, "fault", "SIGABRT"),
    "segfault": (lambda: ctypes.string_at(0).decode(), "fault", "SIGSEGV"),
    "exit": (lambda: os._exit(3), "fault", "it ended"),
    "killed": (die, "limit", "memory is short"),
    "error": (miss, "fault", "KeyError in test_worker.py, line "),
    "recursion": (descend, "fault", "RecursionError"),
    "loop": (burn, "limit", "it takes longer than 0.2 s"),
    "wait": (burn_beside, "limit", "it takes longer than 0.2 s"),
    "memory": (eat, "limit", "more memory"),
    "too much to say": (lambda: "x" * (17 << 20), "limit", "more to tell"),
}


@pytest.mark.parametrize("name", list(FAILURES))
def test_a_reader_that_fails_costs_its_own_image_only(
    monkeypatch: pytest.MonkeyPatch, image: str, tmp_path: Path, name: str
) -> None:
    does, reason, detail = FAILURES[name]
    bad = tmp_path / "bad.img"
    bad.write_bytes(bytes(512))
    readers.use(monkeypatch, once(bad, does))
    monkeypatch.setattr(inquiry, "GRACE", 0.2)
    limits = Limits(timeout=0.2) if "0.2 s" in detail else Limits()
    with Inspector(limits) as inspector:
        before = inspector.inspect(image)
        found = inspector.inspect(str(bad))
        after = inspector.inspect(image)
    assert (found["unknown"], found["path"]) == (reason, str(bad))
    assert detail in found["detail"]
    assert before["unknown"] == after["unknown"] == "no-os"
    assert before["detail"] != after["detail"]


def test_one_process_reads_many_images(monkeypatch: pytest.MonkeyPatch, image: str) -> None:
    readers.use(monkeypatch, lambda source, references, budget: str(os.getpid()))
    with Inspector(Limits()) as inspector:
        found = {inspector.inspect(image)["detail"] for _ in range(50)}
    assert len(found) == 1
    assert found != {str(os.getpid())}


def test_a_process_that_died_between_images_is_nobodys_fault(
    monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    readers.use(monkeypatch, lambda source, references, budget: str(os.getpid()))
    with Inspector(Limits()) as inspector:
        first = int(inspector.inspect(image)["detail"])
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        found = inspector.inspect(image)
    assert found["unknown"] == "no-os"
    assert int(found["detail"]) != first


def test_no_process_and_no_descriptor_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    readers.use(monkeypatch, lambda source, references, budget: str(os.getpid()))
    before = len(os.listdir("/proc/self/fd"))
    with Inspector(Limits()) as inspector:
        process = int(inspector.inspect(image)["detail"])
        for _ in range(20):
            inspector.inspect(image)
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_descriptors_do_not_heap_up_in_the_process(
    monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    def next_free(source: Source, references: References, budget: Budget) -> str:
        free = os.dup(0)
        os.close(free)
        return str(free)

    readers.use(monkeypatch, next_free)
    with Inspector(Limits()) as inspector:
        assert len({inspector.inspect(image)["detail"] for _ in range(20)}) == 1


def test_an_interrupt_leaves_no_half_answer_for_the_next_image(
    monkeypatch: pytest.MonkeyPatch, image: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.img"
    bad.write_bytes(bytes(512))
    readers.use(monkeypatch, once(bad, burn_beside))
    # A shell that runs the tests in the background has them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Inspector(Limits()) as inspector:
            inspector.inspect(image)
            me = threading.get_ident()
            threading.Timer(0.1, signal.pthread_kill, (me, signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt):
                inspector.inspect(str(bad))
            assert inspector.inspect(image)["path"] == image
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_process_ends_with_the_program(tmp_path: Path, image: str) -> None:
    code = (
        "import os, sys\n"
        "from guestclock.disks import child\n"
        "from guestclock.disks.budget import Limits\n"
        "from guestclock.disks.record import nothing_read\n"
        "from guestclock.disks.worker import Inspector\n"
        "def read(source, path, references, budget, at, form):\n"
        "    return nothing_read(path, 'no-os', str(os.getpid()))\n"
        "child.load = lambda: read\n"
        "inspector = Inspector(Limits()).__enter__()\n"
        "print(inspector.inspect(sys.argv[1])['detail'], flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, image], capture_output=True, text=True)
    try:
        ended = os.pidfd_open(int(ran.stdout))
    except ProcessLookupError:
        return
    import select

    poll = select.poll()
    poll.register(ended, select.POLLIN)
    assert poll.poll(10_000)
    os.close(ended)


@pytest.mark.parametrize(
    ("path", "reason", "detail"),
    [
        ("/nowhere/disk.img", "unreachable", "No such file"),
        ("/dev/null", "not-an-image", "neither a file nor a block device"),
        ("/", "not-an-image", "folder"),
        ("nul\0.img", "unreachable", "no path"),
        ("\ud800", "unreachable", "no path"),
    ],
)
def test_what_cannot_be_opened_has_a_reason(path: str, reason: str, detail: str) -> None:
    with Inspector(Limits()) as inspector:
        found = inspector.inspect(path)
    assert (found["path"], found["unknown"]) == (path, reason)
    assert detail in found["detail"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with Inspector(Limits()) as inspector:
        assert inspector.inspect(str(tmp_path / "pipe"))["unknown"] == "not-an-image"


def test_a_socket_of_that_name_is_no_image(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as server, Inspector(Limits()) as inspector:
        server.bind(str(tmp_path / "socket"))
        assert inspector.inspect(str(tmp_path / "socket"))["unknown"] == "not-an-image"


def test_an_image_by_a_relative_name_or_a_link_is_read(
    monkeypatch: pytest.MonkeyPatch, image: str, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to("disk.img")
    monkeypatch.chdir(tmp_path)
    readers.use(
        monkeypatch, lambda source, references, budget: source.read_at(0, 6).decode("ascii")
    )
    with Inspector(Limits()) as inspector:
        for name in ("disk.img", "./disk.img", "link", image):
            assert inspector.inspect(name)["detail"] == "a disk"


# What the process may ask for.


@pytest.fixture
def chain(tmp_path: Path) -> str:
    for name in ("top.vmdk", "top-flat.vmdk", "base.img"):
        (tmp_path / name).write_bytes(name.encode().ljust(4096, b"."))
    return str(tmp_path / "top.vmdk")


def test_an_extent_comes_as_a_descriptor(monkeypatch: pytest.MonkeyPatch, chain: str) -> None:
    def reader(source: Source, references: References, budget: Budget) -> str:
        return references.part("top-flat.vmdk").read_at(0, 13).decode()

    readers.use(monkeypatch, reader)
    with Inspector(Limits()) as inspector:
        assert inspector.inspect(chain)["detail"] == "top-flat.vmdk"


def test_a_refusal_comes_as_the_answer(monkeypatch: pytest.MonkeyPatch, chain: str) -> None:
    def reader(source: Source, references: References, budget: Budget) -> str:
        return str(references.backing("base.img", "raw"))

    readers.use(monkeypatch, reader)
    with Inspector(Limits()) as inspector:
        found = inspector.inspect(chain)
    assert found["unknown"] == "refused-reference"
    assert "--follow-backing" in found["detail"]


def test_a_backing_file_comes_as_its_virtual_disk(
    monkeypatch: pytest.MonkeyPatch, chain: str
) -> None:
    def reader(source: Source, references: References, budget: Budget) -> str:
        return references.backing("base.img", "raw").read_at(0, 8).decode()

    readers.use(monkeypatch, reader)
    with Inspector(Limits(), follow=True) as inspector:
        assert inspector.inspect(chain)["detail"] == "base.img"


def test_what_an_extent_costs_is_paid(monkeypatch: pytest.MonkeyPatch, chain: str) -> None:
    def reader(source: Source, references: References, budget: Budget) -> str:
        before = budget.spent
        references.part("top-flat.vmdk").read_at(0, 4096)
        return str(budget.spent - before)

    readers.use(monkeypatch, reader)
    with Inspector(Limits()) as inspector:
        assert inspector.inspect(chain)["detail"] == "4096"


class Far:
    """A Source that only the program can read."""

    def __init__(self, data: bytes) -> None:
        self._data = Memory(data)
        self.asked: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return self._data.size

    def read_at(self, offset: int, count: int) -> bytes:
        self.asked.append((offset, count))
        return self._data.read_at(offset, count)


def test_a_source_of_the_program_is_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(3 * MOST_DATA + 5)
    import hashlib

    def reader(source: Source, references: References, budget: Budget) -> str:
        return hashlib.sha256(source.read_at(1, source.size - 2)).hexdigest()

    readers.use(monkeypatch, reader)
    far = Far(data)
    with Inspector(Limits()) as inspector:
        found = inspector.inspect_source(far, "far")
    assert found["detail"] == hashlib.sha256(data[1:-1]).hexdigest()
    assert max(count for _, count in far.asked) == MOST_DATA


def test_an_image_that_is_no_file_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def reader(source: Source, references: References, budget: Budget) -> str:
        return str(references.part("far-flat.vmdk"))

    readers.use(monkeypatch, reader)
    with Inspector(Limits(), follow=True, allowed=("/",)) as inspector:
        found = inspector.inspect_source(Memory(b"x"), "far")
    assert found["unknown"] == "refused-reference"


def test_what_a_source_cannot_give_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Far):
        def read_at(self, offset: int, count: int) -> bytes:
            raise Unreachable("the line is dead")

    def opening(budget: Budget) -> Source:
        raise Damaged("no such thing")

    readers.use(monkeypatch, lambda source, references, budget: str(source.read_at(0, 1)))
    with Inspector(Limits()) as inspector:
        found = inspector.inspect_source(Broken(b"x"), "far")
        never = inspector.inspect_source(opening, "never")
    assert (found["unknown"], found["detail"]) == ("unreachable", "the line is dead")
    assert (never["unknown"], never["detail"]) == ("damaged", "no such thing")


def test_a_process_that_asks_on_and_on_runs_out_of_time(
    monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    def reader(source: Source, references: References, budget: Budget) -> str:
        while True:
            try:
                references.backing("base.img", None)
            except Exception:
                continue

    readers.use(monkeypatch, reader)
    monkeypatch.setattr(inquiry, "GRACE", 0.1)
    with Inspector(Limits(timeout=0.1)) as inspector:
        assert inspector.inspect(image)["unknown"] == "limit"
