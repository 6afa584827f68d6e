"""Where the files of a lab are.

    LAB/lab.sqlite    state and journal
    LAB/lab.lock      the locks
    LAB/time          how far the lab's clock is from the real one, as libfaketime reads it
    LAB/images/ID     one file an image; `.ID.part` while it is written
    LAB/servers/ID    one disk a server, alike
    LAB/hosts/NAME/   a host's own

A unix socket's path has at most 107 bytes, so serial sockets are in a short folder elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from guestclock.lab.errors import LabError
from guestclock.state import state_folder

# What libvirt and QEMU add to a short folder stays well below 107 bytes.
_LONGEST_BASE = 60


def default_folder() -> Path:
    """Return the lab of a user who names none: in the user's state folder (XDG_STATE_HOME)."""
    return state_folder() / "lab"


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one lab; `folder` is absolute."""

    folder: Path

    @property
    def database(self) -> Path:
        """State and journal."""
        return self.folder / "lab.sqlite"

    @property
    def lock(self) -> Path:
        """The file whose bytes are the locks."""
        return self.folder / "lab.lock"

    @property
    def time(self) -> Path:
        """The offset of the lab's clock."""
        return self.folder / "time"

    def image(self, uuid: str) -> Path:
        """The file of an image."""
        return self.folder / "images" / uuid

    def disk(self, uuid: str) -> Path:
        """The disk of a server."""
        return self.folder / "servers" / uuid

    def host(self, name: str) -> Path:
        """The folder of a host."""
        return self.folder / "hosts" / name

    def make(self) -> None:
        """Make the lab's folders, for its user alone."""
        for folder in (self.folder, *(self.folder / name for name in _FOLDERS)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def remove_host(self, name: str) -> None:
        """Remove the folder of a host that has no processes any more."""
        shutil.rmtree(self.host(name), ignore_errors=True)

    def remove_contents(self, sockets: str | None) -> None:
        """Remove everything but the database and the locks, the folder of the sockets too."""
        for name in _FOLDERS:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        if sockets is not None:
            shutil.rmtree(sockets, ignore_errors=True)
        self.time.unlink(missing_ok=True)

    def remove_rest(self) -> None:
        """Remove database and locks, which go last, and the folder if nothing else is in it."""
        for name in ("lab.sqlite-wal", "lab.sqlite-shm", "lab.sqlite", "lab.lock"):
            (self.folder / name).unlink(missing_ok=True)
        try:
            self.folder.rmdir()
        except OSError:
            return  # Somebody keeps files of their own here.


_FOLDERS = ("images", "servers", "hosts")


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file so that `target` is either all there or not there at all.

    Raises LabError where the source is missing or no regular file.
    """
    part = part_of(target)
    try:
        if not stat.S_ISREG(source.stat().st_mode):
            raise LabError(f"{source} is no regular file")
        shutil.copyfile(source, part)
        with part.open("rb") as copied:
            os.fsync(copied.fileno())
        part.replace(target)
    except FileNotFoundError as error:
        raise LabError(f"{source} is not there") from error
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LabError(f"{source} could not be copied to {target}: {error.strerror}") from error


def write_whole(target: Path, content: bytes) -> None:
    """Write a file so that it is either all there or as it was before. Raises LabError."""
    part = part_of(target)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LabError(f"{target} could not be written: {error.strerror}") from error


def part_of(target: Path) -> Path:
    """Where a file is while it is being written."""
    return target.with_name(f".{target.name}.part")


def short_folder(folder: Path) -> Path:
    """Make and return a short private folder for a lab's serial sockets. Raises LabError."""
    problem: OSError | None = None
    for base in short_bases():
        short = base / short_name(folder)
        try:
            make_private(short)
        except OSError as error:
            problem = error
        else:
            return short
    raise LabError(
        f"no folder for the lab's sockets: {problem}",
        "set XDG_RUNTIME_DIR to a short folder of your own",
    )


def short_bases() -> list[Path]:
    """Where short folders may be, the best place first."""
    given = (os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp")  # noqa: S108
    return [Path(base) for base in given if base.startswith("/") and len(base) <= _LONGEST_BASE]


def short_name(folder: Path) -> str:
    """Return the name of the short folder of a lab's folder."""
    return f"gc-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:10]}"


def make_private(folder: Path) -> None:
    """Make a folder that is this user's alone; in /tmp somebody else may have been faster."""
    folder.mkdir(mode=0o700, exist_ok=True)
    check_private(folder)


def check_private(folder: Path) -> None:
    """Raise OSError for what is not there, or not a folder that is this user's alone."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(13, f"{folder} is there already and not a private folder of yours")
