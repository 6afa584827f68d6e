"""`guestclock explain`: why one machine's clock is right or wrong, hop by hop."""

from __future__ import annotations

import os
from datetime import datetime

import click

from guestclock.cli.one_machine import guest_options
from guestclock.cli.options import at_option, format_option, output_option, tolerance_option
from guestclock.cli.sources import SourceOptions, source_options

FINDINGS = 1
UNREAD = 3


@click.command()
@click.argument("machine", metavar="FILE|NAME")
@source_options
@guest_options
@click.option("--lab", metavar="DIR", is_flag=False, flag_value="", help="A server of the lab.")
@at_option("The moment of the next cold start.", default=None)
@tolerance_option
@click.option(
    "--fail-on",
    type=click.Choice(["error", "unknown", "never"]),
    default="never",
    show_default=True,
    help="Exit 1 where the next cold start is wrong (error), or may be (unknown).",
)
@format_option("text", "json")
@output_option
def explain(
    machine: str,
    sources: SourceOptions,
    guest: str | None,
    zone: str | None,
    bias: int | None,
    lab: str | None,
    at: datetime | None,
    tolerance: int,
    fail_on: str,
    form: str,
    output: str | None,
) -> int:
    """Say why a machine's clock is right or wrong.

    An existing FILE is read first (a domain's XML, or QEMU's command line), then NAME is a domain
    of -c URI by name or uuid; pid:N is a running QEMU. With --lab NAME is a server of the lab,
    with --os-cloud or --cell-db a server of an OpenStack cloud, by id or name.

    \b
    guestclock explain win10.xml --zone Asia/Shanghai --host-zone UTC
    guestclock explain win10 -c qemu:///system --live --guests inventory.toml
    guestclock explain web1 --os-cloud prod --cell-db env:CELL1_DB --zone Asia/Shanghai
    """
    from guestclock.cli.one_machine import find_machine, find_server
    from guestclock.cli.options import current
    from guestclock.cli.sources import load_zones
    from guestclock.errors import UsageProblem
    from guestclock.explanation import explain as explain_machine
    from guestclock.faults import Fault
    from guestclock.platforms.stated import with_guest
    from guestclock.reports.explanation import print_json, print_text
    from guestclock.reports.output import writing

    zones, complete = load_zones(), True
    if lab is None and not os.path.lexists(machine) and not machine.startswith("pid:"):
        sources = sources.from_environment()
    if lab is not None:
        from guestclock.lab.cloud.explained import explain_server, trace_server

        if guest or zone or bias is not None:
            raise UsageProblem("the lab knows its guests: leave --guest, --zone and --bias out")
        explanation = explain_server(trace_server(lab, machine), zones, tolerance, at)
    elif (cloud := sources.of_cloud()) is not None:
        server, complete = find_server(machine, cloud, sources, zones)
        found, at = with_guest(server.machine, guest, zone, bias, zones), at or current()
        told = server.origin.told(found, at, zones, tolerance)
        explanation = explain_machine(found, at, zones, told, tolerance)
    else:
        found = with_guest(find_machine(machine, sources, None, zones), guest, zone, bias, zones)
        explanation = explain_machine(found, at or current(), zones, tolerance=tolerance)
    with writing(output) as stream:
        if form == "json":
            print_json(explanation, stream)
        else:
            print_text(explanation, stream, tolerance)
    wrong = explanation.fault not in (None, Fault.UNKNOWN)
    unsure = explanation.fault is Fault.UNKNOWN
    if (wrong and fail_on != "never") or (unsure and fail_on == "unknown"):
        return FINDINGS
    return 0 if complete else UNREAD
