"""Time travel: the environment that gives a process another date, by libfaketime.

The date is only the real-time clock's: QEMU's timers run by the monotonic clock and must stay
true, or the guest would race or stand still.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from guestclock.lab.errors import MissingToolError

# Where Debian, Ubuntu, Fedora, SUSE, Arch, Alpine and `make install` put it.
_PLACES = (
    "/usr/lib/*-linux-gnu*/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
    "/usr/local/lib/faketime",
)

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the names in it are libfaketime's choice


@cache
def library() -> Path | None:
    """The libfaketime for programs with threads, as QEMU is; None where it is not installed."""
    for place in _PLACES:
        for found in sorted(Path("/").glob(f"{place[1:]}/libfaketimeMT.so.1")):
            return found
    return None


def fixed_env(epoch: int, zone: str | None) -> dict[str, str]:
    """For a process whose clock says `epoch` (seconds since 1970) at its start and runs on.

    The instant is given as a number: libfaketime would read a date in TZ, where one hour a year
    comes twice. `zone` is the process's TZ; None leaves TZ out, so that /etc/localtime counts.
    Raises MissingToolError without libfaketime.
    """
    env = _preload()
    env["FAKETIME"] = f"@{epoch}"
    env["FAKETIME_FMT"] = "%s"
    if zone is not None:
        env["TZ"] = zone
    return env


def stepped_env(file: Path) -> dict[str, str]:
    """For processes whose clock is off by what `file` says ("+SECONDS"), as soon as it says so.

    A running process follows the file too, as a running QEMU follows a step of its host's clock.
    Raises MissingToolError without libfaketime.
    """
    env = _preload()
    env["FAKETIME_TIMESTAMP_FILE"] = str(file)
    env["FAKETIME_NO_CACHE"] = "1"
    return env


def forget(pid: int) -> None:
    """Remove what libfaketime leaves in shared memory of a process that was killed (SIGKILL)."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        (_SHARED_MEMORY / name).unlink(missing_ok=True)


def _preload() -> dict[str, str]:
    found = library()
    if found is None:
        raise MissingToolError(
            "libfaketime is not installed, so that no other date can be tried",
            "install the package libfaketime (Debian, Ubuntu, Fedora)",
        )
    return {"LD_PRELOAD": str(found), "DONT_FAKE_MONOTONIC": "1"}
