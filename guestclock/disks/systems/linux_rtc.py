"""How a Linux takes its RTC: what decides it depends on who sets the clock at boot.

The kernel itself takes the RTC for UTC (drivers/rtc/class.c, hctosys). Then:

- systemd, and hwclock when it is told nothing, go by the third line of /etc/adjtime, which is
  LOCAL or anything else (systemd src/shared/clock-util.c `clock_is_localtime`; adjtime_config(5));
- OpenRC tells hwclock what /etc/conf.d/hwclock says: exactly UTC, or local time
  (openrc init.d/hwclock.in), whatever stands in adjtime;
- Void tells it HARDWARECLOCK of /etc/rc.conf and does not run it without
  (void-runit core-services/02-kmods.sh ff.);
- Slackware goes by a line UTC in /etc/hardwareclock (rc.S);
- others of the time before systemd have a script that reads a setting: UTC= of /etc/default/rcS
  (Debian up to 6, Ubuntu up to 14.04) or of /etc/sysconfig/clock (RHEL up to 5), HWCLOCK of
  SUSE's. The script is on the disk, so it is asked which setting it reads.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, Reason
from guestclock.disks.systems.assignments import assignments, is_computed, short, shown
from guestclock.disks.systems.linux_init import init_of
from guestclock.disks.tree import Tree

ADJTIME = "etc/adjtime"
_OPENRC = "etc/conf.d/hwclock"
_RC_CONF = "etc/rc.conf"
_SLACKWARE = "etc/hardwareclock"
_LINE_ENDS = re.compile(r"\r\n|\n")
# A script of the boot, the variable that it goes by, and the file that sets that.
_SCRIPTS = (
    ("etc/rc.sysinit", "HARDWARECLOCK", _RC_CONF),
    ("etc/rc.d/rc.sysinit", "UTC", "etc/sysconfig/clock"),
    ("etc/init.d/hwclockfirst.sh", "UTC", "etc/default/rcS"),
    ("etc/init.d/hwclock.sh", "UTC", "etc/default/rcS"),
    ("etc/init/hwclock.conf", "UTC", "etc/default/rcS"),
    ("etc/init.d/boot.clock", "HWCLOCK", "etc/sysconfig/clock"),
    ("etc/rc.d/init.d/setclock", "UTC", "etc/sysconfig/clock"),
    ("etc/init.d/setclock", "UTC", "etc/sysconfig/clock"),
)
_UTC = frozenset(("yes", "true", "1", "on", "utc", "-u", "--utc"))
_LOCAL = frozenset(("no", "false", "0", "off", "local", "localtime", "-l", "--localtime"))


class Takes(NamedTuple):
    """The RTC is utc or local, as a setting of a file says."""

    rtc: str
    path: str
    key: str
    raw: str


class Unclear(NamedTuple):
    """The files do not agree, or only the running system knows."""

    detail: str


Decision: TypeAlias = Takes | Unclear


def read_rtc(tree: Tree, system: System) -> None:
    """Fills in `rtc` with its evidence or the reason why not, and the details init, adjtime."""
    try:
        init = init_of(tree)
        system.details["init"] = init or None
        third = _third_line(tree.text(ADJTIME) or "")
        system.details["adjtime"] = shown(third) if third is not None else None
        decision = _decision(tree, init)
    except DiskProblem as problem:
        system.lacks("rtc", problem)
        return
    match decision:
        case Takes(rtc, path, key, raw):
            system.rtc = rtc
            system.saw("rtc", f"/{path}", key, raw=raw)
            if path != ADJTIME and third in ("LOCAL", "UTC") and third.lower() != rtc:
                other = f"/{ADJTIME} says {third}, which this system does not go by at boot"
                system.warn("adjtime-not-used", other)
        case Unclear(detail):
            system.lacks("rtc", Reason.AMBIGUOUS, detail)


def _decision(tree: Tree, init: str) -> Decision:
    if init == "systemd":
        return _adjtime(tree)
    if init == "openrc" and (tree.find(_OPENRC) or tree.find("etc/init.d/hwclock")):
        return _openrc(tree)
    if init == "runit":
        return _hardwareclock(tree)
    script = _by_script(tree)
    if script is not None:
        return script
    return _adjtime(tree) if init else _without_init(tree)


def _adjtime(tree: Tree) -> Takes:
    text = tree.text(ADJTIME)
    if text is None:
        return Takes("utc", ADJTIME, "line 3", "there is no such file")
    third = _third_line(text)
    if third is None:
        return Takes("utc", ADJTIME, "line 3", "there is no such line")
    return Takes("local" if third == "LOCAL" else "utc", ADJTIME, "line 3", third)


def _third_line(text: str) -> str | None:
    lines = _LINE_ENDS.split(text, maxsplit=3)
    return lines[2] if len(lines) > 2 else None


def _openrc(tree: Tree) -> Decision:
    settings = assignments(tree.text(_OPENRC) or "")
    # Its own default, and the name that the setting had before (init.d/hwclock.in).
    value = settings.get("clock") or settings.get("CLOCK") or "UTC"
    if is_computed(value):
        return Unclear(f"clock in /{_OPENRC} is {short(value)}, which only its shell knows")
    local = value != "UTC"
    runs = any(tree.find(f"etc/runlevels/{one}/hwclock", False) for one in ("sysinit", "boot"))
    if local and not runs and tree.find("etc/runlevels"):
        return Unclear(
            f"/{_OPENRC} says {short(value)}, and no runlevel starts hwclock, which would go by it"
        )
    return Takes("local" if local else "utc", _OPENRC, "clock", value)


def _hardwareclock(tree: Tree) -> Decision:
    value = assignments(tree.text(_RC_CONF) or "").get("HARDWARECLOCK", "")
    if not value:
        return Takes("utc", _RC_CONF, "HARDWARECLOCK", "not set")
    return _by_word(_RC_CONF, "HARDWARECLOCK", value)


def _by_script(tree: Tree) -> Decision | None:
    """By the setting that a script of the boot reads, None where none is there that reads one."""
    if "hardwareclock" in (tree.text("etc/rc.d/rc.S") or ""):
        text = tree.text(_SLACKWARE) or ""
        utc = any(line.startswith("UTC") for line in text.split("\n"))
        return Takes("utc" if utc else "local", _SLACKWARE, "", "UTC" if utc else "no line UTC")
    for script, variable, path in _SCRIPTS:
        text = tree.text(script) or ""
        if not re.search(rf"\$\{{?{variable}\b", text):
            continue
        value = assignments(tree.text(path) or "").get(variable, "")
        if not value and variable == "HARDWARECLOCK":
            return None
        return _by_word(path, variable, value)
    return None


def _by_word(path: str, key: str, value: str) -> Decision:
    words = set(value.lower().split())
    utc, local = bool(words & _UTC), bool(words & _LOCAL)
    if utc == local:
        return Unclear(f"{key} in /{path} is {short(value)}, which is neither UTC nor local time")
    return Takes("utc" if utc else "local", path, key, value)


def _without_init(tree: Tree) -> Decision:
    """Without anything that boots in sight: adjtime, unless another setting contradicts it."""
    decision = _adjtime(tree)
    for path, key in ((_OPENRC, "clock"), ("etc/default/rcS", "UTC"), (_RC_CONF, "HARDWARECLOCK")):
        value = assignments(tree.text(path) or "").get(key, "")
        other = _by_word(path, key, value) if value else decision
        if isinstance(other, Unclear) or other.rtc != decision.rtc:
            return Unclear(
                f"/{ADJTIME} ({short(decision.raw, 60)}) and {key} of /{path} "
                f"({short(value, 60)}) disagree, and what sets the clock at boot is not on this "
                "file system"
            )
    return decision
