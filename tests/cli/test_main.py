from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from guestclock.cli import main as program
from guestclock.cli.lazy import LazyCommand
from guestclock.errors import GuestclockError, Unreadable, UsageProblem

BROKEN: dict[str, Callable[[], object]] = {}


@click.command()
@click.option("--fail-on", default="error")
@click.option("--select", multiple=True)
@click.option("-f", "--format", "form", default="table")
def trial(**options: object) -> object:
    """Prints its options, or does what a test asks of it."""
    click.echo(sorted(options.items()))
    return BROKEN["act"]() if "act" in BROKEN else None


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(program.COMMANDS, "trial", LazyCommand(f"{__name__}:trial", "A trial."))
    monkeypatch.setattr(program.guestclock, "commands", {})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    BROKEN.clear()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["guestclock", *arguments])
    with pytest.raises(SystemExit) as left:
        program.main()
    assert isinstance(left.value.code, int)
    return left.value.code


def raising(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GuestclockError("it went wrong", "try again"), 3),
        (UsageProblem("it went wrong", "try again"), 2),
        (Unreadable("it went wrong", "try again"), 3),
    ],
)
def test_a_foreseen_error_is_one_line_and_its_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    BROKEN["act"] = raising(error)
    assert run(monkeypatch, "trial") == code
    assert capsys.readouterr().err == "guestclock: it went wrong\nhint: try again\n"


def test_an_unforeseen_error_is_not_hidden_nor_taken_for_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    BROKEN["act"] = raising(RuntimeError("a fault of ours"))
    assert run(monkeypatch, "trial") == 70
    said = capsys.readouterr().err
    assert "RuntimeError: a fault of ours" in said
    assert said.endswith("please report it\n")


def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "guestclock", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 3
    assert ran.stderr == "guestclock: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    BROKEN["act"] = raising(error)
    assert run(monkeypatch, "trial") == 130


@pytest.mark.parametrize("code", [0, 1, 3])
def test_what_a_command_returns_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    BROKEN["act"] = lambda: code
    assert run(monkeypatch, "trial") == code


def test_what_a_command_leaves_with_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    BROKEN["act"] = raising(click.exceptions.Exit(3))
    assert run(monkeypatch, "trial") == 3


def test_a_missing_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    BROKEN["act"] = raising(ModuleNotFoundError("No module named 'libvirt'", name="libvirt"))
    assert run(monkeypatch, "trial") == 3
    assert "pip install 'guestclock[libvirt]'" in capsys.readouterr().err


def test_a_misspelt_command_proposes_the_right_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "trail") == 2
    assert "Did you mean 'trial'?" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "trial", "--nonsense") == 2


def test_a_reader_that_went_away_ends_the_program_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "guestclock", "--help"]
    ran = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (program.READER_GONE, b"")


# The configuration


def test_a_file_gives_options_their_defaults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[trial]\nfail-on = "note"\nformat = "csv"\nselect = ["CLK101", "CLK102"]\n'
    Path("guestclock.toml").write_text(text)
    assert run(monkeypatch, "trial") == 0
    expected = [("fail_on", "note"), ("form", "csv"), ("select", ("CLK101", "CLK102"))]
    assert capsys.readouterr().out == f"{expected}\n"


def test_the_nearer_file_wins_key_by_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "user" / "guestclock").mkdir(parents=True)
    user = tmp_path / "user" / "guestclock" / "guestclock.toml"
    user.write_text('[trial]\nfail_on = "note"\nformat = "csv"\n')
    Path("guestclock.toml").write_text('[trial]\nformat = "json"\n')
    assert run(monkeypatch, "trial") == 0
    assert "('fail_on', 'note'), ('form', 'json')" in capsys.readouterr().out


def test_the_environment_wins_over_files_and_the_command_line_over_both(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("guestclock.toml").write_text('[trial]\nfail-on = "note"\nformat = "csv"\n')
    monkeypatch.setenv("GUESTCLOCK_TRIAL_FAIL_ON", "warning")
    monkeypatch.setenv("GUESTCLOCK_TRIAL_FORMAT", "html")
    assert run(monkeypatch, "trial", "-f", "json") == 0
    assert "('fail_on', 'warning'), ('form', 'json')" in capsys.readouterr().out


def test_a_variable_is_named_after_the_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUESTCLOCK_TRIAL_FORMAT", "html")
    assert run(monkeypatch, "trial") == 0
    assert "('form', 'html')" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[trial]\nfial-on = "note"\n', "did you mean 'fail-on'?"),
        ("trial = 3\n", "trial is no table"),
        ("[trial\n", "guestclock.toml: "),
        ("\0", "guestclock.toml: "),
    ],
)
def test_a_bad_file_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    Path("guestclock.toml").write_text(text)
    assert run(monkeypatch, "trial") == 2
    assert said in capsys.readouterr().err


def test_tables_of_other_commands_are_left_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("guestclock.toml").write_text("[other]\nnonsense = 1\n")
    assert run(monkeypatch, "trial") == 0


def test_a_file_that_others_can_write_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("guestclock.toml").write_text('[trial]\nformat = "json"\n')
    Path("guestclock.toml").chmod(0o666)
    assert run(monkeypatch, "trial") == 2
    assert "another user could have written it" in capsys.readouterr().err


def test_the_options_of_a_group_s_commands_are_tables_inside_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    group = click.Group("trial", commands={"inner": trial})
    monkeypatch.setattr(sys.modules[__name__], "trial", group)
    Path("guestclock.toml").write_text('[trial.inner]\nformat = "json"\n')
    assert run(monkeypatch, "trial", "inner") == 0
    assert "('form', 'json')" in capsys.readouterr().out
