"""Where a command gets its machines from: the options for it, and the machines.

Nothing of libvirt, lxml or the zone databases is imported before it is used.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from guestclock.inside import Inside
    from guestclock.platforms.interface import Collected, Read, Unread
    from guestclock.platforms.openstack.given import Given
    from guestclock.platforms.surroundings import Surroundings
    from guestclock.zones import Zones

Command = TypeVar("Command", bound=Callable[..., Any])
Collects = TypeVar("Collects", bound="Collected")


@dataclass(frozen=True, slots=True)
class DiskOptions:
    """Whether the machines' own disks are read: `auto` by the paths of their definitions, `named`
    as pairs of a machine and an image; `follow` their backing files too, in `allowed` folders.
    """

    auto: bool = False
    named: tuple[tuple[str, str], ...] = ()
    follow: bool = False
    allowed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether any disk is read."""
        return self.auto or bool(self.named)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What the user said about sources; `live` allows reading RTCs through the monitor."""

    connections: tuple[str, ...] = ()
    guests: str | None = None
    host_zones: tuple[str, ...] = ()
    libvirtd_zone: str | None = None
    live: bool = False
    cloud: str | None = None
    cells: tuple[str, ...] = ()
    api_db: str | None = None
    glance_db: str | None = None
    notifications: str | None = None
    folders: tuple[str, ...] = ()
    disks: DiskOptions = DiskOptions()

    @property
    def host_zone(self) -> str | None:
        """The zone of all hosts that nothing else was said of, as it was written."""
        named = [zone for zone in self.host_zones if "=" not in zone]
        return named[-1] if named else None

    def of_cloud(self) -> Given | None:
        """The sources of an OpenStack cloud, None where none was given.

        Raises UsageProblem where an option needs another one.
        """
        from guestclock.platforms.openstack.given import Given

        given = Given(
            self.cloud,
            self.cells,
            self.api_db,
            self.glance_db,
            self.notifications,
            self.connections,
            self.folders,
            self.live,
        )
        if given.has_servers:
            return given
        for option, value in (
            ("--api-db", self.api_db),
            ("--glance-db", self.glance_db),
            ("--notifications", self.notifications),
        ):
            if value is not None:
                from guestclock.errors import UsageProblem

                raise UsageProblem(
                    f"{option} adds to servers, and none are read",
                    "give --os-cloud NAME or --cell-db URL as well",
                )
        return None

    def from_environment(self) -> SourceOptions:
        """With the cloud that OS_CLOUD or OS_AUTH_URL name, where no source was given at all."""
        if self.connections or self.folders or self.cloud or self.cells:
            return self
        named = os.environ.get("OS_CLOUD")
        if named is None and "OS_AUTH_URL" in os.environ:
            # openstacksdk's own name for what the variables OS_* describe.
            named = "envvars"
        return replace(self, cloud=named)


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
        "--os-cloud",
        metavar="NAME",
        help="Read the servers of this cloud of clouds.yaml.  [default: OS_CLOUD, or OS_*, where "
        "nothing else is given]",
    ),
    click.option(
        "--cell-db",
        multiple=True,
        metavar="URL",
        help="A database of Nova's cells, read-only. This and the next two may be env:NAME or "
        "file:PATH, as a URL on the command line shows its secret to all.",
    ),
    click.option("--api-db", metavar="URL", help="Nova's API database: request specs, cells."),
    click.option("--glance-db", metavar="URL", help="Glance's: when a property was set."),
    click.option("--notifications", metavar="FILE", help="What `guestclock listen` has recorded."),
    click.option(
        "--xml", multiple=True, metavar="DIR", help="Dumped definitions of the compute hosts."
    ),
    click.option(
        "--host-zone",
        multiple=True,
        metavar="[HOST=]ZONE",
        help="The zone of hosts where it cannot be seen, such as Asia/Shanghai; of one host with "
        "its name before it.",
    ),
    click.option(
        "--libvirtd-zone",
        metavar="ZONE",
        help="A TZ in libvirtd's own environment, where it cannot be seen.",
    ),
    click.option(
        "--disks",
        multiple=True,
        is_flag=False,
        flag_value="",
        metavar="[=NAME=IMAGE]",
        help="Read the machines' own disks by the paths in their definitions; with NAME=IMAGE "
        "that machine's from there.",
    ),
    click.option(
        "--follow-backing",
        is_flag=True,
        help="With --disks: also the files that a disk says it rests on.",
    ),
    click.option(
        "--allow-dir",
        multiple=True,
        metavar="DIR",
        help="Where such files may be beside the disk's own folder.",
    ),
    click.option(
        "--live",
        is_flag=True,
        help="Also read the RTC of running machines through QEMU's monitor. "
        "Needs a connection that may write, and libvirt marks the domain as tainted.",
    ),
)


def source_options(command: Command) -> Callable[..., Any]:
    """Adds `-c`, `--os-cloud` and all that says where machines are and what is known of them.

    The command gets them together, as its argument `sources`, a SourceOptions.
    """

    @functools.wraps(command)
    def bundled(
        *args: object,
        connect: tuple[str, ...],
        guests: str | None,
        host_zone: tuple[str, ...],
        libvirtd_zone: str | None,
        live: bool,
        os_cloud: str | None,
        cell_db: tuple[str, ...],
        api_db: str | None,
        glance_db: str | None,
        notifications: str | None,
        xml: tuple[str, ...],
        disks: tuple[str, ...],
        follow_backing: bool,
        allow_dir: tuple[str, ...],
        **others: object,
    ) -> object:
        options = SourceOptions(
            connect,
            guests,
            host_zone,
            libvirtd_zone,
            live,
            os_cloud,
            cell_db,
            api_db,
            glance_db,
            notifications,
            xml,
            _disk_options(disks, follow_backing, allow_dir),
        )
        return command(*args, sources=options, **others)

    wrapped: Callable[..., Any] = bundled
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _disk_options(given: tuple[str, ...], follow: bool, allowed: tuple[str, ...]) -> DiskOptions:
    named = []
    for text in filter(None, given):
        name, _, image = text.partition("=")
        if not name or not image:
            from guestclock.errors import UsageProblem

            raise UsageProblem(
                f"--disks {text!r} names no machine and image",
                "write --disks NAME=IMAGE; for all disks put --disks last, or write --disks=",
            )
        named.append((name, image))
    return DiskOptions("" in given, tuple(named), follow, allowed)


def load_zones() -> Zones:
    """The databases at hand: the system's for hosts, the newest for true time and guests."""
    from guestclock.databases import zones_at_hand

    return zones_at_hand()


