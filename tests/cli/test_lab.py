from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guestclock.cli.lab import lab
from guestclock.errors import GuestclockError
from guestclock.lab.cloud import lab as lab_module
from guestclock.lab.cloud import rows
from guestclock.lab.cloud.actions import DestroyLab
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.site import WHOLE
from guestclock.lab.cloud.store import Store
from tests.lab.cloud.fake import FakeGear

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs one command of `guestclock lab` on hosts without machines."""
    folder = tmp_path / "lab"
    monkeypatch.setattr(lab_module, "RealGear", lambda: FakeGear(folder))

    def command(*words: str) -> Result:
        return CliRunner().invoke(lab, ["--lab", str(folder), *words])

    yield command
    command("destroy")


@pytest.fixture
def desk7(run: Run) -> str:
    assert run("host", "set", "host1", "--zone", "Asia/Shanghai").exit_code == 0
    made = run("image", "create", "win", "--guest", "windows", "--zone", "Asia/Shanghai")
    assert made.exit_code == 0
    assert run("server", "create", "desk7", "--image", "win").exit_code == 0
    return "desk7"


def fields(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_a_list_as_table_has_the_openstack_clients_columns(run: Run, desk7: str) -> None:
    lines = run("server", "list").stdout.splitlines()
    assert lines[0] == lines[2] == lines[-1]
    assert lines[1].split()[1::2] == ["ID", "Name", "Status", "Image", "Host"]
    assert "| ACTIVE |" in lines[3]


def test_the_forms_of_a_list(run: Run, desk7: str) -> None:
    chosen = ("host", "list", "-c", "name", "-c", "Zone", "-f")
    assert json.loads(run(*chosen, "json").stdout) == [{"Name": "host1", "Zone": "Asia/Shanghai"}]
    assert run(*chosen, "value").stdout == "host1 Asia/Shanghai\n"
    assert run(*chosen, "csv").stdout == '"Name","Zone"\n"host1","Asia/Shanghai"\n'
    assert run(*chosen, "yaml").stdout == '- Name: "host1"\n  Zone: "Asia/Shanghai"\n'


def test_an_empty_list_is_one_in_every_form(run: Run) -> None:
    run("time", "reset")
    assert run("image", "list", "-f", "json").stdout == "[]\n"
    assert run("image", "list", "-f", "yaml").stdout == "[]\n"
    assert run("image", "list", "-f", "value").stdout == ""


def test_the_forms_of_one_thing(run: Run, desk7: str) -> None:
    run("image", "set", "win", "--property", "os_type=windows", "--property", "a=b=c")
    shown = fields(run("image", "show", "win", "-f", "json"))
    assert shown["properties"] == {"a": "b=c", "os_type": "windows"}
    assert run("image", "show", "win", "-f", "value", "-c", "status").stdout == "active\n"
    assert '  "os_type": "windows"' in run("image", "show", "win", "-f", "yaml").stdout
    assert "| properties | a='b=c', os_type='windows'" in run("image", "show", "win").stdout


def test_a_column_that_is_not_there_is_a_usage_error(run: Run) -> None:
    run("time", "reset")
    result = run("host", "list", "-c", "colour")
    assert result.exit_code == 2
    assert "there is no column 'colour': use Name, Zone" in result.output


def test_the_clock_says_how_far_it_is_off(run: Run, desk7: str) -> None:
    clock = fields(run("clock", desk7, "-f", "json"))
    assert -8 * 3600 - 2 <= int(str(clock["error_seconds"])) <= -8 * 3600
    assert clock["rtc"] == clock["guest_local"]
    assert str(clock["true_utc"]).endswith("Z")
    assert run("server", "set-time", desk7, str(clock["true_local"])).exit_code == 0
    again = fields(run("clock", desk7, "-f", "json"))
    assert abs(int(str(again["error_seconds"]))) <= 2


def test_the_life_of_a_server(run: Run, desk7: str) -> None:
    def status() -> str:
        return run("server", "show", desk7, "-f", "value", "-c", "status").stdout.strip()

    assert run("host", "create", "host2", "--zone", "America/New_York").exit_code == 0
    for words, expected in (
        (("pause",), "PAUSED"),
        (("unpause",), "ACTIVE"),
        (("guest-reboot",), "ACTIVE"),
        (("reboot", "--soft"), "ACTIVE"),
        (("reboot", "--hard"), "ACTIVE"),
        (("migrate", "--live"), "ACTIVE"),
        (("stop",), "SHUTOFF"),
        (("set-registry", "--universal"), "SHUTOFF"),
        (("migrate", "--host", "host1"), "SHUTOFF"),
        (("rebuild",), "SHUTOFF"),
        (("start",), "ACTIVE"),
        (("snapshot", "--name", "snap"), "ACTIVE"),
    ):
        result = run("server", words[0], desk7, *words[1:])
        assert (result.exit_code, status()) == (0, expected), words
    assert run("server", "delete", desk7).exit_code == 0
    assert run("image", "delete", "win", "snap").exit_code == 0
    assert run("host", "delete", "host2").exit_code == 0
    assert run("server", "list", "-f", "value").stdout == ""


def test_time_travel(run: Run) -> None:
    assert run("time", "set", "2031-02-03T04:05:06Z").exit_code == 0
    shown = fields(run("time", "show", "-f", "json"))
    assert str(shown["now"]).startswith("2031-02-03T04:05:0")
    offset = int(str(shown["offset_seconds"]))
    assert run("time", "step", "-3600").exit_code == 0
    assert fields(run("time", "show", "-f", "json"))["offset_seconds"] == offset - 3600
    assert run("time", "reset").exit_code == 0
    assert fields(run("time", "show", "-f", "json"))["offset_seconds"] == 0


def test_down_and_destroy(run: Run, desk7: str, tmp_path: Path) -> None:
    assert run("down").exit_code == 0
    assert run("server", "list", "-f", "value", "-c", "Status").stdout == "SHUTOFF\n"
    assert run("destroy").exit_code == 0
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("image", "create", "x"),
        ("image", "create", "x", "--guest", "utc", "--file", "/dev/null"),
        ("image", "create", "x", "--file", "/etc/passwd", "--deaf"),
        ("image", "set", "x", "--property", "novalue"),
        ("time", "set", "2031-02-03T04:05:06"),
        ("server", "set-time", "x", "noon"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_what_cannot_be_done_is_an_error_with_a_hint(run: Run, tmp_path: Path) -> None:
    run("time", "reset")
    error = run("server", "show", "nobody").exception
    assert isinstance(error, GuestclockError)
    assert error.message == "there is no server 'nobody'"
    assert error.hint == f"`guestclock lab --lab {tmp_path / 'lab'} server list` shows them all"


@pytest.mark.parametrize(
    "words",
    [
        ("image", "list"),
        ("image", "show", "x"),
        ("server", "list"),
        ("server", "show", "x"),
        ("host", "list"),
        ("time", "show"),
        ("clock", "x"),
        ("down",),
        ("destroy",),
    ],
)
def test_where_there_is_no_lab_reading_says_so_and_makes_none(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    error = run(*words).exception
    assert isinstance(error, GuestclockError)
    assert (error.message, error.exit_code) == (f"there is no lab in {tmp_path / 'lab'}", 3)
    assert not (tmp_path / "lab").exists()


def test_a_destroy_that_was_cut_short_is_finished_by_the_next(
    run: Run, desk7: str, tmp_path: Path
) -> None:
    with Store(tmp_path / "lab" / "lab.sqlite").writing() as connection:
        rows.begin_task(connection, Subject.LAB, WHOLE, DestroyLab())
    assert run("destroy").exit_code == 0
    assert not (tmp_path / "lab").exists()


def test_the_clock_of_a_paused_server_says_why_there_is_none(run: Run, desk7: str) -> None:
    run("server", "pause", desk7)
    clock = run("clock", desk7, "-f", "json")
    assert fields(clock)["guest_utc"] is None
    assert clock.stderr == "guestclock lab: server desk7 is paused: its guest does not run\n"
