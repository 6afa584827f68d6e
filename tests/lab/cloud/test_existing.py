from __future__ import annotations

from pathlib import Path

import pytest

from guestclock.errors import GuestclockError
from guestclock.lab.cloud import Lab, rows
from guestclock.lab.cloud.actions import DestroyLab
from guestclock.lab.cloud.explained import trace_server
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.problems import NoLab, naming
from guestclock.lab.cloud.site import WHOLE
from guestclock.lab.errors import LabError
from tests.lab.cloud.fake import FakeGear


def test_a_lab_that_must_exist_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "lab"
    with pytest.raises(NoLab, match=f"there is no lab in {folder}") as refused:
        Lab(folder, must_exist=True)
    assert refused.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_folder_is_no_lab(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoLab):
        Lab(tmp_path, must_exist=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_lab_that_is_there_is_opened(lab: Lab) -> None:
    with Lab(lab.folder, must_exist=True, gear=FakeGear(lab.folder)) as again:
        assert [image.name for image in again.images.list()] == ["lin", "win"]


def test_a_half_destroyed_lab_is_destroyed_and_not_made_anew(lab: Lab) -> None:
    with lab._site.store.writing() as connection:
        rows.begin_task(connection, Subject.LAB, WHOLE, DestroyLab())
    with pytest.raises(NoLab) as refused:
        Lab(lab.folder, must_exist=True, gear=FakeGear(lab.folder))
    assert refused.value.finished
    assert not lab.folder.exists()


def test_a_trace_of_no_lab_writes_nothing_and_names_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my lab"
    with pytest.raises(NoLab) as refused:
        trace_server(str(folder), "desk7")
    assert refused.value.hint == f"`guestclock lab --lab '{folder}' image create ...` makes one"
    assert not folder.exists()


def test_the_users_own_lab_is_not_named_in_hints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(NoLab, match=str(tmp_path / "guestclock" / "lab")) as refused:
        trace_server("", "desk7")
    assert refused.value.hint == "`guestclock lab image create ...` makes one"
    assert list(tmp_path.iterdir()) == []


def test_an_error_without_a_hint_stays_as_it_is() -> None:
    with pytest.raises(GuestclockError) as error, naming("lab"):
        raise LabError("no")
    assert (error.value.message, error.value.hint) == ("no", None)
