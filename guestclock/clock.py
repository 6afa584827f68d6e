"""What a platform defines for the clock of a VM: its base and its timers.

The vocabulary is libvirt's, because every platform's choice ends there or can be said in it
(formatdomain, "Time keeping"). A `Clock` is in libvirt's normal form: `utc` or `localtime` with a
numeric adjustment is `Variable`. Text is read and written by each platform's dialect.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Basis(Enum):
    """What the adjustment of a `Variable` clock is counted from."""

    UTC = "utc"
    LOCALTIME = "localtime"


class Track(Enum):
    """Which of QEMU's clocks the RTC follows (`-rtc clock=`; libvirt's rtc timer `track`)."""

    HOST = "host"
    RT = "rt"
    VM = "vm"


@dataclass(frozen=True, slots=True)
class Utc:
    """The RTC starts at UTC. `reset` keeps `adjustment='reset'`, which QEMU ignores."""

    reset: bool = False


@dataclass(frozen=True, slots=True)
class Localtime:
    """The RTC starts at the local time of the QEMU process: the host's /etc/localtime."""

    reset: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """The RTC starts at the local time of a named zone, given to QEMU as TZ, never checked."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """The RTC starts `adjustment` seconds ahead of UTC or of libvirtd's local time."""

    adjustment: int
    basis: Basis = Basis.UTC


@dataclass(frozen=True, slots=True)
class Absolute:
    """The RTC starts at the same instant each time: `start`, in seconds since 1970 UTC."""

    start: int


Base: TypeAlias = Utc | Localtime | Zone | Variable | Absolute


@dataclass(frozen=True, slots=True)
class Catchup:
    """How QEMU may catch up lost ticks; each figure as libvirt keeps it, 0 = not given."""

    threshold: int = 0
    slew: int = 0
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Timer:
    """One `<timer>`. `None` is an attribute that is absent; `frequency` is in Hz, 0 = absent."""

    name: str
    present: bool | None = None
    tickpolicy: str | None = None
    track: str | None = None
    frequency: int = 0
    mode: str | None = None
    catchup: Catchup = Catchup()


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock definition: where the RTC starts, and the timers of the machine."""

    base: Base = Utc()
    timers: tuple[Timer, ...] = ()

    def timer(self, name: str) -> Timer | None:
        """The first timer of that name, or None."""
        for timer in self.timers:
            if timer.name == name:
                return timer
        return None

    @property
    def track(self) -> Track:
        """What the RTC follows; libvirt's guest, wall, realtime are QEMU's vm, host, rt."""
        rtc = self.timer("rtc")
        return _TRACKS.get(rtc.track or "", Track.HOST) if rtc else Track.HOST

    @property
    def slews(self) -> bool:
        """Whether lost RTC ticks are caught up (`driftfix=slew`)."""
        rtc = self.timer("rtc")
        return rtc is not None and rtc.tickpolicy == "catchup"


_TRACKS = {"guest": Track.VM, "wall": Track.HOST, "realtime": Track.RT}


def describe(base: Base) -> str:
    """A base in the words of libvirt's attributes, as it would stand in `<clock ...>`."""
    match base:
        case Utc(reset):
            return "offset='utc'" + (" adjustment='reset'" if reset else "")
        case Localtime(reset):
            return "offset='localtime'" + (" adjustment='reset'" if reset else "")
        case Zone(name):
            return f"offset='timezone' timezone='{name}'"
        case Variable(adjustment, basis):
            return f"offset='variable' adjustment='{adjustment}' basis='{basis.value}'"
        case Absolute(start):
            return f"offset='absolute' start='{start}'"
