from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.errors import Unreadable
from guestclock.repair.journal import (
    Event,
    JournalBusy,
    JournalDamaged,
    opened,
    path_of,
    read,
)

PLAN = "p1"


def filled(folder: Path) -> Path:
    with opened(folder, PLAN) as journal:
        journal.write(Event.BEGUN, plan="digest")
        journal.write(Event.INTENT, "1", old="utc", new="localtime")
        journal.write(Event.DONE, "1")
    return path_of(folder, PLAN)


def test_what_was_written_is_read_again_in_its_order(tmp_path: Path) -> None:
    entries = read(filled(tmp_path))
    assert [(one.event, one.step) for one in entries] == [
        (Event.BEGUN, ""),
        (Event.INTENT, "1"),
        (Event.DONE, "1"),
    ]
    assert entries[1].told == {"old": "utc", "new": "localtime"}
    with opened(tmp_path, PLAN) as journal:
        assert journal.entries == entries
        journal.write(Event.VERIFIED, "1")
    assert [one.event for one in read(path_of(tmp_path, PLAN))][3:] == [Event.VERIFIED]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = filled(tmp_path / "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, PLAN), pytest.raises(JournalBusy), opened(tmp_path, PLAN):
        pass


@given(cut=st.integers(min_value=1))
def test_a_line_that_was_cut_short_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = filled(tmp_path_factory.mktemp("journal"))
    content = path.read_bytes()
    kept = content[: cut % len(content)]
    path.write_bytes(kept)
    whole = kept.count(b"\n")
    with opened(path.parent, PLAN) as journal:
        assert len(journal.entries) == whole
        journal.write(Event.REFUSED, "9")
    assert len(read(path)) == whole + 1


@given(where=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_no_changed_bit_is_believed(
    tmp_path_factory: pytest.TempPathFactory, where: int, bit: int
) -> None:
    path = filled(tmp_path_factory.mktemp("journal"))
    before = read(path)
    content = bytearray(path.read_bytes())
    content[where % len(content)] ^= 1 << bit
    path.write_bytes(bytes(content))
    try:
        after = read(path)
    except JournalDamaged:
        return
    # The end of the last line was hit, or a letter of a JSON escape: what is told is the same.
    assert after in (before, before[:-1])


def test_lines_in_another_order_are_damage(tmp_path: Path) -> None:
    path = filled(tmp_path)
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + third + second)
    with pytest.raises(JournalDamaged, match="line 2"), opened(tmp_path, PLAN):
        pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kept")
    path_of(tmp_path, PLAN).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unreadable), opened(tmp_path, PLAN):
        pass
    assert (tmp_path / "elsewhere").read_text() == "kept"


def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk's: the kernel writes what fits, then fails."""
    path = filled(tmp_path)
    size = path.stat().st_size
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from guestclock.errors import Unreadable\n"
        "from guestclock.repair.journal import Event, opened\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with opened(Path(sys.argv[1]), 'p1') as journal:\n"
        f"    resource.setrlimit(resource.RLIMIT_FSIZE, ({size + 10}, {size + 10}))\n"
        "    try:\n"
        "        journal.write(Event.INTENT, '2')\n"
        "    except Unreadable as problem:\n"
        "        print(problem.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    assert "the journal cannot be written: File too large" in done.stdout
    assert path.stat().st_size == size
    assert len(read(path)) == 3
