"""What each step of a machine's life does to its RTC and to the next start.

A `State` is the machine after a step. The RTC is kept as its offset from true UTC, because that
is what survives: resets, pauses, host zone changes, save and restore, migration. Only a write by
the guest, a step of the host's clock, and a new process change it (measured on QEMU 7.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from guestclock.clock import Basis, Clock, Track, Variable
from guestclock.evidence import Fact, Inferred, Observed, Unknown, value_of
from guestclock.guest import Guest, bias_at
from guestclock.law import BEYOND_YEARS, Boot, Host, Start, boot, start
from guestclock.zones import Zones


class ImpossibleStep(ValueError):
    """A step that the machine's state does not allow; the message says what must come first."""


@dataclass(frozen=True, slots=True)
class PowerOn:
    """`start` or `cold-start`: a new QEMU process from the persistent definition."""

    at: datetime
    host_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """The QEMU process ends, and the RTC with it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Reset:
    """Any reset inside the same process: guest reboot, `virsh reset`, triple fault."""

    at: datetime


@dataclass(frozen=True, slots=True)
class WriteRtc:
    """The guest sets its RTC to a naive reading."""

    at: datetime
    rtc: datetime


@dataclass(frozen=True, slots=True)
class WriteBias:
    """Windows saves another ActiveTimeBias, in minutes, UTC minus local time."""

    at: datetime
    bias_minutes: int


@dataclass(frozen=True, slots=True)
class Pause:
    """The machine's processors are stopped; the process stays."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Resume:
    """A paused machine runs on."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Save:
    """The machine's memory is saved to a file and its process ends."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Restore:
    """A saved machine runs on in a new process, perhaps on a host of another zone."""

    at: datetime
    host_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Migrate:
    """Live migration; `clock_error` is the new host's clock minus true UTC, None = as before."""

    at: datetime
    host_zone: str | None = None
    clock_error: int | None = None


@dataclass(frozen=True, slots=True)
class Redefine:
    """Another persistent definition; a running process keeps its own until it ends."""

    at: datetime
    clock: Clock


@dataclass(frozen=True, slots=True)
class HostClockStep:
    """The host's clock is stepped by `seconds`, positive = forward."""

    at: datetime
    seconds: int


Step: TypeAlias = (
    PowerOn
    | Stop
    | Reset
    | WriteRtc
    | WriteBias
    | Pause
    | Resume
    | Save
    | Restore
    | Migrate
    | Redefine
    | HostClockStep
)


@dataclass(frozen=True, slots=True)
class Process:
    """The newest QEMU process.

    `offset` is the RTC minus true UTC in seconds. `clock` is the live definition. `stopped` is
    the instant since when an RTC that can stand still does.
    """

    start: Start
    clock: Clock
    offset: Fact[int]
    paused: bool = False
    saved: bool = False
    stopped: datetime | None = None

    def reading(self, instant: datetime) -> Fact[datetime]:
        """The naive RTC reading at an aware instant."""
        if isinstance(self.offset, Unknown):
            return self.offset
        running_until = self.stopped or instant
        naive = running_until.astimezone(UTC).replace(tzinfo=None)
        try:
            return Inferred(naive + timedelta(seconds=self.offset.value), self.offset.where)
        except OverflowError:
            return BEYOND_YEARS


@dataclass(frozen=True, slots=True)
class State:
    """A machine between two steps."""

    clock: Clock
    host: Host
    guest: Guest
    process: Process | None = None
    last_ran: datetime | None = None

    def boot(self, instant: datetime, zones: Zones) -> Boot:
        """What the guest makes of its RTC if it reads it at `instant`."""
        reading: Fact[datetime] = Unknown("the machine is off", "start it")
        if self.process is not None:
            reading = self.process.reading(instant)
        if isinstance(reading, Unknown):
            # True local time needs no RTC.
            true_local = boot(self.guest, instant.replace(tzinfo=None), instant, zones).true_local
            return Boot(reading, reading, true_local, reading)
        return boot(self.guest, reading.value, instant, zones)


def apply(state: State, step: Step, zones: Zones) -> State:
    """The machine after a step. Raises ImpossibleStep."""
    match step:
        case PowerOn(at, host_zone):
            return _power_on(_on_host(state, host_zone), at, zones)
        case Stop(at):
            _running(state, "stop", paused_too=True)
            return replace(state, process=None, last_ran=at)
        case Redefine(_, clock):
            return replace(state, clock=clock)
        case HostClockStep(_, seconds):
            return _host_step(state, seconds)
        case WriteBias(_, bias):
            kept = Observed(bias, "saved by the guest")
            return replace(state, guest=replace(state.guest, bias_minutes=kept))
        case Restore(at, host_zone):
            return _restore(_on_host(state, host_zone), at, zones)
        case Migrate(at, host_zone, clock_error):
            return _migrate(state, at, host_zone, clock_error, zones)
        case Reset(at):
            process = _running(state, "reset", paused_too=True)
            return replace(state, process=process, last_ran=at)
        case WriteRtc(at, rtc):
            return _write_rtc(state, at, rtc, zones)
        case Pause(at):
            process = _running(state, "pause")
            stopped = at if process.clock.track is Track.VM else None
            return replace(
                state, process=replace(process, paused=True, stopped=stopped), last_ran=at
            )
        case Resume(at):
            if state.process is None or not state.process.paused:
                raise ImpossibleStep("resume needs a paused machine: put a pause before it")
            return replace(state, process=_run_on(state.process, at), last_ran=at)
        case Save(at):
            process = _running(state, "save", paused_too=True)
            stands = process.clock.track is not Track.HOST
            stopped = process.stopped or (at if stands else None)
            saved = replace(process, saved=True, stopped=stopped)
            return replace(state, process=saved, last_ran=at)


