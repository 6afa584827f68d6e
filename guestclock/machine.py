"""One VM: what was read of it, and its clock error now, after a reset, after a cold start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from guestclock.clock import Clock, Variable
from guestclock.disk import Disk, DiskFile
from guestclock.evidence import Fact, Inferred, Observed, Unknown
from guestclock.guest import Guest, bias_at
from guestclock.law import BEYOND_YEARS, Host, Start, boot, start
from guestclock.rtc import RtcArguments
from guestclock.zones import Zones

OFF = Unknown("the machine is off")
NOT_READ = Unknown("the machine runs and its RTC was not read", "read it with --live")
MACHINES = frozenset(("domain", "process", "server"))
"""The kinds of what has a clock; all other objects are looked at for what they hand on."""
ONLY_DEFINITION = Unknown("only the definition was read", "ask the host with -c URI --live")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which machine or object: `id` is its UUID where it has one, else its path or name.

    `kind` is what its platform calls it: domain, process, server, image, volume, snapshot, host.
    """

    id: str
    name: str
    platform: str
    source: str
    kind: str = "domain"


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the machine is made of; an empty text is not known.

    `virt` is libvirt's domain type (kvm, qemu), `machine` QEMU's machine type (pc-q35-7.2).
    """

    virt: str = ""
    arch: str = ""
    machine: str = ""

    @property
    def ignores_rtc(self) -> str | None:
        """Why `-rtc` has no effect on this hardware, or None where it has one.

        Source: QEMU hw/s390x/tod-kvm.c, hw/i386/microvm.c.
        """
        if self.virt != "kvm":
            return None
        if self.arch == "s390x":
            return "s390x under KVM takes its time from the host's TOD clock"
        if self.machine.startswith("microvm"):
            return "microvm under KVM has no RTC: the guest reads kvm-clock"
        return None


@dataclass(frozen=True, slots=True)
class Process:
    """The machine's QEMU process; `rtc_offset` is the RTC minus true UTC in seconds."""

    pid: int | None = None
    arguments: Fact[RtcArguments] = Unknown("QEMU's command line was not read")
    environment_zone: Fact[str | None] = Unknown("QEMU's environment was not read")
    rtc_offset: Fact[int] = NOT_READ


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was read of a machine but its name, so that equal machines are judged once.

    `definition` is what the next cold start uses; `live` what the running machine was made from,
    None where it is off or was not asked. `stored` is the definition as it stands on its host,
    where a manager writes another one at the next cold start; None where it is `definition`
    itself. `process` is None for a machine that does not run, and `asked` says whether anyone
    could tell. `disk` is what the machine's own disk says, None where it was not read.
    """

    definition: Fact[Clock]
    live: Fact[Clock] | None = None
    stored: Fact[Clock] | None = None
    process: Process | None = None
    asked: bool = False
    hardware: Hardware = Hardware()
    guest: Guest = Guest()
    host: Host = Host()
    disk: Disk | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and what was read of it; `disks` are looked for only where they are to be read."""

    identity: Identity
    facts: Facts
    disks: tuple[DiskFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """Clock errors in seconds, positive = the guest is ahead.

    `offset` is the RTC minus true UTC after a cold start, `live_offset` now; `start` is the next
    cold start as the law sees it, None where the definition is unknown.
    """

    now: Fact[int]
    after_reset: Fact[int]
    after_cold_start: Fact[int]
    start: Start | None
    offset: Fact[int]
    live_offset: Fact[int]
    guest: Guest


_NO_MACHINE = Unknown("it is no machine and has no clock")
NO_OUTLOOK = Outlook(
    _NO_MACHINE, _NO_MACHINE, _NO_MACHINE, None, _NO_MACHINE, _NO_MACHINE, Guest(kind=_NO_MACHINE)
)
"""What there is to say of an image, a volume or a host."""


def outlook(facts: Facts, at: datetime, zones: Zones) -> Outlook:
    """The machine's errors, for a moment `at` (aware) at which it would be started."""
    guest = guest_at(facts.guest, at, zones)
    begun, offset = next_start(facts, at, zones)
    live_offset = _live_offset(facts)
    running = boot_error(guest, live_offset, at, zones)
    return Outlook(
        now=running,
        after_reset=running,
        after_cold_start=boot_error(guest, offset, at, zones),
        start=begun,
        offset=offset,
        live_offset=live_offset,
        guest=guest,
    )


def guest_at(guest: Guest, at: datetime, zones: Zones) -> Guest:
    """The guest with the bias that Windows has saved if it ran until `at`, where none is known."""
    if guest.system == "windows" and isinstance(guest.bias_minutes, Unknown):
        return replace(guest, bias_minutes=bias_at(guest, at, zones.guest))
    return guest


def next_start(facts: Facts, at: datetime, zones: Zones) -> tuple[Start | None, Fact[int]]:
    """The cold start at `at`, and its RTC minus true UTC in seconds."""
    if isinstance(facts.definition, Unknown):
        return None, facts.definition
    begun = start(facts.definition.value, facts.host, at, zones)
    why = facts.hardware.ignores_rtc
    if why:
        return begun, Inferred(facts.host.clock_error, why)
    if isinstance(begun.offset, Unknown):
        return begun, begun.offset
    return begun, Inferred(begun.offset.value + facts.host.clock_error, begun.offset.where)


def _live_offset(facts: Facts) -> Fact[int]:
    if facts.process is None:
        return OFF if facts.asked else ONLY_DEFINITION
    if not isinstance(facts.process.rtc_offset, Unknown):
        return facts.process.rtc_offset
    if isinstance(facts.live, Observed) and isinstance(facts.live.value.base, Variable):
        # libvirt keeps the guest's writes in the live definition of a variable clock alone.
        seconds = facts.live.value.base.adjustment + facts.host.clock_error
        return Inferred(seconds, "the live definition's adjustment, kept by libvirt")
    return facts.process.rtc_offset


def boot_error(guest: Guest, offset: Fact[int], at: datetime, zones: Zones) -> Fact[int]:
    """The error in seconds of a guest that boots at `at` with its RTC `offset` from true UTC."""
    if isinstance(offset, Unknown):
        return offset
    try:
        reading = at.astimezone(UTC).replace(tzinfo=None) + timedelta(seconds=offset.value)
    except OverflowError:
        return BEYOND_YEARS
    return boot(guest, reading, at, zones).error
