"""`<qemu:commandline>`: what a domain passes to QEMU past libvirt, where it touches the clock.

libvirt appends `<qemu:arg>` after its own arguments, and QEMU lets the last `-rtc` key win.
`<qemu:env name='TZ'>` replaces the TZ that libvirt sets for offset='timezone'. Both were measured
on libvirt 9.0 and QEMU 7.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from guestclock.clock import Clock, Zone
from guestclock.platforms.libvirt.dialect import BadClock
from guestclock.platforms.qemu.dialect import clock_with, rtc_text
from guestclock.rtc import BadRtcArguments


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is passed past libvirt: `-rtc` keys (None: none) and a TZ (None: none)."""

    rtc: str | None = None
    zone: str | None = None

    def __str__(self) -> str:
        given = []
        if self.rtc is not None:
            given.append(f"qemu:arg -rtc {self.rtc}")
        if self.zone is not None:
            given.append(f"qemu:env TZ={self.zone}")
        return " and ".join(given)

    def apply(self, clock: Clock) -> Clock:
        """The clock that QEMU is given in the end. Raises BadClock for a `-rtc` it refuses."""
        if self.rtc is not None:
            try:
                clock = clock_with(clock, self.rtc)
            except BadRtcArguments as problem:
                raise BadClock(f"qemu:arg -rtc {self.rtc[:60]!r}: {problem}") from None
        if self.zone is not None and isinstance(clock.base, Zone):
            clock = Clock(Zone(self.zone), clock.timers)
        return clock


_NOTHING = Overrides()


def overrides_of(command_line: Iterable[tuple[str, str, str]]) -> Overrides:
    """The overrides in ("arg", "", VALUE) and ("env", NAME, VALUE), in the order of the XML."""
    if not command_line:
        return _NOTHING
    return _overrides(tuple(command_line))


@lru_cache(maxsize=1024)
def _overrides(command_line: tuple[tuple[str, str, str], ...]) -> Overrides:
    words = [value for what, _, value in command_line if what == "arg"]
    zones = [value for what, name, value in command_line if what == "env" and name == "TZ"]
    return Overrides(rtc_text(words), zones[-1] if zones else None)
