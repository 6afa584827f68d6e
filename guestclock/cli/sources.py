"""Where a command gets its machines from: the options for it, and the machines.

Nothing of libvirt, lxml or the zone databases is imported before it is used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from guestclock.platforms.interface import Read
    from guestclock.platforms.surroundings import Surroundings
    from guestclock.zones import Zones

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What the user said about sources; `live` allows reading RTCs through the monitor."""

    connections: tuple[str, ...] = ()
    guests: str | None = None
    host_zone: str | None = None
    libvirtd_zone: str | None = None
    live: bool = False


_OPTIONS = (
    click.option(
        "-c",
        "--connect",
        multiple=True,
        metavar="URI",
        help="Read the machines of this libvirt connection, such as qemu:///system.",
    ),
    click.option(
        "--guests",
        metavar="FILE",
        help="TOML or CSV that says which system runs in which machine, in which zone.",
    ),
    click.option(
        "--host-zone",
        metavar="ZONE",
        help="The zone of the host where it cannot be seen, such as Asia/Shanghai.",
    ),
    click.option(
        "--libvirtd-zone",
        metavar="ZONE",
        help="A TZ in libvirtd's own environment, where it cannot be seen.",
    ),
    click.option(
        "--live",
        is_flag=True,
        help="Also read the RTC of running machines through QEMU's monitor. "
        "Needs a connection that may write, and libvirt marks the domain as tainted.",
    ),
)


def source_options(command: Command) -> Callable[..., Any]:
    """Adds `-c`, `--guests`, `--host-zone`, `--libvirtd-zone`, `--live`.

    The command gets them together, as its argument `sources`, a SourceOptions.
    """

    @functools.wraps(command)
    def bundled(
        *args: object,
        connect: tuple[str, ...],
        guests: str | None,
        host_zone: str | None,
        libvirtd_zone: str | None,
        live: bool,
        **others: object,
    ) -> object:
        options = SourceOptions(connect, guests, host_zone, libvirtd_zone, live)
        return command(*args, sources=options, **others)

    wrapped: Callable[..., Any] = bundled
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def load_zones() -> Zones:
    """The databases at hand: the system's for hosts, the newest for true time and guests."""
    from guestclock.databases import zones_at_hand

    return zones_at_hand()


def surroundings_of(options: SourceOptions, zones: Zones) -> Surroundings:
    """What the options say of hosts and guests. Raises UsageProblem, Unreadable."""
    from guestclock.evidence import Assumed
    from guestclock.inventory import NO_INVENTORY, load_inventory
    from guestclock.law import NO_HOST_ZONE, Host
    from guestclock.platforms.surroundings import Surroundings

    host = Host(
        zone=NO_HOST_ZONE
        if options.host_zone is None
        else Assumed(_checked_zone(options.host_zone, zones), "--host-zone"),
        daemon_zone=None
        if options.libvirtd_zone is None
        else _checked_zone(options.libvirtd_zone, zones),
    )
    inventory = load_inventory(options.guests, zones) if options.guests else NO_INVENTORY
    return Surroundings(host, inventory)


def _checked_zone(name: str, zones: Zones) -> str:
    """The zone that a host has by that name: IANA, Windows or a POSIX rule."""
    from guestclock.errors import UsageProblem
    from guestclock.zones import UnknownZone, posix_zone

    try:
        return zones.iana(name)
    except UnknownZone as problem:
        if posix_zone(name):
            return name
        raise UsageProblem(str(problem)) from None


def collect(paths: Iterable[str], options: SourceOptions, zones: Zones) -> Iterator[Read]:
    """The machines of files, folders and processes (pid:N, pid:all), then of connections.

    Files and folders hold domain definitions; a file that is given by its name may also hold
    QEMU's command line. Each part is sorted by path or name. Raises UsageProblem or Unreadable
    before the first machine where an option is wrong.
    """
    surroundings = surroundings_of(options, zones)
    return _collect(tuple(paths), options, surroundings)


def _collect(
    paths: tuple[str, ...], options: SourceOptions, surroundings: Surroundings
) -> Iterator[Read]:
    if paths:
        from guestclock.platforms.libvirt.files import DomainFiles
        from guestclock.platforms.qemu.source import QemuSource, is_command_line

        qemu = tuple(path for path in paths if is_command_line(path))
        yield from DomainFiles(
            (path for path in paths if path not in qemu), surroundings
        ).machines()
        if qemu:
            yield from QemuSource(qemu, surroundings).machines()
    for uri in options.connections:
        from guestclock.platforms.libvirt.connection import Connection

        yield from Connection(uri, surroundings, live=options.live).machines()
