from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from guestclock.lab.cloud import Lab
from guestclock.lab.cloud.places import short_folder
from guestclock.lab.cloud.sweep import keep_record, sweep


@pytest.fixture
def gone(tmp_path: Path) -> Path:
    """The folder of a lab that somebody removed by hand."""
    return tmp_path / "gone"


@pytest.fixture
def short(gone: Path) -> Path:
    short = short_folder(gone)
    keep_record(short, gone)
    (short / "instance-00000001.sock").touch()
    return short


def test_a_lab_says_whose_its_short_folder_is(lab: Lab) -> None:
    assert (lab._site.sockets() / "lab").read_text() == str(lab.folder)
    sweep()
    assert lab._site.sockets().exists()


def test_opening_a_lab_sweeps_what_a_removed_lab_has_left(lab: Lab, tmp_path: Path) -> None:
    sockets = lab._site.sockets()
    shutil.rmtree(lab.folder)
    Lab(tmp_path / "other").close()
    assert not sockets.exists()


def test_a_lab_that_must_exist_sweeps_nothing(lab: Lab, short: Path) -> None:
    Lab(lab.folder, must_exist=True).close()
    assert short.exists()


def test_a_folder_without_a_record_is_left(gone: Path) -> None:
    short = short_folder(gone)
    sweep()
    assert short.exists()


def test_a_folder_that_others_can_write_to_is_left(short: Path) -> None:
    short.chmod(0o770)
    sweep()
    assert short.exists()


def test_a_folder_that_is_there_again_is_left(short: Path, gone: Path) -> None:
    gone.mkdir()
    sweep()
    assert short.exists()


def test_a_folder_that_a_moved_lab_uses_is_left(short: Path, gone: Path, tmp_path: Path) -> None:
    keep_record(short, tmp_path / "moved")
    sweep()
    assert short.exists()
    keep_record(short, gone)
    sweep()
    assert short.exists()


def test_a_folder_is_left_while_a_process_of_its_lab_runs(short: Path, gone: Path) -> None:
    home = {**os.environ, "HOME": str(gone / "hosts" / "host1")}
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, env=home) as process:
        sweep()
        assert short.exists()
        process.communicate()
    sweep()
    assert not short.exists()
