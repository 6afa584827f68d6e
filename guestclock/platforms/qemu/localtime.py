"""Which zone /etc/localtime is, in the file system that a process sees.

The path is followed by hand inside that file system: the kernel would follow an absolute link
out of it, into ours.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from functools import lru_cache

from guestclock.evidence import Fact, Inferred, Observed, Unknown

_LOCALTIME = "/etc/localtime"
_DATABASE = "/usr/share/zoneinfo"
_LARGEST = 1 << 20
# The root of this process's own file system.
_HERE = ""
# Parts of a database that hold its zones a second time, and files in it that are no zones.
_COPIES = ("posix", "right")
_NO_ZONES = ("posixrules", "localtime", "Factory")


class _Outside(OSError):
    """A path that does not end within the hops that a kernel would follow."""


def zone_of_root(root: str, whose: str) -> Fact[str]:
    """The zone's name, as glibc would see it in the file system at `root` without a TZ.

    `whose` names that file system in the evidence. A missing file, or a link that leads nowhere,
    is UTC, as glibc says without a word. A copy is compared with the zones of the database.
    """
    where = f"{_LOCALTIME} of {whose}"
    try:
        path = _resolve(root, _LOCALTIME)
        content = _read(root + path)
    except (FileNotFoundError, NotADirectoryError, _Outside):
        return _missing(root, where)
    except OSError as problem:
        return Unknown(f"{where} cannot be read: {problem.strerror}", "run as root")
    name = _name(path)
    ours = None if name is None else _content_here(name)
    if name is not None and (ours is None or ours == content):
        return Observed(name, f"{where}, a link to {path}")
    same = _by_content(content, _HERE)
    if same is None and name is None:
        same = _by_content(content, root)
    if same is not None:
        return Inferred(same, f"{where}, whose content is that of {same}")
    if name is not None:
        return Observed(name, f"{where}, a link to {path}, of another release than this host's")
    rule = _footer(content)
    if rule is not None:
        return Inferred(rule, f"{where}, a file of no known zone that ends in the rule {rule}")
    return Unknown(f"{where} is no zone that is known here", "give the zone with --host-zone")


def _missing(root: str, where: str) -> Fact[str]:
    try:
        target = os.readlink(root + _LOCALTIME)
    except FileNotFoundError:
        # The folder itself must be readable, else this says nothing.
        if os.path.isdir(root):
            return Observed("UTC", f"{where}, which is not there: glibc takes UTC")
        return Unknown(f"{where} cannot be read: {root} is gone")
    except OSError as problem:
        return Unknown(f"{where} cannot be read: {problem.strerror}", "run as root")
    return Observed("UTC", f"{where}, a link to {target}, which is not there: glibc takes UTC")


def _resolve(root: str, path: str) -> str:
    """An absolute path without links, every link followed inside `root`. Raises OSError."""
    waiting = [part for part in path.split("/") if part][::-1]
    done: list[str] = []
    hops = 0
    while waiting:
        part = waiting.pop()
        if part == ".":
            continue
        if part == "..":
            del done[-1:]
            continue
        here = "/".join(["", *done, part])
        if not stat.S_ISLNK(os.lstat(root + here).st_mode):
            done.append(part)
            continue
        hops += 1
        if hops > 40:
            raise _Outside
        target = os.readlink(root + here)
        if target.startswith("/"):
            done = []
        waiting.extend(part for part in target.split("/")[::-1] if part)
    return "/" + "/".join(done)


def _read(path: str) -> bytes:
    with open(path, "rb", opener=_open_no_wait) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileNotFoundError
        return file.read(_LARGEST)


def _open_no_wait(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _name(path: str) -> str | None:
    name = path.partition("/zoneinfo/")[2]
    for copy in _COPIES:
        name = name.removeprefix(f"{copy}/")
    return name or None


def _content_here(name: str) -> bytes | None:
    try:
        return _read(_HERE + _resolve(_HERE, f"{_DATABASE}/{name}"))
    except OSError:
        return None


@lru_cache(maxsize=64)
def _by_content(content: bytes, root: str) -> str | None:
    """The name of the zone with that content, of several the one that looks like a place."""
    names = [
        name
        for name, path, size in _files(root + _DATABASE)
        if size == len(content) and _same(path, content)
    ]
    return min(names, key=_preference) if names else None


def _preference(name: str) -> tuple[bool, int, str]:
    return (
        not re.match(r"(Africa|America|Asia|Atlantic|Australia|Europe|Pacific)/", name),
        len(name),
        name,
    )


def _same(path: str, content: bytes) -> bool:
    try:
        return _read(path) == content
    except OSError:
        return False


def _files(top: str) -> Iterator[tuple[str, str, int]]:
    for folder, folders, files in os.walk(top):
        if folder == top:
            folders[:] = [name for name in folders if name not in _COPIES]
        for name in files:
            path = os.path.join(folder, name)
            if name not in _NO_ZONES and not os.path.islink(path):
                yield os.path.relpath(path, top), path, os.stat(path).st_size


def _footer(content: bytes) -> str | None:
    """The POSIX rule at the end of a zone file, which holds for all times to come."""
    if not content.startswith(b"TZif"):
        return None
    lines = content.rsplit(b"\n", 2)
    rule = lines[1].decode("ascii", "replace") if len(lines) == 3 and not lines[2] else ""
    return rule or None
