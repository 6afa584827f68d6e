"""The options of the commands, as `guestclock` has them, and what they come to.

The client itself has `-c` for a column and `-f` for a format, so that a libvirt connection is
`--connect` alone.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guestclock.words import instant_in

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion

    from guestclock.platforms.openstack.given import Given
    from guestclock.platforms.surroundings import Surroundings
    from guestclock.zones import Zones

Parser = argparse.ArgumentParser


def add_sources(parser: Parser) -> None:
    """What is read beside the cloud's APIs."""
    group = parser.add_argument_group("sources beside the cloud's APIs")
    group.add_argument(
        "--cell-db",
        action="append",
        default=[],
        metavar="<url>",
        help="A database of Nova's cells, read-only (repeat for several). This and the next two "
        "may be env:NAME or file:PATH, as a URL on the command line shows its secret to all",
    )
    group.add_argument("--api-db", metavar="<url>", help="Nova's API database: request specs")
    group.add_argument("--glance-db", metavar="<url>", help="Glance's: when a property was set")
    group.add_argument(
        "--notifications", metavar="<file>", help="What `guestclock listen` has recorded"
    )
    group.add_argument(
        "--connect",
        action="append",
        default=[],
        metavar="<uri>",
        help="The libvirt of a compute host, such as qemu+ssh://compute1/system (repeat)",
    )
    group.add_argument(
        "--xml",
        action="append",
        default=[],
        metavar="<folder>",
        help="Dumped definitions of the compute hosts (repeat)",
    )
    group.add_argument(
        "--live",
        action="store_true",
        help="Also read RTCs through QEMU's monitor: it needs a connection that may write, and "
        "libvirt marks the domain as tainted",
    )


def add_surroundings(parser: Parser) -> None:
    """What no source says of hosts and guests, the moment, the tolerance."""
    group = parser.add_argument_group("what you know of hosts and guests")
    group.add_argument(
        "--guests",
        metavar="<file>",
        help="TOML or CSV that says which system runs in which server, in which zone",
    )
    group.add_argument(
        "--host-zone",
        action="append",
        default=[],
        metavar="<[host=]zone>",
        help="The zone of compute hosts, such as Asia/Shanghai; of one host with its name before "
        "it (repeat)",
    )
    group.add_argument(
        "--libvirtd-zone", metavar="<zone>", help="A TZ in libvirtd's own environment"
    )
    group.add_argument(
        "--at",
        type=_instant,
        default="now",
        metavar="<instant>",
        help="For which moment the next hard reboot is judged: ISO 8601 with an offset or Z; "
        "default: now",
    )
    group.add_argument(
        "--tolerance",
        type=_seconds,
        default=5,
        metavar="<seconds>",
        help="An error of fewer seconds is none; default: 5",
    )


def add_guest(parser: Parser) -> None:
    """What the user knows of the system in one server."""
    group = parser.add_argument_group("what you know of its guest")
    group.add_argument("--guest", metavar="<kind>", help="The kind of guest: windows, linux, ...")
    group.add_argument("--zone", metavar="<zone>", help="Its zone, an IANA or a Windows name")
    group.add_argument(
        "--bias", type=int, metavar="<minutes>", help="Windows' saved ActiveTimeBias, in minutes"
    )


def _instant(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return instant_in(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 1 on")
    return int(text)


def name_of(region: CloudRegion) -> str:
    """The cloud's name: that in clouds.yaml, or what the client calls OS_ variables."""
    return region.name or "envvars"


def given_in(parsed: argparse.Namespace, region: CloudRegion) -> Given:
    """The cloud that the client has signed in to, and the sources beside it."""
    from guestclock.platforms.openstack.given import Given

    return Given(
        cloud=name_of(region),
        cells=tuple(parsed.cell_db),
        api_db=parsed.api_db,
        glance_db=parsed.glance_db,
        notifications=parsed.notifications,
        connections=tuple(parsed.connect),
        folders=tuple(parsed.xml),
        live=parsed.live,
        region=region,
    )


def surroundings_in(parsed: argparse.Namespace, zones: Zones) -> Surroundings:
    """What was said of hosts and guests. Raises UsageProblem, Unreadable."""
    from guestclock.platforms.stated import surroundings_stated

    return surroundings_stated(parsed.host_zone, parsed.libvirtd_zone, parsed.guests, zones)
