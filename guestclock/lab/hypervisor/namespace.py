"""A host's own view of /etc, in a mount namespace, without any rights over the machine.

A user namespace comes with it, in which nobody is root: the same uid for an ordinary user, 1000
for root. So libvirtd is a user's daemon there even for root, and can be nothing else: not the
system's, which is what a libvirtd with uid 0 would be.

Standard library alone, since the supervisor starts from here before anything else is loaded.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_CLONE_NEWNS = 0x0002_0000
_CLONE_NEWUSER = 0x1000_0000
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 0x4_0000

# Root becomes the first ordinary user; anyone else stays who he is.
_INNER_ID = 1000

# The host's own, and libvirt's: hooks of the system's daemon would run for ours, too.
_NOT_SHARED = frozenset({"localtime", "timezone", "passwd", "group", "libvirt"})

# The lab emulates every processor. With a KVM in sight libvirt would ask QEMU what it can do
# again and again, as it finds "host cpuid changed" from one core to the next.
_KVM = Path("/dev/kvm")
_CLOSED = "guestclock-no-kvm"


class NoNamespace(Exception):
    """The kernel, or what confines us, does not allow a namespace; the message says which."""


def prepare_etc(etc: Path, outside: Path, home: Path) -> None:
    """Fill `etc`, the host's /etc: a link for each entry of the real one, seen at `outside`.

    The zone is set apart (`set_localtime`), before this or at any time later.
    """
    etc.mkdir(mode=0o755, parents=True, exist_ok=True)
    outside.mkdir(mode=0o755, parents=True, exist_ok=True)
    for old in etc.iterdir():
        if old.is_symlink() and old.name not in _NOT_SHARED:
            old.unlink()
    for entry in Path("/etc").iterdir():
        if entry.name in _NOT_SHARED:
            continue
        # A link is repeated as it is: what it says counts from /etc.
        target = os.readlink(entry) if entry.is_symlink() else str(outside / entry.name)
        (etc / entry.name).symlink_to(target)
    closed = etc / _CLOSED
    closed.unlink(missing_ok=True)
    closed.touch(mode=0)
    uid, gid = inner_ids()
    # libvirtd asks for its user's entry and gives up without one.
    user = f"guestclock:x:{uid}:{gid}:guestclock lab:{home}:/bin/sh\n"
    _with_entry(Path("/etc/passwd"), etc / "passwd", str(uid), user)
    _with_entry(Path("/etc/group"), etc / "group", str(gid), f"guestclock:x:{gid}:\n")


def _with_entry(source: Path, copy: Path, number: str, entry: str) -> None:
    text = source.read_text(errors="surrogateescape") if source.exists() else ""
    if text and not text.endswith("\n"):
        text += "\n"
    known = {line.split(":")[2] for line in text.splitlines() if line.count(":") > 2}
    if number not in known:
        text += entry
    copy.write_text(text, errors="surrogateescape")


def set_localtime(etc: Path, zone: str, zone_file: Path) -> None:
    """Make `zone` the zone of the host, for every process that looks from now on."""
    etc.mkdir(mode=0o755, parents=True, exist_ok=True)
    link = etc / f".localtime.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(zone_file)
    link.replace(etc / "localtime")
    (etc / "timezone").write_text(f"{zone}\n")


def inner_ids() -> tuple[int, int]:
    """The uid and gid that this process has inside the namespace."""
    return os.geteuid() or _INNER_ID, os.getegid() or _INNER_ID


def try_enter(etc: Path, outside: Path, needed: Path) -> None:
    """Enter the namespace in a child that ends at once, as nobody can leave it again.

    Raises NoNamespace with the reason where it is not allowed, or where `needed`, a folder,
    could not be used from within: rights that only root's capabilities give are lost there.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            enter(etc, outside)
            if os.access(needed, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
                status = 0
            else:
                os.write(writer, f"{needed} is not open to its own user".encode())
        except NoNamespace as problem:
            os.write(writer, str(problem).encode())
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        reason = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise NoNamespace(reason or "the namespace could not be entered")


def enter(etc: Path, outside: Path) -> None:
    """Move this process, which must have one thread only, into a namespace of its own.

    There `etc` is /etc, the machine's own /etc is at `outside`, and there is no KVM. Raises
    NoNamespace.
    """
    uid, gid = os.geteuid(), os.getegid()
    inner_uid, inner_gid = inner_ids()
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS), "a user namespace")
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{inner_uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{inner_gid} {gid} 1")
    except OSError as problem:
        raise NoNamespace(f"the ids of a user namespace: {problem.strerror}") from None
    _mount(libc, None, Path("/"), _MS_PRIVATE | _MS_REC)
    _mount(libc, Path("/etc"), outside, _MS_BIND | _MS_REC)
    _mount(libc, etc, Path("/etc"), _MS_BIND)
    if _KVM.exists():
        _mount(libc, etc / _CLOSED, _KVM, _MS_BIND)


def _mount(libc: ctypes.CDLL, source: Path | None, target: Path, flags: int) -> None:
    result = libc.mount(
        os.fsencode(source) if source else None,
        os.fsencode(target),
        None,
        ctypes.c_ulong(flags),
        None,
    )
    _check(result, f"a mount on {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        raise NoNamespace(f"{what}: {os.strerror(ctypes.get_errno())}")
