"""cloudbase-init: whether it will change how a Windows takes its RTC.

Its plugin NTPClientPlugin sets RealTimeIsUniversal to `real_time_clock_utc`, false by default, at
the first boot of an instance, and reboots (cloudbaseinit/plugins/common/ntpclient.py).
"""

from __future__ import annotations

from guestclock.disks.found import System
from guestclock.disks.problem import Reason
from guestclock.disks.systems.assignments import short
from guestclock.disks.tree import Tree

_FOLDERS = ("Program Files", "Program Files (x86)")
_CONF = "Cloudbase Solutions/Cloudbase-Init/conf/cloudbase-init.conf"
_SIZE = 64 << 10
_OPTION, _PLUGINS, _PLUGIN = "real_time_clock_utc", "plugins", "ntpclient"
# oslo.config's words for a boolean.
_WORDS = {"true": True, "1": True, "on": True, "yes": True}
_WORDS |= {"false": False, "0": False, "off": False, "no": False}


def read_cloudbase(tree: Tree, system: System) -> None:
    """The details `cloudbase_init` (it is installed) and `real_time_clock_utc`, what it will set
    RealTimeIsUniversal to; None where it sets nothing. Raises DiskProblem.
    """
    settings: dict[str, str] | None = None
    for folder in _FOLDERS:
        path = f"/{folder}/{_CONF}"
        text = tree.text(path, _SIZE)
        if text is not None:
            settings = _settings(text)
            break
    system.details["cloudbase_init"] = settings is not None
    system.details[_OPTION] = None
    if settings is not None and _PLUGIN in settings.get(_PLUGINS, _PLUGIN).lower():
        _judge(settings.get(_OPTION), path, system)


def _judge(said: str | None, path: str, system: System) -> None:
    wanted = False if said is None else _WORDS.get(said.lower())
    if wanted is None:
        system.lacks(_OPTION, Reason.AMBIGUOUS, f"{path}: {_OPTION} is {short(said)}")
        return
    system.details[_OPTION] = wanted
    system.saw(_OPTION, path, _OPTION, raw="not set" if said is None else short(said))
    if system.real_time_is_universal not in (None, wanted):
        system.warn(
            "cloudbase-changes-rtc",
            f"cloudbase-init will set RealTimeIsUniversal to {int(wanted)} at the first boot of "
            "an instance, which is not what the registry says now",
        )


def _settings(text: str) -> dict[str, str]:
    """The options of [DEFAULT]; a line that begins with a space goes on with the one before."""
    found: dict[str, str] = {}
    section, last = "DEFAULT", ""
    for line in text.lstrip("\ufeff").splitlines():
        word = line.strip()
        if word.startswith("[") and word.endswith("]"):
            section, last = word[1:-1], ""
        elif not word or word[0] in "#;" or section != "DEFAULT":
            continue
        elif line[0] in " \t" and last:
            found[last] += word
        else:
            name, sign, value = word.partition("=")
            last = name.strip() if sign else ""
            if last:
                found[last] = value.strip().strip("\"'")
    return found
