"""`openstack clock audit`: what is wrong with the clocks of a cloud, a row a finding."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from guestclock.osc.command import FINDINGS, UNREAD, Lister
from guestclock.osc.options import add_sources, add_surroundings, given_in, surroundings_in

if TYPE_CHECKING:
    from guestclock.audit import Audited, Passing, Tally
    from guestclock.findings.finding import Finding
    from guestclock.osc.cells import Cells

COLUMNS = ("Severity", "Rule", "Kind", "Name", "ID", "After Hard Reboot", "Found", "Cure")


class Audit(Lister):
    """List what is wrong with the clocks of a cloud's servers, images, volumes and hosts

    An error is a server whose next hard reboot will be wrong. Exit codes: 0 nothing at or above
    --fail-on, 1 findings, 2 usage, 3 no such findings, but something could not be read.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options of sources, of what is known beside them, and of the rules."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_sources(parser)
        add_surroundings(parser)
        parser.add_argument(
            "--select",
            action="append",
            default=[],
            metavar="<rule,...>",
            help="Only these: ids, names, or CLK6 for CLK6xx (repeat)",
        )
        parser.add_argument(
            "--ignore",
            action="append",
            default=[],
            metavar="<rule,...>",
            help="All rules but these (repeat)",
        )
        parser.add_argument(
            "--fail-on",
            choices=["error", "warning", "note", "never"],
            default="error",
            help="From which severity on findings give exit code 1; default: error",
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]]]:
        """The columns, and a row for each finding as it is made."""
        from guestclock.audit import Judge
        from guestclock.audit import audit as audited
        from guestclock.databases import zones_at_hand
        from guestclock.osc.cells import Cells
        from guestclock.platforms.openstack.source import OpenStackSource
        from guestclock.rules import chosen, split

        rules = chosen(split(parsed_args.select), split(parsed_args.ignore))
        zones = zones_at_hand()
        judge = Judge(parsed_args.at, zones, parsed_args.tolerance, rules)
        given = given_in(parsed_args, self.region)
        source = OpenStackSource(given, surroundings_in(parsed_args, zones))
        results = audited(source.collected(judge.at, zones), judge)
        cells = Cells(parsed_args.formatter, parsed_args.tolerance)
        return COLUMNS, self._rows(results, parsed_args.fail_on, cells)

    def _rows(
        self, results: Iterable[Passing], fail_on: str, cells: Cells
    ) -> Iterator[tuple[object, ...]]:
        from guestclock.audit import Tally
        from guestclock.platforms.interface import Unread

        tally = Tally()
        for result in tally.count(results):
            if isinstance(result, Unread):
                self.tell([result])
                continue
            for finding in result.findings:
                yield row_of(result, finding, cells)
        self._close(tally, fail_on)

    def _close(self, tally: Tally, fail_on: str) -> None:
        """Says what the audit came to, and settles the exit code."""
        from guestclock.findings.finding import Severity
        from guestclock.reports.audit.summary import note_lines, summary_line, unknown_lines

        for line in (*note_lines(tally), *unknown_lines(tally), summary_line(tally)):
            self.log.warning(line)
        failed = fail_on != "never" and tally.worst() >= Severity(fail_on).rank
        self.code = FINDINGS if failed else UNREAD if tally.unread else 0


def row_of(result: Audited, finding: Finding, cells: Cells) -> tuple[object, ...]:
    """A finding's row; what is no server has no clock, and no error."""
    from guestclock.machine import MACHINES

    machine = result.machine
    has_clock = machine.kind in MACHINES
    error = result.judgement.outlook.after_cold_start
    return (
        finding.severity.value,
        finding.rule,
        machine.kind,
        cells.text(machine.name),
        cells.text(machine.id),
        cells.error(error) if has_clock else cells.maybe(None),
        cells.text(finding.observed),
        cells.text(finding.cure),
    )
