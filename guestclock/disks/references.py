"""Which other files may be opened because an image names them: hardly any.

The program decides and opens, not the process that reads images. A name leads to a file in the
image's own folder, or in one that the user allowed, once all links are resolved; an address never
leads anywhere (CVE-2015-5163, CVE-2022-47951, CVE-2024-32498).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from typing import NamedTuple

from guestclock.disks.problem import DiskProblem, OverLimit, RefusedReference, Unreachable

DEEPEST = 64
"""How long a chain of backing files may be."""

MOST = 512
"""How many files one image may take in all."""

# As QEMU tells an address from a path: a colon before the first slash.
_ADDRESS = re.compile(r"([^/:]*):")
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY


class Named(NamedTuple):
    """A file of an image: the path by which it was named, and what it is, with those above it."""

    path: str
    chain: tuple[tuple[int, int], ...]


class Opened(NamedTuple):
    """A file that was opened for an image: its descriptor is the caller's to close."""

    descriptor: int
    number: int
    name: str


class Policy:
    """What one image may have opened for it. Files are counted, the image itself is number 0."""

    def __init__(self, path: str, descriptor: int, follow: bool, allowed: Sequence[str]) -> None:
        """`path` is the image as the user named it, open as `descriptor`."""
        self._follow = follow
        self._own = os.path.realpath(os.path.dirname(path))
        self._roots = (self._own, *(os.path.realpath(one) for one in allowed))
        self._files = [Named(path, (_identity(os.fstat(descriptor)),))]

    def backing(self, name: str, of: int) -> Opened:
        """The backing file that file number `of` names. Raises DiskProblem."""
        by = self._naming(of)
        told = f"it rests on {_shown(name)}"
        _check_name(name, told)
        if not self._follow:
            raise RefusedReference(f"{told}, which is only read with --follow-backing")
        if len(by.chain) > DEEPEST:
            raise OverLimit(f"more than {DEEPEST} backing files lie under each other")
        return self._open(name, by, told)

    def part(self, name: str, of: int) -> Opened:
        """The file that holds a part of file number `of`. Raises DiskProblem."""
        by = self._naming(of)
        told = f"it has a part of itself in {_shown(name)}"
        _check_name(name, told)
        if not self._follow and not _is_beside(name, by.path):
            stem = _stem(by.path)
            raise RefusedReference(
                f"{told}, and only a file beside it that is called {_shown(stem + '-...')} "
                "is read unasked; --follow-backing allows others"
            )
        return self._open(name, by, told, self._roots if self._follow else (self._own,))

    def _naming(self, of: int) -> Named:
        if not 0 <= of < len(self._files):
            raise RefusedReference("a file that was never opened names others")
        if len(self._files) > MOST:
            raise OverLimit(f"it takes more than {MOST} files")
        return self._files[of]

    def _open(self, name: str, by: Named, told: str, roots: tuple[str, ...] = ()) -> Opened:
        # Relative to the folder by which its image was named, as QEMU takes it.
        path = os.path.join(os.path.dirname(by.path), name)
        try:
            resolved = os.path.realpath(path)
            root = _root_of(resolved, roots or self._roots)
            if root is None:
                raise RefusedReference(
                    f"{told}, which lies outside its own folder; --follow-backing --allow-dir DIR "
                    "allows another one"
                )
            descriptor = _open_below(root, resolved, told)
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "no path"
            raise Unreachable(f"{told}, which cannot be opened: {reason}") from None
        try:
            identity = self._checked(os.fstat(descriptor), by, told)
        except DiskProblem:
            os.close(descriptor)
            raise
        self._files.append(Named(path, (*by.chain, identity)))
        return Opened(descriptor, len(self._files) - 1, os.path.basename(path))

    def _checked(self, found: os.stat_result, by: Named, told: str) -> tuple[int, int]:
        if not stat.S_ISREG(found.st_mode):
            raise RefusedReference(f"{told}, which is no ordinary file")
        if _identity(found) in by.chain:
            raise OverLimit(f"{told}, and so in the end on itself")
        return _identity(found)


def _check_name(name: str, told: str) -> None:
    if _ADDRESS.match(name):
        raise RefusedReference(f"{told}, an address, and no address is opened for an image")
    if not name or "\0" in name or len(name) > 4096:
        raise RefusedReference(f"{told}, which is no path")


def _shown(name: str) -> str:
    """A name as messages have it; of an address, which may hold a password, only its kind."""
    address = _ADDRESS.match(name)
    if address:
        return repr(f"{address[1][:20]}:...")
    return repr(name[:120])


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _is_beside(name: str, path: str) -> bool:
    """Whether a bare name is the image's own, and goes on: disk.vmdk has disk-flat.vmdk."""
    stem = _stem(path)
    return "/" not in name and name.startswith(stem) and name[len(stem) :][:1] in ("-", "_", ".")


def _root_of(path: str, roots: tuple[str, ...]) -> str | None:
    return next((one for one in roots if os.path.commonpath((one, path)) == one), None)


def _open_below(root: str, path: str, told: str) -> int:
    """Opens a resolved path name by name, so that no link made meanwhile leads out of the root."""
    *folders, last = os.path.relpath(path, root).split("/")
    here = os.open(root, _FOLDER)
    try:
        for folder in folders:
            below = os.open(folder, _FOLDER, dir_fd=here)
            os.close(here)
            here = below
        # A device or a pipe does things when it is opened, and a link is what came meanwhile.
        if not stat.S_ISREG(os.stat(last, dir_fd=here, follow_symlinks=False).st_mode):
            raise RefusedReference(f"{told}, which is no ordinary file")
        return os.open(last, _FLAGS, dir_fd=here)
    finally:
        os.close(here)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
