"""`openstack clock server list`: each server's os_type, and its clock after a hard reboot."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from guestclock.osc.command import Lister
from guestclock.osc.options import add_sources, add_surroundings, given_in, surroundings_in

if TYPE_CHECKING:
    from guestclock.evidence import Fact
    from guestclock.machine import Facts
    from guestclock.osc.cells import Cells
    from guestclock.platforms.openstack.records import Server
    from guestclock.platforms.openstack.source import OpenStackSource
    from guestclock.zones import Zones

COLUMNS = ("ID", "Name", "Host", "OS Type", "Known By", "After Hard Reboot")


class ListServers(Lister):
    """List servers with their os_type and their clock's error after the next hard reboot

    All projects' servers, where the user is shown them. The API does not show os_type: Known By
    says whether it was observed, inferred or unknown, and from what.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options of sources and of what is known beside them."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_sources(parser)
        add_surroundings(parser)
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]]]:
        """The columns, and a row for each server as it is read."""
        from guestclock.databases import zones_at_hand
        from guestclock.osc.cells import Cells
        from guestclock.platforms.openstack.source import OpenStackSource

        zones = zones_at_hand()
        given = given_in(parsed_args, self.region)
        source = OpenStackSource(given, surroundings_in(parsed_args, zones))
        cells = Cells(parsed_args.formatter, parsed_args.tolerance)
        return COLUMNS, self._rows(source, parsed_args.at, zones, cells)

    def _rows(
        self, source: OpenStackSource, at: datetime, zones: Zones, cells: Cells
    ) -> Iterator[tuple[object, ...]]:
        from guestclock.platforms.interface import Managed, Note, Unread
        from guestclock.platforms.openstack.origin import ServerOrigin

        errors = Errors(at, zones)
        for one in source.collected(at, zones):
            match one:
                case Managed(machine, ServerOrigin() as origin):
                    yield row_of(origin.server, errors(machine.facts), cells)
                case Unread() | Note():
                    self.tell([one])
                case _:
                    # The servers have passed by: images, volumes and hosts come after them.
                    return


class Errors:
    """The error after a hard reboot at `at`, worked out once for servers that share their facts."""

    def __init__(self, at: datetime, zones: Zones) -> None:
        self._at = at
        self._zones = zones
        self._of: tuple[Facts, Fact[int]] | None = None

    def __call__(self, facts: Facts) -> Fact[int]:
        """Seconds, positive where the guest is ahead."""
        from guestclock.machine import outlook

        if self._of is None or self._of[0] is not facts:
            self._of = (facts, outlook(facts, self._at, self._zones).after_cold_start)
        return self._of[1]


def row_of(server: Server, error: Fact[int], cells: Cells) -> tuple[object, ...]:
    """A server's row; an os_type that is unknown says why under Known By."""
    from guestclock.evidence import Unknown, how, value_of

    column = server.column
    where = str(column) if isinstance(column, Unknown) else column.where
    return (
        cells.text(server.id),
        cells.text(server.name),
        cells.text(server.host),
        cells.maybe(value_of(column)),
        cells.text(f"{how(column)}: {where}"),
        cells.error(error),
    )
