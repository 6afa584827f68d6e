"""Landlock: a process of Linux gives up files, and with newer kernels TCP and signals, for good.

The numbers are those of linux/landlock.h; its system calls have the same ones on each
architecture that has them.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# How many rights over files each version of Landlock's interface knows.
_RIGHTS = ((5, 16), (3, 15), (2, 14), (1, 13))
_ALL_TCP, _ALL_SCOPES = 0b11, 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def landlock_version(libc: ctypes.CDLL) -> int:
    """The version of the interface that this kernel has, 0 where it has none."""
    return max(0, _call(libc, _CREATE, None, 0, _VERSION_FLAG))


def forbid_files(libc: ctypes.CDLL, readable: Iterable[str]) -> bool:
    """From now on only what lies in `readable` can be opened, and that for reading only.

    Whether the kernel did so; needs no_new_privs. Folders that are not there are left out.
    """
    version = landlock_version(libc)
    if not version:
        return False
    rights = next(count for since, count in _RIGHTS if version >= since)
    ruleset = _Ruleset((1 << rights) - 1)
    size = 8
    if version >= 4:
        ruleset.network, size = _ALL_TCP, 16
    if version >= 6:
        ruleset.scopes, size = _ALL_SCOPES, 24
    handle = _call(libc, _CREATE, ctypes.byref(ruleset), size, 0)
    if handle < 0:
        return False
    try:
        for path in readable:
            _allow(libc, handle, path)
        return _call(libc, _RESTRICT, handle, 0) == 0
    finally:
        os.close(handle)


def _allow(libc: ctypes.CDLL, handle: int, path: str) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
        rule = _PathBeneath(_READ_FILE | (_READ_DIR if is_folder else 0), place)
        _call(libc, _ADD, handle, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(place)


def _call(libc: ctypes.CDLL, number: int, *arguments: object) -> int:
    # A variadic function takes what it is given as it is: each must be as wide as a register.
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return int(libc.syscall(ctypes.c_long(number), *wide))
