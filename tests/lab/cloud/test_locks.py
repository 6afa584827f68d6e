from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from guestclock.lab.cloud.locks import Locks, Subject


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    return Locks(tmp_path / "lock")


@pytest.fixture
def holder(locks: Locks) -> Iterator[int]:
    """Another process that holds server 1 until it is killed."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with locks.exclusive(Subject.SERVER, 1):
            os.write(tell, b"!")
            signal.pause()
    os.read(ready, 1)
    yield child
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_what_another_process_holds_is_not_free(locks: Locks, holder: int) -> None:
    with locks.try_exclusive(Subject.SERVER, 1) as free:
        assert not free


@pytest.mark.parametrize("other", [(Subject.SERVER, 2), (Subject.IMAGE, 1), (Subject.LAB, 0)])
def test_other_locks_are_free(locks: Locks, holder: int, other: tuple[Subject, int]) -> None:
    with locks.try_exclusive(*other) as free:
        assert free


def test_a_lock_ends_with_its_holder_however_that_ends(locks: Locks, holder: int) -> None:
    waited = []

    def wait() -> None:
        waited.append(holder)
        os.kill(holder, signal.SIGKILL)

    with locks.exclusive(Subject.SERVER, 1, wait):
        assert waited == [holder]


def test_one_process_excludes_itself_too(locks: Locks) -> None:
    with (
        locks.exclusive(Subject.HOST, 3),
        locks.try_exclusive(Subject.HOST, 3) as free,
    ):
        assert not free


def test_what_is_shared_can_be_shared_and_not_had_alone(locks: Locks) -> None:
    with (
        locks.shared(Subject.LAB, 0),
        locks.shared(Subject.LAB, 0),
        locks.try_exclusive(Subject.LAB, 0) as free,
    ):
        assert not free
    with locks.try_exclusive(Subject.LAB, 0) as free:
        assert free
