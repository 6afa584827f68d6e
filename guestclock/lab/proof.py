"""A proof: a real QEMU started as the law says it will be, and its RTC held against the law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from guestclock.evidence import Assumed, Unknown
from guestclock.lab.matrix import ProofCase
from guestclock.lab.probe import Probe, Reading, run_probe, shell_line
from guestclock.law import Host, start, start_process
from guestclock.rtc import RtcArguments
from guestclock.zones import Zones

_SLACK = timedelta(seconds=1)
"""An RTC has whole seconds, and libfaketime is up to one second ahead (measured)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One QEMU to start: its `-rtc`, its TZ (None: the host's zone counts), and when."""

    arguments: RtcArguments
    environment_zone: str | None
    host_zone: str
    at: datetime

    def probe(self, travel: bool, zoneinfo: Path | None) -> Probe:
        """The probe of it. A host's /etc/localtime is given as TZ: QEMU cannot tell."""
        zone = self.host_zone if self.environment_zone is None else self.environment_zone
        epoch = int(self.at.timestamp()) if travel else None
        return Probe(str(self.arguments), zone, epoch, zoneinfo=zoneinfo)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the law says a QEMU's RTC starts with (`expected`, naive) and what was read of it."""

    subject: Subject
    expected: datetime
    reading: Reading
    matches: bool
    command: str


class NothingToProve(ValueError):
    """A case for which the law itself has no answer; the message says why."""


def subject_of(case: ProofCase, zones: Zones) -> Subject:
    """The QEMU that libvirt would start for a case. Raises NothingToProve."""
    host = Host(Assumed(case.host_zone, "the proof's host zone"))
    begun = start(case.clock, host, case.at, zones)
    if isinstance(begun.arguments, Unknown):
        raise NothingToProve(str(begun.arguments))
    return Subject(begun.arguments.value, begun.environment_zone, case.host_zone, case.at)


def prove(subject: Subject, zones: Zones, travel: bool, zoneinfo: Path | None = None) -> Proof:
    """Start a QEMU and compare its RTC with the law's. Raises LabError.

    With `travel` QEMU is given the subject's instant by libfaketime; without, that must be now.
    `zoneinfo` is the folder of `zones.host` where QEMU would not find it by itself.
    """
    probe = subject.probe(travel, zoneinfo)
    reading = run_probe(probe)
    return Proof(
        subject=subject,
        expected=_made_at(subject, subject.at, zones),
        reading=reading,
        matches=_matches(subject, reading, zones),
        command=shell_line(probe),
    )


def _made_at(subject: Subject, at: datetime, zones: Zones) -> datetime:
    """The naive RTC of a QEMU that makes it at `at`, by the law."""
    host = Host(Assumed(subject.host_zone, "the proof's host zone"))
    begun = start_process(subject.arguments, subject.environment_zone, host, at, zones)
    assert not isinstance(begun.offset, Unknown)
    return at.astimezone(UTC).replace(tzinfo=None) + timedelta(seconds=begun.offset.value)


def _matches(subject: Subject, reading: Reading, zones: Zones) -> bool:
    """Whether both readings are what an RTC made while QEMU ran would show.

    Which second of its run QEMU made its RTC in is not known. It matters only where a zone
    changes in these seconds, so the law is asked for each of them.
    """
    last = math.ceil(reading.after)
    for second in range(math.floor(reading.before), last + 1):
        made = _made_at(subject, datetime.fromtimestamp(second, UTC), zones)
        latest = made + timedelta(seconds=last - second) + _SLACK
        if all(made - _SLACK <= read <= latest for read in (reading.qom, reading.cmos)):
            return True
    return False
