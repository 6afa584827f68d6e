"""Everything the lab knows of one server's clock, hop by hop, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from guestclock.lab.console import GuestState
from guestclock.lab.guests.disk import GuestSetup


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A server's clock, read now.

    `rtc` and the guest's times are naive, whole seconds. `true_utc` is the lab's own time, aware;
    `true_local` the naive local time of the guest's zone then. `error` is how many seconds the
    guest's idea of UTC is ahead of it. None: the machine is off, paused, or no small guest;
    `silence` says in words why the guest does not speak.
    """

    rtc: datetime | None
    guest: GuestState | None
    true_utc: datetime
    true_local: datetime | None
    error: int | None
    silence: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """The hops from a server's image to its guest.

    `image_os_type` is the image's property now, None where it has none or `image` is None, as the
    image is gone. `definition` is the next cold start's, `live` that of the running machine.
    `rtc_arguments` is what follows -rtc on QEMU's command line. `guest_zone` is an IANA name.
    """

    name: str
    uuid: str
    status: str
    image: str | None
    image_os_type: str | None
    os_type: str | None
    host: str
    host_zone: str
    hypervisor: str
    definition: str | None
    live: str | None
    pid: int | None
    rtc_arguments: str | None
    setup: GuestSetup | None
    guest_zone: str | None
    clock: ClockReading


def rtc_arguments_of(pid: int) -> str | None:
    """Return what follows -rtc on the command line of a QEMU; None when it is gone."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    if b"-rtc" not in words:
        return None
    return words[words.index(b"-rtc") + 1].decode(errors="replace")
