"""What the process that reads images gives up before it sees the first one, as far as the system
takes it: memory, files, the network, other programs.
"""

from __future__ import annotations

import os
import resource
import signal
import sys

MEMORY = 512 << 20
"""What reading an image may take beside the interpreter itself, in bytes of address space."""

_DESCRIPTORS = 640
_NO_NEW_PRIVS = 38
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
# A file that only its owner may read can still hold a module of ours, where root runs us.
_READ_ANY = 1 << 2
_CAPABILITIES = 0x20080522
# Where shared libraries are that a module of Python's may need, and the databases of zones.
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/etc/ld.so.cache",
    "/usr/share/zoneinfo",
    "/etc/zoneinfo",
)


def confine() -> list[str]:
    """Gives up what reading needs not. What could not be given up is told, one line each."""
    _limit()
    sys.dont_write_bytecode = True
    if not sys.platform.startswith("linux"):
        return [
            "images are read in a process of its own, but this system keeps it neither from "
            "files nor from the network"
        ]
    return _confine_on_linux()


def _limit() -> None:
    _at_most(resource.RLIMIT_AS, _size_now() + MEMORY)
    _at_most(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    for one in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        _at_most(one, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def allow_seconds(more: float) -> None:
    """The processor's time that may pass from now on before the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + more) + 2
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _at_most(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(what, (value, value))
    except (OSError, ValueError):
        # macOS has no limit of the address space that it keeps.
        return


def _size_now() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return MEMORY


def _confine_on_linux() -> list[str]:
    import ctypes

    from guestclock.disks.landlock import forbid_files
    from guestclock.disks.seccomp import forbid_calls

    libc = ctypes.CDLL(None, use_errno=True)
    # Root needs no name space of users for one of the network, and would lose its rights in it.
    unshared = libc.unshare(_NEW_NETWORK) == 0 or libc.unshare(_NEW_NETWORK | _NEW_USER) == 0
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return ["this kernel gives up no rights: what reads an image could open files"]
    _drop_capabilities(libc)
    notes = []
    if not forbid_files(libc, _readable()):
        notes.append(
            "this kernel has no Landlock: the process that reads images is not kept from files"
        )
    if not forbid_calls(libc) and not unshared:
        notes.append("the process that reads images could not be kept from the network here")
    return notes


def _readable() -> list[str]:
    """The interpreter's modules and ours, which are imported when an image needs them."""
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    standard = os.path.dirname(os.path.abspath(os.__file__))
    # Never a folder only because it is on the path: `python -m` puts the working folder there.
    packages = [one for one in sys.path if one.endswith(("site-packages", "dist-packages", ".zip"))]
    dynamic = [one for one in sys.path if one.endswith("lib-dynload")]
    return [ours, standard, *packages, *dynamic, *_SYSTEM]


def _drop_capabilities(libc: object) -> None:
    """Root without its powers, but for reading what only an owner may read."""
    import ctypes

    assert isinstance(libc, ctypes.CDLL)
    head = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    # Twice effective, permitted, inheritable: the lower 32 capabilities, then the upper ones.
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(head, sets) == 0:
        kept = sets[1] & _READ_ANY
        libc.capset(head, (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0))