def surroundings_of(options: SourceOptions, zones: Zones) -> Surroundings:
    """What the options say of hosts and guests. Raises UsageProblem, Unreadable."""
    from guestclock.platforms.stated import surroundings_stated

    stated = surroundings_stated(options.host_zones, options.libvirtd_zone, options.guests, zones)
    return replace(stated, disks=options.disks.auto)


@contextmanager
def inside_of(options: SourceOptions, zones: Zones) -> Iterator[Inside]:
    """What reads the machines' disks; a name that no machine had is told at the end."""
    from guestclock.disks.budget import Limits
    from guestclock.disks.worker import Inspector
    from guestclock.inside import Inside

    disks, named = options.disks, dict(options.disks.named)
    with Inspector(Limits(), follow=disks.follow, allowed=disks.allowed) as inspector:
        inside = Inside(inspector.inspect, zones, named)
        yield inside
        for note in inspector.notes:
            click.echo(f"note: {note}", err=True)
    for name in named.keys() - inside.used:
        click.echo(f"note: --disks: no machine or image is called {name!r}", err=True)


def with_disks(
    collected: Iterator[Collects], options: SourceOptions, zones: Zones
) -> Iterator[Collects | Unread]:
    """The same, each machine with what its own disk says, where disks are read."""
    if not options.disks:
        yield from collected
        return
    with inside_of(options, zones) as inside:
        yield from inside.machines(collected)


def collect(paths: Iterable[str], options: SourceOptions, zones: Zones) -> Iterator[Read]:
    """The machines of files, folders and processes (pid:N, pid:all), then of connections.

    Files and folders hold domain definitions; a file that is given by its name may also hold
    QEMU's command line. Each part is sorted by path or name. Raises UsageProblem or Unreadable
    before the first machine where an option is wrong.
    """
    surroundings = surroundings_of(options, zones)
    return with_disks(_collect(tuple(paths), options, surroundings), options, zones)


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
