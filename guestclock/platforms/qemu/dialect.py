"""QEMU's command line, as far as it touches the clock.

Source: QEMU system/vl.c, system/rtc.c, util/qemu-option.c; measured on QEMU 7.2: of several
`-rtc` the keys are merged and the last of each counts.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from guestclock.clock import Absolute, Base, Clock, Localtime, Timer, Track, Utc, Zone
from guestclock.machine import Hardware
from guestclock.rtc import RtcArguments, parse_arguments

_TRACK_NAMES = {Track.HOST: "wall", Track.RT: "realtime", Track.VM: "guest"}
_PROGRAM = re.compile(r"(?:.*/)?(?:qemu-system-([A-Za-z0-9_-]+)|(qemu-kvm|kvm|qemu))(?:\.exe)?")
# The options of QEMU that take no value (QEMU 7.2 -help, and older ones).
_FLAGS = """
    -h -help -version -mem-prealloc -audio-help -snapshot -usb -nographic -portrait -full-screen
    -win2k-hack -no-fd-bootchk -no-acpi -no-hpet -singlestep -preconfig -S -enable-kvm -no-reboot
    -no-shutdown -nodefaults -no-user-config -daemonize -only-migratable -enable-sync-profile
    -xen-attach -xen-domid-restrict -old-param -semihosting -s -curses -sdl -no-quit -alt-grab
    -ctrl-grab -no-frame -no-kvm
"""
_IS_FLAG = frozenset(_FLAGS.split())


class NoQemu(ValueError):
    """A text that is neither QEMU's command line nor a `-rtc` option."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What counts for the clock in QEMU's command line; `rtc` is None where it has no `-rtc`."""

    program: str = ""
    name: str = ""
    uuid: str = ""
    rtc: str | None = None
    hardware: Hardware = Hardware()
    hyperv: bool = False
    environment_zone: str | None = None

    @property
    def arguments(self) -> RtcArguments:
        """The `-rtc` arguments, QEMU's defaults where there are none. Raises BadRtcArguments."""
        return parse_arguments(self.rtc or "")


def parse_text(text: str) -> CommandLine:
    """A command line as it stands in a script or a process list, or a `-rtc` option alone.

    Assignments before the program (TZ=Asia/Tokyo) count as its environment. Raises NoQemu.
    """
    joined = re.sub(r"\\\r?\n", " ", text)
    try:
        words = shlex.split(joined, comments=True)
    except ValueError as problem:
        raise NoQemu(f"not a command line: {problem}") from None
    return parse_words(words)


def parse_words(words: Sequence[str]) -> CommandLine:
    """A command line of words, as in /proc/PID/cmdline. Raises NoQemu."""
    zone: str | None = None
    for index, word in enumerate(words):
        if _PROGRAM.fullmatch(word):
            return replace(_options(word, list(words[index + 1 :])), environment_zone=zone)
        if word.startswith("-"):
            options = _options("", list(words[index:]))
            if options.rtc is not None:
                return replace(options, environment_zone=zone)
        elif word.startswith("TZ="):
            zone = word.removeprefix("TZ=")
    raise NoQemu("no qemu-system-... program and no -rtc option in it")


def _options(program: str, words: list[str]) -> CommandLine:
    found = _PROGRAM.fullmatch(program)
    arch = (found[1] or "") if found else ""
    # kvm and qemu-kvm are distributions' names for a QEMU that uses KVM by itself.
    virt = "kvm" if found and found[2] in ("kvm", "qemu-kvm") else ""
    name = uuid = machine = ""
    hyperv = False
    for option, value in _pairs(words):
        match option:
            case "-name":
                name = _first(value, "guest") or name
            case "-uuid":
                uuid = value.lower()
            case "-machine" | "-M":
                machine = _first(value, "type") or machine
                virt = _virt(_key(value, "accel")) or virt
            case "-accel":
                virt = _virt(_first(value, "accel")) or virt
            case "-enable-kvm":
                virt = "kvm"
            case "-cpu":
                hyperv = any(part.startswith(("hv-", "hv_")) for part in value.split(",")[1:])
    hardware = Hardware(virt or "qemu", arch, machine)
    return CommandLine(program, name, uuid, rtc_text(words), hardware, hyperv)


def rtc_text(words: Sequence[str]) -> str | None:
    """The values of all `-rtc` options, in one; None where there are none."""
    values = [value for option, value in _pairs(words) if option == "-rtc"]
    return ",".join(values) if values else None


def _pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """Options with their values; QEMU takes --rtc for -rtc."""
    pairs, index = [], 0
    while index < len(words):
        option = words[index]
        option = option[1:] if option.startswith("--") else option
        index += 1
        if option.startswith("-"):
            value = ""
            if option not in _IS_FLAG and index < len(words):
                value = words[index]
                index += 1
            pairs.append((option, value))
    return pairs


def _first(value: str, key: str) -> str:
    """The value of a key that may be left out where it comes first; libvirt also writes JSON."""
    if value.startswith("{"):
        try:
            given = json.loads(value)
        except ValueError:
            return ""
        return str(given.get(key, "")) if isinstance(given, dict) else ""
    first, *_ = _split(value)
    return _key(value, key) or ("" if "=" in first else first)


def _key(value: str, key: str) -> str:
    values = [part[len(key) + 1 :] for part in _split(value) if part.startswith(f"{key}=")]
    return values[-1] if values else ""


def _split(value: str) -> list[str]:
    """Splits at commas; a doubled comma stands for one."""
    return [part.replace("\0", ",") for part in value.replace(",,", "\0").split(",")]


def _virt(accelerators: str) -> str:
    """libvirt's word for the first accelerator of a list such as kvm:tcg."""
    return {"kvm": "kvm", "tcg": "qemu", "hvf": "hvf", "whpx": "whpx", "xen": "xen"}.get(
        accelerators.split(":")[0], ""
    )


def clock_of(arguments: RtcArguments, environment_zone: str | None = None) -> Clock:
    """The definition whose `-rtc` and TZ these are; a TZ counts for base=localtime alone."""
    start = arguments.start
    base: Base
    if start is not None:
        base = Absolute(start)
    elif arguments.base == "utc":
        base = Utc()
    else:
        base = Localtime() if environment_zone is None else Zone(environment_zone)
    track = None if arguments.track is Track.HOST else _TRACK_NAMES[arguments.track]
    policy = "catchup" if arguments.slew else None
    return Clock(base, (Timer("rtc", tickpolicy=policy, track=track),) if track or policy else ())


def clock_with(clock: Clock, rtc: str) -> Clock:
    """A clock whose `-rtc` is followed by another one. Raises BadRtcArguments."""
    given = clock_of(parse_arguments(rtc))
    keys = {part.partition("=")[0] for part in rtc.split(",")}
    own = clock.timer("rtc") or Timer("rtc")
    if "clock" in keys:
        own = replace(own, track=_TRACK_NAMES[given.track])
    if "driftfix" in keys:
        own = replace(own, tickpolicy="catchup" if given.slews else "delay")
    others = tuple(timer for timer in clock.timers if timer.name != "rtc")
    timers = (*others, own) if keys & {"clock", "driftfix"} else clock.timers
    return Clock(given.base if "base" in keys else clock.base, timers)
