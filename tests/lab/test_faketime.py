from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from guestclock.lab import faketime
from guestclock.lab.errors import MissingToolError


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    faketime.library.cache_clear()
    yield
    faketime.library.cache_clear()


def test_an_instant_is_given_as_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faketime, "library", lambda: Path("/lib/faketime.so"))
    assert faketime.fixed_env(1804915199, "America/New_York") == {
        "LD_PRELOAD": "/lib/faketime.so",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME": "@1804915199",
        "FAKETIME_FMT": "%s",
        "TZ": "America/New_York",
    }
    assert "TZ" not in faketime.fixed_env(0, None)


def test_a_lab_s_time_is_read_from_its_file_again_and_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(faketime, "library", lambda: Path("/lib/faketime.so"))
    assert faketime.stepped_env(tmp_path) == {
        "LD_PRELOAD": "/lib/faketime.so",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path),
        "FAKETIME_NO_CACHE": "1",
    }


def test_without_the_library_its_package_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(faketime, "_PLACES", (str(tmp_path),))
    assert faketime.library() is None
    with pytest.raises(MissingToolError) as caught:
        faketime.fixed_env(0, None)
    assert "libfaketime" in (caught.value.hint or "")


def test_what_a_killed_process_left_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(faketime, "_SHARED_MEMORY", tmp_path)
    for pid in (7, os.getpid()):
        (tmp_path / f"faketime_shm_{pid}").touch()
        (tmp_path / f"sem.faketime_sem_{pid}").touch()
    faketime.forget(7)
    faketime.forget(7)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"faketime_shm_{os.getpid()}",
        f"sem.faketime_sem_{os.getpid()}",
    ]
