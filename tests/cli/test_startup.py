from __future__ import annotations

import os
import subprocess
import sys

import pytest

from guestclock import __version__
from guestclock.cli.main import COMMANDS

MODULES = "import sys; print('\\n'.join(sorted(sys.modules)), file=sys.stderr)"
RUN = "import runpy, sys, atexit; atexit.register(lambda: exec({modules!r})); sys.argv = {argv!r}"


def imported(code: str) -> set[str]:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stderr.split())


def imported_by(*arguments: str) -> set[str]:
    prepare = RUN.format(modules=MODULES, argv=["guestclock", *arguments])
    return imported(f"{prepare}; runpy.run_module('guestclock', run_name='__main__')")


@pytest.mark.parametrize("option", ["--version", "--help", "-h"])
def test_a_start_up_imports_nothing_but_click(option: str) -> None:
    packages = {name.partition(".")[0] for name in imported_by(option) - imported(MODULES)}
    assert packages - set(sys.stdlib_module_names) <= {"click", "guestclock"}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_start_up_imports_none_of_the_commands_or_the_core(option: str) -> None:
    ours = {name for name in imported_by(option) if name.startswith("guestclock")}
    assert ours - {"guestclock.__main__"} == {
        "guestclock",
        "guestclock.cli",
        "guestclock.cli.lazy",
        "guestclock.cli.main",
        "guestclock.errors",
    }


def test_no_start_up_asks_for_the_version_of_an_installed_package() -> None:
    assert "importlib.metadata" not in imported_by("--version") - imported(MODULES)


def test_completion_of_a_command_name_imports_no_command() -> None:
    asked = {
        **os.environ,
        "_GUESTCLOCK_COMPLETE": "bash_complete",
        "COMP_WORDS": "guestclock au",
        "COMP_CWORD": "1",
    }
    code = "import sys; from guestclock.cli.main import main; " + (
        "import atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=asked
    )
    assert ran.stdout.split() == ["plain,audit"]
    assert "guestclock.cli.audit" not in ran.stderr.split()


def test_the_version_is_one_line() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "guestclock", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == f"guestclock {__version__}\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_has_a_help_of_its_own(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "guestclock", name, "--help"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"Usage: guestclock {name} ")
