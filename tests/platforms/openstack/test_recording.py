from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from guestclock.errors import Unreadable, UsageProblem
from guestclock.platforms.openstack.recording import Recording

LINE = b'{"a":1}\n'


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "nova.jsonl"


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may get longer: what a full disk is like."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def numbered(number: int) -> bytes:
    return b'{"n":%d}\n' % number


def test_lines_are_appended_and_for_their_owner_alone(record: Path) -> None:
    for _ in range(2):
        with Recording(str(record), 1000, 1) as recording:
            recording.write(LINE)
    assert record.read_bytes() == LINE * 2
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_an_older_file_is_closed_to_others(record: Path) -> None:
    record.write_bytes(LINE)
    record.chmod(0o644)
    Recording(str(record), 1000, 1).close()
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_a_line_is_in_the_file_once_it_is_written(record: Path) -> None:
    with Recording(str(record), 1000, 1) as recording:
        recording.write(LINE)
        assert record.read_bytes() == LINE


def test_files_are_rotated_and_the_oldest_goes(record: Path) -> None:
    with Recording(str(record), 2 * len(LINE), 2) as recording:
        for number in range(9):
            recording.write(numbered(number))
    files = {path.name: path.read_bytes() for path in record.parent.iterdir()}
    assert files == {
        "nova.jsonl": numbered(8),
        "nova.jsonl.1": numbered(6) + numbered(7),
        "nova.jsonl.2": numbered(4) + numbered(5),
        "nova.jsonl.lock": b"",
    }
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_rotation_goes_on_where_the_last_recorder_ended(record: Path) -> None:
    for number in range(3):
        with Recording(str(record), 2 * len(LINE), 1) as recording:
            recording.write(numbered(number))
    assert record.read_bytes() == numbered(2)
    assert record.with_name("nova.jsonl.1").read_bytes() == numbered(0) + numbered(1)


def test_a_line_longer_than_a_file_has_one_of_its_own(record: Path) -> None:
    with Recording(str(record), 4, 5) as recording:
        recording.write(LINE)
        recording.write(LINE)
    assert record.read_bytes() == LINE
    assert record.with_name("nova.jsonl.1").read_bytes() == LINE
    assert not record.with_name("nova.jsonl.2").exists()


def test_a_torn_line_does_not_spoil_the_next(record: Path) -> None:
    record.write_bytes(LINE + b'{"a":')
    with Recording(str(record), 1000, 1) as recording:
        recording.write(LINE)
    assert record.read_bytes() == LINE + b'{"a":\n' + LINE


def test_a_full_disk_is_said_and_leaves_whole_lines(record: Path) -> None:
    with Recording(str(record), 1000, 1) as recording:
        recording.write(LINE)
        with disk_of(len(LINE) + 3), pytest.raises(Unreadable, match="cannot be written"):
            recording.write(LINE)
        assert record.read_bytes() == LINE
        with disk_of(len(LINE)), pytest.raises(Unreadable, match="cannot be written"):
            recording.write(LINE)
        recording.write(LINE)
    assert record.read_bytes() == LINE * 2


def test_a_second_recorder_is_kept_out_after_a_rotation_too(record: Path) -> None:
    with Recording(str(record), len(LINE), 1) as first:
        first.write(LINE)
        first.write(LINE)
        with pytest.raises(UsageProblem, match="another guestclock listen"):
            Recording(str(record), 1000, 1)
    Recording(str(record), 1000, 1).close()


def test_a_file_named_by_mistake_is_left_alone(record: Path) -> None:
    record.write_text("root:x:0:0\n")
    record.chmod(0o644)
    with pytest.raises(UsageProblem, match="no record of notifications"):
        Recording(str(record), 1000, 1)
    assert record.read_text() == "root:x:0:0\n"
    assert stat.S_IMODE(record.stat().st_mode) == 0o644
    assert list(record.parent.iterdir()) == [record]


def test_a_pipe_is_refused(record: Path) -> None:
    os.mkfifo(record)
    with pytest.raises(UsageProblem, match="is not a file"):
        Recording(str(record), 1000, 1)


@pytest.mark.parametrize("path", ["", "none/nova.jsonl", "."])
def test_what_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unreadable, match="cannot be written"):
        Recording(path, 1000, 1)
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_open(record: Path) -> None:
    def opened() -> set[str]:
        links = Path("/proc/self/fd").iterdir()
        return {target for link in links if (target := _target(link)).startswith(str(record))}

    with Recording(str(record), len(LINE), 1) as recording:
        recording.write(LINE)
        recording.write(LINE)
        assert opened() == {str(record), f"{record}.lock"}
    assert opened() == set()


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""
