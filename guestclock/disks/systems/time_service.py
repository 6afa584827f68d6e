"""What keeps a Linux' time once it runs, and whether it sets a wrong clock right at boot.

Details (plain JSON values): `time_services` (programs that are installed), `time_services_enabled`
(those that start at boot), `steps_at_boot` (true, false; None where the files do not say it),
`step_rule` (the line it is told by), `rtc_written` (whether the service has the kernel copy its
time to the RTC), `saved_clock` (when systemd-timesyncd saved its time last, in seconds since
1970), `agent` (qemu-guest-agent is installed), `cloud_init` (None, or what it is told of the
time).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from guestclock.disks.filesystems.interface import Kind
from guestclock.disks.found import System
from guestclock.disks.systems.assignments import assignments, shown
from guestclock.disks.tree import Tree

_AGENT = ("usr/sbin/qemu-ga", "usr/bin/qemu-ga", "sbin/qemu-ga", "usr/local/bin/qemu-ga")
_TIMESYNC = "var/lib/systemd/timesync/clock"
_TARGETS = ("multi-user.target", "sysinit.target", "basic.target", "default.target")
_UNITS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
_RUNLEVELS = ("etc/rc2.d", "etc/rc3.d", "etc/rc.d/rc3.d", "etc/rc.d", "etc/runit/runsvdir/default")
_CHRONY = ("etc/chrony/chrony.conf", "etc/chrony.conf")
_CHRONY_MORE = ("etc/chrony/conf.d", "etc/chrony.d")
_NTP = ("etc/ntpsec/ntp.conf", "etc/ntp.conf")
_OPTIONS = (
    ("etc/default/ntpsec", "NTPD_OPTS"),
    ("etc/default/ntp", "NTPD_OPTS"),
    ("etc/sysconfig/ntpd", "OPTIONS"),
    ("etc/conf.d/ntpd", "NTPD_OPTS"),
    ("etc/default/openntpd", "DAEMON_OPTS"),
)
_CLOUD = "etc/cloud/cloud.cfg"
_MANY = 64


class _Service(NamedTuple):
    """A program that keeps time: where it is, what starts it, and whether it steps the clock."""

    name: str
    programs: tuple[str, ...]
    units: tuple[str, ...]
    steps: Callable[[Tree], tuple[bool | None, str]]


def read_time_service(tree: Tree, system: System) -> None:
    """Fills in the details named above. Raises DiskProblem where a file cannot be read."""
    details = system.details
    details["agent"] = _any(tree, _AGENT)
    installed = [one for one in _SERVICES if _any(tree, one.programs)]
    enabled = [one for one in installed if any(_starts(tree, unit) for unit in one.units)]
    details["time_services"] = [one.name for one in installed]
    details["time_services_enabled"] = [one.name for one in enabled]
    steps, rule = enabled[0].steps(tree) if len(enabled) == 1 else (None, "")
    if not enabled:
        steps = False if not installed else None
    details["steps_at_boot"], details["step_rule"] = steps, shown(rule)
    details["rtc_written"] = _rtc_written(tree, enabled[0].name) if len(enabled) == 1 else None
    saved = tree.find(_TIMESYNC)
    if saved is not None and saved.modified is not None:
        details["saved_clock"] = saved.modified
    details["cloud_init"] = _cloud_init(tree)


def _any(tree: Tree, paths: tuple[str, ...]) -> bool:
    return any(tree.find(path) is not None for path in paths)


def _starts(tree: Tree, unit: str) -> bool:
    """Whether systemd, OpenRC, runit or a System V runlevel starts a service at boot."""
    if (tree.target(f"etc/systemd/system/{unit}.service") or "").endswith("/dev/null"):
        return False
    for folder in _UNITS:
        for target in _TARGETS:
            if tree.find(f"{folder}/{target}.wants/{unit}.service", follow=False):
                return True
    if any(tree.find(f"etc/runlevels/{one}/{unit}", False) for one in ("default", "boot")):
        return True
    numbered = re.compile(rf"S\d\d{re.escape(unit)}|{re.escape(unit)}")
    return any(numbered.fullmatch(name) for path in _RUNLEVELS for name in _names(tree, path))


def _names(tree: Tree, folder: str) -> list[str]:
    names: list[str] = []
    for name, node in tree.entries(folder):
        tree.budget.tick()
        if len(names) >= 16 * _MANY:
            break
        if node.kind in (Kind.FILE, Kind.LINK):
            names.append(name)
    return names


def _chrony_lines(tree: Tree) -> Iterator[list[str]]:
    paths = list(_CHRONY)
    for folder in _CHRONY_MORE:
        names = sorted(one for one in _names(tree, folder) if one.endswith(".conf"))
        paths += [f"{folder}/{name}" for name in names[:_MANY]]
    for path in paths:
        for line in (tree.text(path) or "").split("\n"):
            words = line.split()
            if words and words[0][0] not in "#!;%":
                yield [words[0].lower(), *words[1:]]


def _chrony(tree: Tree) -> tuple[bool | None, str]:
    """makestep and initstepslew (chrony.conf(5)); without one chrony only slews."""
    for words in _chrony_lines(tree):
        if words[0] in ("makestep", "initstepslew"):
            return True, " ".join(words)
    return False, ""


def _ntpd(tree: Tree) -> tuple[bool | None, str]:
    """ntpd steps from 128 ms on and ends above 1000 s, unless -g allows the first (ntpd(8))."""
    for path, key in _OPTIONS:
        options = assignments(tree.text(path) or "").get(key, "")
        if re.search(r"(?:^|\s)-[a-zA-Z]*g", options):
            return True, f"{key}={options}"
    for path in _NTP:
        for line in (tree.text(path) or "").split("\n"):
            words = line.split()
            if words[:1] == ["tinker"] and " panic 0 " in f" {' '.join(words)} ":
                return True, " ".join(words)
    return None, "up to 1000 s"


def _openntpd(tree: Tree) -> tuple[bool | None, str]:
    """openntpd sets the clock at its start where -s says so (ntpd(8) of OpenBSD)."""
    options = assignments(tree.text("etc/default/openntpd") or "").get("DAEMON_OPTS", "")
    return (True, options) if re.search(r"(?:^|\s)-[a-zA-Z]*s", options) else (None, options)


def _timesyncd(tree: Tree) -> tuple[bool | None, str]:
    """systemd-timesyncd steps whenever it is off by 0.4 s (timesyncd-manager.c)."""
    return True, "from 0.4 s on"


_SERVICES = (
    _Service("chrony", ("usr/sbin/chronyd", "sbin/chronyd"), ("chrony", "chronyd"), _chrony),
    _Service("ntpsec", ("usr/lib/systemd/system/ntpsec.service",), ("ntpsec",), _ntpd),
    _Service("ntpd", ("usr/sbin/ntpd", "sbin/ntpd"), ("ntp", "ntpd"), _ntpd),
    _Service("openntpd", ("usr/sbin/openntpd",), ("openntpd",), _openntpd),
    _Service(
        "systemd-timesyncd",
        ("usr/lib/systemd/systemd-timesyncd", "lib/systemd/systemd-timesyncd"),
        ("systemd-timesyncd",),
        _timesyncd,
    ),
)


def _rtc_written(tree: Tree, service: str) -> bool:
    """chrony wants `rtcsync` for it; with the others the kernel does it every eleven minutes."""
    return service != "chrony" or any(words[0] == "rtcsync" for words in _chrony_lines(tree))


def _cloud_init(tree: Tree) -> dict[str, object] | None:
    """cloud-init's own keys `timezone` and `ntp`, where they begin a line of its files."""
    if tree.find(_CLOUD) is None:
        return None
    names = sorted(one for one in _names(tree, f"{_CLOUD}.d") if one.endswith(".cfg"))
    zone, ntp = None, False
    for path in (_CLOUD, *(f"{_CLOUD}.d/{name}" for name in names[:_MANY])):
        text = tree.text(path) or ""
        named = re.findall(r"^timezone:[ \t]*[\"']?([A-Za-z0-9_+/-]{1,60})", text, re.MULTILINE)
        zone = named[-1] if named else zone
        ntp = ntp or re.search(r"^ntp:", text, re.MULTILINE) is not None
    return {"timezone": zone, "ntp": ntp}
