"""`openstack clock explain`: why a server's clock is right or wrong, hop by hop."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from guestclock.osc.command import FINDINGS, ShowOne
from guestclock.osc.options import (
    add_guest,
    add_sources,
    add_surroundings,
    given_in,
    surroundings_in,
)

if TYPE_CHECKING:
    from guestclock.explanation import Explanation
    from guestclock.hops import Hop
    from guestclock.osc.cells import Cells

_AHEAD = {
    "after_soft_reboot": "soft reboot",
    "after_hard_reboot": "hard reboot",
    "after_rebuild": "rebuild",
}


class Explain(ShowOne):
    """Say why a server's clock is right or wrong, from its image to its guest"""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The server, and the options of sources and of what is known beside them."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("server", metavar="<server>", help="Server to explain (name or ID)")
        add_sources(parser)
        add_surroundings(parser)
        add_guest(parser)
        parser.add_argument(
            "--fail-on",
            choices=["error", "unknown", "never"],
            default="never",
            help="Exit 1 where the next hard reboot is wrong (error), or may be (unknown); "
            "default: never",
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[tuple[str, ...], tuple[object, ...]]:
        """The fields' names, and the fields."""
        from guestclock.databases import zones_at_hand
        from guestclock.explanation import explain
        from guestclock.osc.cells import Cells
        from guestclock.platforms.openstack.source import OpenStackSource
        from guestclock.platforms.stated import with_guest

        parsed, zones = parsed_args, zones_at_hand()
        source = OpenStackSource(given_in(parsed, self.region), surroundings_in(parsed, zones))
        found = source.find(parsed.server)
        self.tell(source.told.drained())
        machine = with_guest(found.machine, parsed.guest, parsed.zone, parsed.bias, zones)
        told = found.origin.told(machine, parsed.at, zones, parsed.tolerance)
        explained = explain(machine, parsed.at, zones, told, parsed.tolerance)
        if _fails(explained, parsed.fail_on):
            self.code = FINDINGS
        fields = fields_of(explained, Cells(parsed.formatter, parsed.tolerance))
        return tuple(fields), tuple(fields.values())


def _fails(found: Explanation, fail_on: str) -> bool:
    from guestclock.faults import Fault

    if found.fault is Fault.UNKNOWN:
        return fail_on == "unknown"
    return found.fault is not None and fail_on != "never"


def fields_of(found: Explanation, cells: Cells) -> dict[str, object]:
    """The fields of an explanation in their order."""
    from guestclock.reports.records import tree_records
    from guestclock.reports.tree import tree_lines

    told = found.told
    ahead = {one.name: one.error for one in told.ahead}
    errors = {"now": found.seen.now} | {key: ahead[name] for key, name in _AHEAD.items()}
    tree = (
        tree_records(told.tree)
        if cells.structured
        else cells.lines(tree_lines(told.tree, unicode=False))
    )
    return {
        "id": cells.text(found.machine.id),
        "name": cells.text(found.machine.name),
        "verdict": cells.text(found.verdict),
        "fault": cells.maybe(found.fault.value if found.fault else None),
        **{key: cells.error(error) for key, error in errors.items()},
        "hops": [_record(hop, cells) for hop in found.hops]
        if cells.structured
        else cells.lines(line for hop in found.hops for line in _lines(hop)),
        "cure": cells.maybe(str(found.cure) if found.cure else None),
        "history": cells.lines(told.history),
        "lineage": tree,
    }


def _record(hop: Hop, cells: Cells) -> dict[str, object]:
    from guestclock.reports.records import evidence_records

    return {
        "name": hop.name,
        "says": cells.text(hop.says),
        "should": cells.maybe(hop.should or None),
        "evidence": [
            {key: cells.text(text) for key, text in record.items()}
            for record in evidence_records(hop.evidence)
        ],
    }


def _lines(hop: Hop) -> Iterator[str]:
    """A hop: what it says, and what it should say where that differs."""
    yield f"{hop.name}: {hop.says}"
    if hop.wrong:
        yield f"  should say {hop.should}"
