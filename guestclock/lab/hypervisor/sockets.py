"""The serial socket of a machine that moves: two QEMUs want one path for a moment."""

from __future__ import annotations

import os
from pathlib import Path

_MARK = "~"


def sibling(path: str) -> str:
    """The other of the two paths that a machine's serial socket may be bound to.

    A QEMU that ends removes the path it was bound to, whoever is bound there by then. So the one
    that takes over is bound to the sibling, and `publish` makes it known under the plain path;
    the next move goes back to that.
    """
    return path.removesuffix(_MARK) if path.endswith(_MARK) else path + _MARK


def publish(live: str | None, defined: str | None) -> None:
    """Make the socket a machine is bound to (`live`) known where its definition says it is.

    A second name, not another one: should the QEMU it came from end only now and remove the
    plain path, the next call finds the socket still there and names it again.
    """
    if not live or not defined or live == defined:
        return
    bound, known = Path(live), Path(defined)
    if not bound.is_socket() or (known.exists() and known.samefile(bound)):
        return
    beside = known.with_name(f"{known.name}{_MARK}{os.getpid()}")
    beside.hardlink_to(bound)
    beside.replace(known)
