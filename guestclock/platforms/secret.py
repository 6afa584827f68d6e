"""Values that hold a secret: where they are given, and how they are kept out of every message."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from guestclock.errors import UsageProblem
from guestclock.platforms.text import shown

HIDDEN = "***"
"""What stands in a message where a secret was."""

_LONGEST_LINE = 65536
_LOGIN = re.compile(r"([^\s,/:@]*):([^\s,@]+)@")
_SECRET_PARAMETER = re.compile(r"[?&;][^=&;]*(?:pass|secret|token)[^=&;]*=([^&;\s]+)", re.I)


def secret(value: str, what: str) -> str:
    """The value itself, that of the variable in `env:NAME`, or the first line of `file:PATH`.

    `what` names the option in messages. Raises UsageProblem where the variable is not set, the
    file cannot be read, or there is nothing in them; no message shows what may be the secret.
    """
    if value.startswith("env:"):
        return _of_variable(value.removeprefix("env:"), what)
    if value.startswith("file:"):
        return _of_file(value.removeprefix("file:"), what)
    return value


def _of_variable(name: str, what: str) -> str:
    # Who writes env: before the secret itself shall not see it again on the screen.
    if not name.isidentifier():
        raise UsageProblem(f"{what}: env: takes the name of an environment variable")
    found = os.environ.get(name)
    if not found:
        state = "is not set" if found is None else "is empty"
        raise UsageProblem(f"{what}: the environment variable {shown(name)} {state}")
    return found


def _of_file(path: str, what: str) -> str:
    if "://" in path:
        raise UsageProblem(f"{what}: file: takes the path of a file")
    try:
        with open(path, encoding="utf-8") as file:
            line = file.readline(_LONGEST_LINE).rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageProblem(f"{what}: {shown(path)} is not a text in UTF-8") from None
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else None
        raise UsageProblem(
            f"{what}: {shown(path)} cannot be read: {reason or 'not the path of a file'}"
        ) from None
    if not line:
        raise UsageProblem(f"{what}: the first line of {shown(path)} is empty")
    return line


def scrubbed(text: str, url: str) -> str:
    """A text of someone else's error without a URL and without the secrets in it.

    Those are the URL as a whole, each `user:password@`, each password as it is written, as it is
    meant and as Python shows it, and parameters that are named like a password.
    """
    for hidden in sorted(set(_hidden(url)), key=len, reverse=True):
        text = text.replace(hidden, HIDDEN)
    return text


def _hidden(url: str) -> Iterator[str]:
    if url:
        yield url
    rest = url.partition("://")[2]
    for user, password in _LOGIN.findall(rest):
        yield f"{user}:{password}@"
        yield from _written(password)
    # A password with an unescaped @ in it is cut short above, by others who parse the URL as well.
    user, colon, password = rest.rpartition("@")[0].partition(":")
    if colon and password:
        yield f"{user}:{password}@"
        yield from _written(password)
        yield from (part for one in password.split("@") for part in _written(one))
    for value in _SECRET_PARAMETER.findall(rest):
        yield from _written(value)


def _written(secret: str) -> Iterator[str]:
    for one in (secret, unquote(secret), unquote_plus(secret)):
        if one:
            yield one
            quoted = one.encode("unicode_escape").decode()
            yield from (quoted, quoted.replace("'", r"\'"), repr(one)[1:-1])
