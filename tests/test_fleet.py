"""An audit by several workers gives what one process gives, and leaves no process behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from guestclock import fleet
from guestclock.audit import Audited, Judge, Result, Tally
from guestclock.errors import Unreadable
from guestclock.fleet import audit_files
from guestclock.platforms.interface import Unread
from guestclock.platforms.surroundings import Surroundings
from tests.findings.build import AT, ZONES

CLOCKS = (
    "<clock offset='utc'/>",
    "<clock offset='utc' adjustment='reset'/>",
    "<clock offset='timezone' timezone='Asia/Shangai'/>",
    "<clock offset='absolute' start='86400'/>",
    "",
)


def domain(number: int, unique: int | None = None) -> str:
    uuid = f"55f6c3cf-150f-406e-8302-{number if unique is None else unique:012x}"
    return (
        f"<domain type='kvm'><name>vm{number}</name><uuid>{uuid}</uuid>"
        f"{CLOCKS[number % len(CLOCKS)]}</domain>"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """900 definitions, every hundredth broken, and the first one twice, far apart."""
    for number in range(900):
        text = "<domain" if number % 100 == 50 else domain(number, 0 if number == 899 else None)
        place = tmp_path / f"{number // 300}"
        place.mkdir(exist_ok=True)
        (place / f"{number:04d}.xml").write_text(text)
    return tmp_path


def results(folder: Path, jobs: int | None) -> Iterator[Result]:
    return Tally().count(audit_files([str(folder)], Surroundings(), Judge(AT, ZONES), jobs=jobs))


def plain(found: Iterator[Result]) -> list[object]:
    return [one if isinstance(one, Unread) else (one.machine, one.findings) for one in found]


@pytest.mark.parametrize("jobs", [2, 3])
def test_workers_give_the_same_in_the_same_order(folder: Path, jobs: int) -> None:
    alone = plain(results(folder, 1))
    assert len(alone) == 900
    assert sum(isinstance(one, Unread) for one in alone) == 9 + 1
    assert plain(results(folder, jobs)) == alone


def test_workers_that_forget_still_give_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "_REMEMBERED", 2)
    monkeypatch.setattr(fleet, "_PART_FILES", 7)
    assert plain(results(folder, 2)) == plain(results(folder, 1))


def test_equal_machines_of_a_worker_share_their_judgement(folder: Path) -> None:
    judged = [one.judgement for one in results(folder, 2) if isinstance(one, Audited)]
    assert len({id(one) for one in judged}) <= 2 * len(CLOCKS)


def test_few_files_need_no_worker(folder: Path) -> None:
    found = results(folder, None)
    next(found)
    assert multiprocessing.active_children() == []


def test_many_files_are_read_by_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "WORTH_A_POOL", 500)
    monkeypatch.setattr(fleet, "cores", lambda: 2)
    found = results(folder, None)
    next(found)
    assert len(multiprocessing.active_children()) == 2
    assert len(list(found)) == 899


def test_an_audit_that_is_given_up_ends_its_workers(folder: Path) -> None:
    found = results(folder, 2)
    next(found)
    assert len(multiprocessing.active_children()) == 2
    assert isinstance(found, Iterator)
    found.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies_is_said_and_the_others_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "_PART_FILES", 10)
    found = results(folder, 2)
    next(found)
    victim = multiprocessing.active_children()[0]
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    with pytest.raises(Unreadable, match="a worker died") as problem:
        list(found)
    assert "--jobs 1" in (problem.value.hint or "")
    assert multiprocessing.active_children() == []


KILLED = """
import json, multiprocessing, os, signal, sys
from guestclock.audit import Judge
from guestclock.fleet import audit_files
from guestclock.platforms.surroundings import Surroundings
from tests.findings.build import AT, ZONES
found = audit_files([sys.argv[1]], Surroundings(), Judge(AT, ZONES), jobs=2)
next(found)
print(json.dumps([child.pid for child in multiprocessing.active_children()]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_with_a_parent_that_was_killed(folder: Path) -> None:
    root = Path(__file__).parent.parent
    # Their standard output would keep the pipe open, so that only the first line is awaited.
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        workers = json.loads(process.stdout.readline())
        assert len(workers) == 2
        assert process.wait(60) == -signal.SIGKILL
        for worker in workers:
            try:
                descriptor = os.pidfd_open(worker)
            except ProcessLookupError:
                continue
            ended, _, _ = select.select([descriptor], [], [], 60)
            os.close(descriptor)
            assert ended


def test_a_folder_that_is_not_there_is_one_unread() -> None:
    found = list(audit_files(["/no/such/folder"], Surroundings(), Judge(AT, ZONES), jobs=2))
    assert [type(one) for one in found] == [Unread]


def test_parts_are_small_enough_to_be_sent_without_waiting() -> None:
    paths = iter([f"{'x' * 4000}{number}" for number in range(100)])
    for part, _ in fleet._parts(paths):
        assert sum(map(len, part)) < 40_000
