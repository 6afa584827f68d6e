"""How a Linux takes its RTC: the file that the program which sets the clock at boot goes by.

systemd and util-linux's hwclock read the third line of /etc/adjtime (hwclock(8), adjtime(5));
OpenRC tells hwclock what /etc/conf.d/hwclock says, whatever stands in adjtime; some older systems
had a file of their own.
"""

from __future__ import annotations

from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.tree import Tree

_ADJTIME = "etc/adjtime"
_OPENRC = "etc/conf.d/hwclock"
_SMALL = 16 << 10
# Who sets the clock: one of the files means that it is there.
_SYSTEMD = ("usr/lib/systemd/systemd", "lib/systemd/systemd")
_RUNS_OPENRC = ("sbin/openrc-run", "usr/sbin/openrc-run", "usr/bin/openrc-run")
# Files of older systems, their setting, and what of its values means UTC.
_OLD = (
    ("etc/default/rcS", "UTC", ("yes",)),
    ("etc/sysconfig/clock", "UTC", ("true", "yes", "1")),
)
_SLACKWARE = "etc/hardwareclock"


def read_clock(tree: Tree, system: System) -> None:
    """Fills in `rtc` with its evidence, or why it is not known."""
    try:
        _read(tree, system)
    except DiskProblem as problem:
        system.lacks("rtc", problem)


def _read(tree: Tree, system: System) -> None:
    openrc = any(tree.find(path) for path in _RUNS_OPENRC)
    if not openrc:
        _adjtime(tree, system)
        return
    by_systemd = any(tree.find(path) for path in _SYSTEMD)
    setting = _setting(tree, _OPENRC, "clock")
    local = setting is not None and setting.lower() == "local"
    if by_systemd and local != (_third_line(tree) == "LOCAL"):
        system.lacks(
            "rtc",
            Reason.AMBIGUOUS,
            f"systemd and OpenRC are both there, and /{_ADJTIME} and /{_OPENRC} disagree",
        )
        return
    system.rtc = "local" if local else "utc"
    # OpenRC's own default is UTC (its conf.d/hwclock).
    system.saw("rtc", f"/{_OPENRC}", "clock", raw=setting or "not set")


def _adjtime(tree: Tree, system: System) -> None:
    third = _third_line(tree)
    if third is not None:
        system.rtc = "local" if third == "LOCAL" else "utc"
        system.saw("rtc", f"/{_ADJTIME}", "line 3", raw=third)
        return
    for path, name, means_utc in _OLD:
        value = _setting(tree, path, name)
        if value is not None:
            system.rtc = "utc" if value.lower() in means_utc else "local"
            system.saw("rtc", f"/{path}", name, raw=value)
            return
    text = tree.text(_SLACKWARE, _SMALL)
    if text is not None:
        words = [line.strip() for line in text.splitlines() if not line.startswith("#")]
        system.rtc = "local" if "localtime" in words else "utc"
        system.saw("rtc", f"/{_SLACKWARE}", raw=" ".join(words))
        return
    system.rtc = "utc"
    there = "it has no third line" if tree.find(_ADJTIME) else "there is no such file"
    system.saw("rtc", f"/{_ADJTIME}", "line 3", raw=there)


def _third_line(tree: Tree) -> str | None:
    """UTC or LOCAL in adjtime, None where neither stands there: then UTC is taken."""
    text = tree.text(_ADJTIME, _SMALL)
    lines = (text or "").splitlines()
    third = lines[2].strip() if len(lines) > 2 else ""
    return third if third in ("UTC", "LOCAL") else None


def _setting(tree: Tree, path: str, name: str) -> str | None:
    """The last value that a shell's file gives a variable, without quotes."""
    found = None
    for line in (tree.text(path, _SMALL) or "").splitlines():
        key, sign, value = line.strip().partition("=")
        if sign and key == name:
            found = value.partition("#")[0].strip().strip("\"'")
    return found
