"""Defaults of options from guestclock.toml, so that a fleet's habits are written down once.

One table a command, one key an option, dashes or underscores alike:

    [audit]
    fail-on = "warning"
    format = "sarif"

The nearest file wins, key by key: ./guestclock.toml, then the user's, then the system's. An
option on the command line or in the environment (GUESTCLOCK_AUDIT_FAIL_ON) wins over any file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

import click

from guestclock.errors import UsageProblem

NAME = "guestclock.toml"


def name_variables(command: click.Command, prefix: str = "GUESTCLOCK") -> None:
    """Gives each option its variable: GUESTCLOCK_AUDIT_FAIL_ON for `audit --fail-on`.

    click would name it after the function's parameter, which no user has ever seen.
    """
    prefix = f"{prefix}_{_upper(command.name or '')}"
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None and _flags(option):
            option.envvar = f"{prefix}_{_upper(_flags(option)[0])}"
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            name_variables(inner, prefix)


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def places() -> Iterator[str]:
    """Where a file may be, the farthest first."""
    yield os.path.join("/etc/guestclock", NAME)
    user = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    yield os.path.join(user, "guestclock", NAME)
    yield NAME


def configured(command: click.Command) -> dict[str, Any]:
    """The default map of the root context for one command, from all files that exist.

    Raises UsageProblem for a file that is no TOML, that another user could have written, or
    that names an option the command does not have.
    """
    assert command.name is not None
    merged: dict[str, Any] = {}
    for place in places():
        table = _read(place).get(command.name, {})
        if not isinstance(table, dict):
            raise UsageProblem(f"{place}: {command.name} is no table", f"write [{command.name}]")
        _merge(merged, _checked(table, command, place, f"[{command.name}]"))
    return {command.name: merged}


def _read(place: str) -> dict[str, Any]:
    try:
        with open(place, "rb") as file:
            status = os.fstat(file.fileno())
            # An option can name a connection, and a connection can name a program to run.
            if status.st_uid not in (0, os.geteuid()) or status.st_mode & stat.S_IWOTH:
                raise UsageProblem(
                    f"{place}: not read, as another user could have written it",
                    "make it yours and not writable by others, or run from another folder",
                )
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageProblem(f"{place}: {error.strerror}") from error
    # Most runs have no such file, and start sooner without what only reads one.
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{place}: {error}") from error


def _checked(
    table: dict[str, Any], command: click.Command, place: str, heading: str
) -> dict[str, Any]:
    """The table with keys as parameter names; subcommands are tables inside their group's."""
    inner = command.commands if isinstance(command, click.Group) else {}
    options = {one.name: one for one in command.params if isinstance(one, click.Option)}
    checked: dict[str, Any] = {}
    for key, value in table.items():
        if key in inner and isinstance(value, dict):
            checked[key] = _checked(value, inner[key], place, f"{heading[:-1]}.{key}]")
            continue
        flag = key.replace("_", "-")
        name = next((name for name, one in options.items() if flag in _flags(one)), None)
        if name is None:
            import difflib

            known = [flag for one in options.values() for flag in _flags(one)]
            near = difflib.get_close_matches(flag, known)
            hint = f"did you mean {near[0]!r}?" if near else None
            raise UsageProblem(f"{place}: {heading} has no option {key!r}", hint)
        # One of an option that may be given several times is as good as a list of one.
        several = options[name].multiple and isinstance(value, str)
        checked[name] = [value] if several else value
    return checked


def _flags(option: click.Option) -> list[str]:
    """The long names of an option, without their dashes."""
    return [flag[2:] for flag in option.opts if flag.startswith("--")]


def _merge(into: dict[str, Any], table: dict[str, Any]) -> None:
    for key, value in table.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
