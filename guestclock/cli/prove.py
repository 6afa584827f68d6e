"""`guestclock prove`: a real QEMU started with a machine's `-rtc`, held against the law."""

from __future__ import annotations

from datetime import datetime

import click

from guestclock.cli.options import RtcCommand, at_option, format_option, output_option
from guestclock.cli.sources import SourceOptions, source_options


@click.command(cls=RtcCommand)
@click.argument("machine", metavar="[FILE|NAME]", required=False)
@click.option("-rtc", "rtc", metavar="ARGS", help="QEMU's -rtc value instead of a machine.")
@source_options
@click.option("--lab", metavar="DIR", is_flag=False, flag_value="", help="A server of the lab.")
@at_option("The instant at which QEMU is started; another than now needs libfaketime.")
@click.option("--across-dst", is_flag=True, help="Also just before and after the next changes.")
@click.option("--matrix", is_flag=True, help="Random clocks, zones and instants, 1975 to 2035.")
@click.option("--count", type=click.IntRange(min=1), default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="Proofs at a time. [default: processors]")
@click.option("--compare-bare", is_flag=True, help="Time a bare loop of the same QEMUs as well.")
@format_option("table", "json")
@output_option
def prove(
    machine: str | None,
    rtc: str | None,
    sources: SourceOptions,
    lab: str | None,
    at: datetime,
    across_dst: bool,
    matrix: bool,
    count: int,
    seed: int,
    jobs: int | None,
    compare_bare: bool,
    form: str,
    output: str | None,
) -> int:
    """Start a real QEMU and compare its RTC with what the law says.

    QEMU gets the machine's own -rtc arguments and TZ, on x86 `pc` under TCG whatever the machine
    is; its RTC is read through QMP and by a boot sector that reads the CMOS itself. Exit code 1
    where one of them differs.

    \b
    guestclock prove win10.xml --host-zone Asia/Shanghai --across-dst
    guestclock prove -rtc base=localtime --host-zone Europe/Berlin --at 2027-03-28T00:59:50Z
    guestclock prove --matrix --count 2000 --seed 1
    """
    from guestclock.cli import proofs
    from guestclock.cli.sources import load_zones
    from guestclock.errors import UsageProblem
    from guestclock.reports.output import writing

    zones = load_zones()
    if sum((machine is not None, rtc is not None, matrix)) != 1:
        raise UsageProblem("give one of FILE, NAME, -rtc ARGS or --matrix", "guestclock prove -h")
    if matrix:
        tally = proofs.run_matrix(zones, count, seed, jobs, compare_bare)
        with writing(output) as stream:
            proofs.print_tally(tally, form, stream)
        return 1 if tally.mismatches else 0
    if compare_bare:
        raise UsageProblem("--compare-bare is for --matrix")
    if rtc is not None:
        given = proofs.of_arguments(rtc, sources.host_zone, at)
    else:
        given = proofs.of_machine(machine or "", sources, lab, zones, at)
    done = proofs.run(given, zones, across_dst)
    with writing(output) as stream:
        proofs.print_proofs(done, given.caveat, form, stream)
    return 0 if all(proof.matches for proof in done) else 1
