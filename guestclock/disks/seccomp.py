"""seccomp: a process of Linux gives up system calls for good: sockets, new programs, others'
memory. What is given up fails with EPERM, so that nothing ends for a reason nobody sees.
"""

from __future__ import annotations

import ctypes
import errno
import os

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
# On x86-64 the second, 32-bit wide interface has its numbers from here on.
_X32 = 0x40000000

# Numbers by machine: x86_64, aarch64; -1 is a call that the second one never had.
_FORBIDDEN: dict[str, tuple[int, int]] = {
    "accept": (43, 202),
    "accept4": (288, 242),
    "add_key": (248, 217),
    "bind": (49, 200),
    "bpf": (321, 280),
    "clone": (56, 220),
    "clone3": (435, 435),
    "connect": (42, 203),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, -1),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "listen": (50, 201),
    "memfd_create": (319, 279),
    "mount": (165, 40),
    "msgget": (68, 186),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "tkill": (200, 130),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vfork": (58, -1),
}
# The column above, and the name that the kernel's audit has for the machine (linux/audit.h).
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def forbid_calls(libc: ctypes.CDLL) -> bool:
    """Gives up the calls named above; whether the kernel did so. Needs no_new_privs."""
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    column, architecture = machine
    numbers = sorted(one[column] for one in _FORBIDDEN.values() if one[column] >= 0)
    steps = _steps(architecture, numbers)
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    return int(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)) == 0


def _steps(architecture: int, numbers: list[int]) -> list[_Step]:
    """A chain of comparisons; jumps count the steps that are left out, and all refusals are the
    last step.
    """
    last = len(numbers) + 5
    steps = [
        _Step(_LOAD, 0, 0, _ARCHITECTURE_AT),
        _Step(_JUMP_IF_EQUAL, 0, last - 2, architecture),
        _Step(_LOAD, 0, 0, _NUMBER_AT),
        _Step(_JUMP_IF_AT_LEAST, last - 4, 0, _X32),
    ]
    for number in numbers:
        steps.append(_Step(_JUMP_IF_EQUAL, last - len(steps) - 1, 0, number))
    return [*steps, _Step(_RETURN, 0, 0, _ALLOW), _Step(_RETURN, 0, 0, _REFUSE)]
