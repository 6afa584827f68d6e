"""The files of one lab host: where they are, what is written in them, and their lock."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor.processes import end_all

Kind = Literal["libvirt", "qemu"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a host keeps about itself (`host.json`).

    `runtime` is the short folder of its sockets, `why_not_libvirt` the reason for kind qemu.
    `settled` is whether that kind has been seen to work here.
    """

    kind: Kind
    zone: str
    uuid: str
    runtime: str
    why_not_libvirt: str | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class HostFolder:
    """The folder of one host, LAB/hosts/NAME, and the short one where its sockets live.

    `path`, absolute and without links, is the HOME, and so the mark, of the host's processes.
    """

    path: Path
    name: str

    def make(self) -> None:
        """Create the folder. Raises LabError for a name that cannot be one."""
        if not _NAME.fullmatch(self.name):
            raise LabError(
                f"{self.name!r} cannot be a host's name", "use letters, digits, '.', '_' and '-'"
            )
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the host's lock; yields its descriptor, for a child that is to hold it longer."""
        descriptor = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            # Closed, not unlocked: the lock stays with the child that has inherited it.
            os.close(descriptor)

    def settings(self) -> Settings | None:
        """Read what the host keeps about itself; None for a host that is new."""
        try:
            return Settings(**json.loads((self.path / "host.json").read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as problem:
            raise LabError(
                f"{self.path / 'host.json'} cannot be read: {problem}",
                f"delete the host {self.name} and make it anew",
            ) from None

    def known_settings(self) -> Settings:
        """Read what the host keeps about itself. Raises LabError where there is no such host."""
        settings = self.settings()
        if settings is None:
            raise LabError(f"there is no host {self.name} in {self.path}")
        return settings

    def keep(self, settings: Settings) -> None:
        """Write down what the host keeps about itself, at once or not at all."""
        write_whole(self.path / "host.json", json.dumps(asdict(settings), indent=2) + "\n")

    def new_settings(self, kind: Kind, zone: str, why_not_libvirt: str | None) -> Settings:
        """The settings of a host that is new, with a runtime folder made for it."""
        runtime = str(self._make_runtime())
        return Settings(kind, zone, str(uuid.uuid4()), runtime, why_not_libvirt)

    def runtime(self, settings: Settings) -> Path:
        """The short folder for sockets (107 bytes is all a path may have), made when missing.

        It is written down, since XDG_RUNTIME_DIR differs between a login and a timer's job; it
        moves only where the old one cannot be had any more. Call it under the lock.
        """
        folder = Path(settings.runtime)
        try:
            return _private(folder)
        except OSError:
            folder = self._make_runtime()
            self.keep(replace(settings, runtime=str(folder)))
            return folder

    def end_processes(self) -> None:
        """End every process of the host and remove its sockets. Call it under the lock."""
        left = end_all(self.path)
        if left:
            pids = ", ".join(map(str, left))
            raise LabError(f"processes of host {self.name} do not end: {pids}", "kill them")
        settings = self.settings()
        if settings is not None:
            shutil.rmtree(settings.runtime, ignore_errors=True)

    def _make_runtime(self) -> Path:
        digest = hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:10]
        problem: OSError | None = None
        for base in (os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp"):  # noqa: S108
            # libvirt adds some 70 letters of its own to reach a machine's monitor.
            if not base.startswith("/") or len(base) > _LONGEST_BASE:
                continue
            try:
                return _private(Path(base) / f"gc-{digest}")
            except OSError as found:
                problem = found
        raise LabError(
            f"no folder for the sockets of host {self.name}: {problem}",
            "set XDG_RUNTIME_DIR to a short folder of your own",
        )


_LONGEST_BASE = 24


def _private(folder: Path) -> Path:
    """Make a folder that is ours alone; someone may have put another there, in /tmp above all."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is there already and not a private folder of yours")
    return folder


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader never sees half of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
