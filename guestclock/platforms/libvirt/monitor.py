"""The RTC of a running machine, read through QEMU's monitor.

No guest takes part, and it works while the machine is paused. libvirt marks the domain as tainted
until it stops. Source: QEMU hw/i386/pc.c (property rtc-time of x86 machines); measured on 7.2.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from math import ceil
from typing import Any, Protocol

from guestclock.evidence import Fact, Observed, Unknown
from guestclock.platforms.text import clean

_FIELDS = ("year", "mon", "mday", "hour", "min", "sec")
_QUERY = json.dumps(
    {"execute": "qom-get", "arguments": {"path": "/machine", "property": "rtc-time"}}
)


class LibvirtDomain(Protocol):
    """What is asked of libvirt's virDomain, which has no types."""

    def name(self) -> str:
        """Its name."""
        ...

    def isActive(self) -> int:  # noqa: N802
        """1 while it runs."""
        ...

    def isPersistent(self) -> int:  # noqa: N802
        """1 where libvirt keeps a definition of it."""
        ...

    def XMLDesc(self, flags: int) -> str:  # noqa: N802
        """A definition of it: the live one, or by a flag the inactive one."""
        ...


class LibvirtConnection(Protocol):
    """What is asked of libvirt's virConnect."""

    def listAllDomains(self, flags: int) -> list[LibvirtDomain]:  # noqa: N802
        """All domains, running or not."""
        ...


def rtc_offset(domain: LibvirtDomain) -> Fact[int]:
    """The RTC minus this host's UTC in seconds, right within one second.

    The reading is taken for one of the middle of the round trip.
    """
    import libvirt
    import libvirt_qemu

    before = time.time()
    try:
        answer = json.loads(libvirt_qemu.qemuMonitorCommand(domain, _QUERY, 0))
    except libvirt.libvirtError as problem:
        return Unknown(
            f"the monitor was not read: {clean(str(problem))}", "connect as an administrator"
        )
    after = time.time()
    reading = reading_of(answer)
    if reading is None:
        why = clean(str(answer.get("error", {}).get("desc", "no answer")))
        return Unknown(f"QEMU does not tell the RTC of this machine type: {why}")
    return Observed(offset_of(reading, before, after), "QMP qom-get /machine rtc-time")


def reading_of(answer: dict[str, Any]) -> datetime | None:
    """The naive RTC reading in QEMU's answer; None where it is an error, or no date."""
    given: Any = answer.get("return")
    try:
        year, month, day, hour, minute, second = (int(given[f"tm_{key}"]) for key in _FIELDS)
        return datetime(year + 1900, month + 1, day, hour, minute, second)
    except (TypeError, KeyError, ValueError):
        return None


def offset_of(reading: datetime, before: float, after: float) -> int:
    """Seconds that a reading taken between two instants (epoch seconds) is ahead of UTC.

    An RTC shows its second's beginning, so what it shows is up to one second old.
    """
    shown = reading.replace(tzinfo=UTC).timestamp()
    return ceil(shown - (before + after) / 2)
