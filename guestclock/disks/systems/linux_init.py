"""Which program a Linux starts first, as far as that decides who sets the clock at boot."""

from __future__ import annotations

import re

from guestclock.disks.tree import Tree

_SYSTEMD = ("usr/lib/systemd/systemd", "lib/systemd/systemd")
_OPENRC = ("sbin/openrc", "usr/sbin/openrc", "usr/bin/openrc", "sbin/openrc-run")
# Alpine and Gentoo start another init, whose table hands over to OpenRC (formerly /sbin/rc).
_HANDS_OVER = re.compile(r"^[^#\n]*:/s?bin/(?:openrc|rc)[ \t]", re.MULTILINE)


def init_of(tree: Tree) -> str:
    """systemd, openrc, runit, s6, dinit, upstart, busybox, sysvinit; empty where none is seen.

    The kernel's argument `init=` is not looked at.
    """
    for path in ("sbin/init", "usr/sbin/init", "init"):
        text = tree.target(path) or ""
        found = tree.resolve(path)
        if found is not None or text:
            return _by_program(tree, found[0] if found else text)
    if any(tree.find(path) for path in _SYSTEMD) or tree.find("etc/systemd/system"):
        # Where /usr is a partition of its own, /etc still shows whose system it is.
        return "systemd"
    if any(tree.find(path) for path in _OPENRC) and tree.find("etc/runlevels"):
        return "openrc"
    return "runit" if tree.find("etc/runit/1") else ""


def _by_program(tree: Tree, path: str) -> str:
    name = path.rpartition("/")[2]
    for init in ("systemd", "openrc", "runit", "s6", "dinit"):
        if name.startswith(init):
            return init
    if _HANDS_OVER.search(tree.text("etc/inittab") or ""):
        return "openrc"
    if name.startswith("busybox"):
        return "busybox"
    if tree.find("etc/init/rc-sysinit.conf") or tree.find("etc/init/rcS.conf"):
        return "upstart"
    return "sysvinit"
