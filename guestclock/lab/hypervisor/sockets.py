"""The serial socket of a machine that moves: two QEMUs want one path for a moment."""

from __future__ import annotations

_MARK = "~"


def sibling(path: str) -> str:
    """The other of the two paths that a machine's serial socket may be bound to.

    A QEMU that ends removes the path it was bound to, whoever is bound there by then. So the
    one that takes over is bound to the sibling, and its socket is renamed once the first is
    gone; the next move goes back to the plain path.
    """
    return path.removesuffix(_MARK) if path.endswith(_MARK) else path + _MARK