def _running(state: State, step: str, paused_too: bool = False) -> Process:
    process = state.process
    if process is None or process.saved:
        raise ImpossibleStep(f"{step} needs a running machine: put a start before it")
    if process.paused and not paused_too:
        raise ImpossibleStep(f"{step} needs a machine that is not paused: put a resume before it")
    return process


def _on_host(state: State, zone: str | None) -> State:
    if zone is None:
        return state
    return replace(state, host=replace(state.host, zone=Observed(zone, "the step's host_zone")))


def _power_on(state: State, at: datetime, zones: Zones) -> State:
    begun = start(state.clock, state.host, at, zones)
    guest = state.guest
    if isinstance(guest.bias_minutes, (Inferred, Unknown)):
        # Windows saves its bias while it runs; nobody saved one while the machine was off.
        guest = replace(guest, bias_minutes=bias_at(guest, state.last_ran or at, zones.guest))
    process = Process(begun, _live(state.clock, begun, state.host), _from_utc(begun, state.host))
    return replace(state, guest=guest, process=process, last_ran=at)


def _from_utc(begun: Start, host: Host) -> Fact[int]:
    if isinstance(begun.offset, Unknown):
        return begun.offset
    return Inferred(begun.offset.value + host.clock_error, begun.offset.where)


def _live(clock: Clock, begun: Start, host: Host) -> Clock:
    """The live definition: libvirt turns `basis='localtime'` into utc at start (measured)."""
    if isinstance(clock.base, Variable) and clock.base.basis is Basis.LOCALTIME:
        offset = value_of(begun.offset)
        if offset is not None:
            return replace(clock, base=Variable(offset))
    return clock


def _write_rtc(state: State, at: datetime, rtc: datetime, zones: Zones) -> State:
    process = _running(state, "write-rtc")
    offset = int((rtc - at.astimezone(UTC).replace(tzinfo=None)).total_seconds())
    clock = process.clock
    if isinstance(clock.base, Variable):
        # libvirt keeps it in the live definition only, counted from the host's clock.
        clock = replace(clock, base=Variable(offset - state.host.clock_error))
    guest = state.guest
    if isinstance(guest.bias_minutes, (Inferred, Unknown)):
        # Windows saves its bias together with the RTC it writes.
        guest = replace(guest, bias_minutes=bias_at(guest, at, zones.guest))
    written = replace(process, offset=Observed(offset, "written by the guest"), clock=clock)
    return replace(state, process=written, guest=guest, last_ran=at)


def _host_step(state: State, seconds: int) -> State:
    host = replace(state.host, clock_error=state.host.clock_error + seconds)
    process = state.process
    if process is not None and process.clock.track is Track.HOST:
        process = replace(process, offset=_shift(process.offset, seconds, "the host's step"))
    return replace(state, host=host, process=process)


def _shift(offset: Fact[int], seconds: int, where: str) -> Fact[int]:
    if isinstance(offset, Unknown) or not seconds:
        return offset
    return Inferred(offset.value + seconds, f"{offset.where}; {where}")


def _run_on(process: Process, at: datetime) -> Process:
    """A stopped RTC goes on from where it stood: it stays behind by the time it stood."""
    offset = process.offset
    if process.stopped is not None:
        stood = int((at - process.stopped).total_seconds())
        offset = _shift(offset, -stood, f"stood still for {stood} s")
    return replace(process, offset=offset, paused=False, saved=False, stopped=None)


def _restore(state: State, at: datetime, zones: Zones) -> State:
    old = state.process
    if old is None or not old.saved:
        raise ImpossibleStep("restore needs a saved machine: put a save before it")
    process = replace(_run_on(old, at), start=start(old.clock, state.host, at, zones))
    return replace(state, process=process, last_ran=at)


def _migrate(
    state: State, at: datetime, host_zone: str | None, clock_error: int | None, zones: Zones
) -> State:
    process = _running(state, "migrate", paused_too=True)
    before = state.host.clock_error
    state = _on_host(state, host_zone)
    if clock_error is not None:
        state = replace(state, host=replace(state.host, clock_error=clock_error))
    offset = process.offset
    if process.clock.track is Track.HOST:
        # The constant travels as absolute host time, so a skew between the hosts shifts it.
        offset = _shift(offset, state.host.clock_error - before, "the hosts' skew")
    begun = start(process.clock, state.host, at, zones)
    moved = replace(process, start=begun, offset=offset)
    return replace(state, process=moved, last_ran=at)
