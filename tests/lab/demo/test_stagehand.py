from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from guestclock.lab.cloud import Lab
from guestclock.lab.demo.stagehand import temporary_lab


@pytest.fixture
def demos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where demos put their labs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "guestclock" / "demo"


def _said(_: str) -> None:
    return


def test_the_lab_is_gone_afterwards(demos: Path) -> None:
    with temporary_lab("qemu", _said) as lab:
        assert lab.folder == demos / str(os.getpid())
    assert not demos.exists()


def test_the_lab_is_gone_after_an_error_too(demos: Path) -> None:
    with pytest.raises(RuntimeError), temporary_lab("qemu", _said):
        raise RuntimeError
    assert not demos.exists()


def test_what_a_killed_demo_left_is_cleared_away(demos: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    Lab(demos / str(ended.pid), "qemu").close()
    with temporary_lab("qemu", _said):
        assert [path.name for path in demos.iterdir()] == [str(os.getpid())]


def test_the_lab_of_a_demo_that_runs_is_left_alone(demos: Path) -> None:
    other = demos / str(os.getppid())
    Lab(other, "qemu").close()
    with temporary_lab("qemu", _said):
        pass
    assert (other / "lab.sqlite").exists()
