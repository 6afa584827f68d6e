"""`guestclock predict`: the timeline of a clock, a guest and a list of steps."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from guestclock.cli.options import RtcCommand, at_option, format_option, output_option

if TYPE_CHECKING:
    from guestclock.cli.predicting import CaseResult
    from guestclock.prediction import Prediction


@click.command(cls=RtcCommand)
@click.argument("clock", required=False)
@click.option("-rtc", "rtc", metavar="ARGS", help="QEMU's -rtc value instead of CLOCK.")
@click.option("--cases", type=click.Path(exists=True, dir_okay=False), help="A file of cases.")
@click.option("--guest", help="The kind of guest.  [default: unknown]")
@click.option("--zone", help="The guest's zone, an IANA or a Windows name.")
@click.option("--bias", type=int, help="Windows' saved ActiveTimeBias: minutes, UTC minus local.")
@click.option("--utc-offset", type=int, help="OpenBSD's kern.utc_offset: minutes east of UTC.")
@click.option("--disks", metavar="IMAGE", help="Take the guest from this disk image.")
@click.option("--host-zone", help="What /etc/localtime is where QEMU runs.")
@click.option("--libvirtd-zone", help="TZ in libvirtd's own environment.")
@at_option("When the first step is taken, unless a step says so.")
@click.option("--step", "steps", multiple=True, metavar="DO[@INSTANT|@+2h][ KEY=VALUE]...")
@click.option("--check", is_flag=True, help="With --cases: exit 1 where `expected` differs.")
@format_option("table", "json")
@output_option
def predict(
    clock: str | None,
    rtc: str | None,
    cases: str | None,
    guest: str | None,
    zone: str | None,
    bias: int | None,
    utc_offset: int | None,
    disks: str | None,
    host_zone: str | None,
    libvirtd_zone: str | None,
    at: datetime,
    steps: tuple[str, ...],
    check: bool,
    form: str,
    output: str | None,
) -> int:
    """What becomes of a guest's clock, step by step.

    CLOCK is a file with a domain or a <clock>, XML itself, "-rtc base=..." in one word, or words:
    utc, localtime, timezone=ZONE, variable=SECONDS[,localtime], absolute=EPOCH|DATE.

    A step is one of start, cold-start, stop, reset, write-rtc (rtc=READING), write-bias
    (active_time_bias_minutes=N), pause, resume, save, restore, migrate (host_zone=ZONE), redefine
    (clock=WORDS), host-clock-step (seconds=N). Without any, the machine is started.

    \b
    guestclock predict utc --guest windows --zone Asia/Shanghai --host-zone UTC \\
        --at 2026-06-22T02:00:00Z --step start \\
        --step "write-rtc@+10m rtc=2026-06-22T10:10:00" --step cold-start@+2h
    """
    from guestclock.cli import predicting
    from guestclock.databases import zones_at_hand
    from guestclock.errors import UsageProblem
    from guestclock.reports.output import writing

    zones = zones_at_hand()
    if cases is not None:
        if clock or rtc or steps or disks:
            raise UsageProblem("--cases brings its own clocks and steps: give nothing beside it")
        results = predicting.run_cases(cases, zones)
        with writing(output) as stream:
            predicting.print_cases(results, form, stream)
        return _judged(results, check)
    if (clock is None) == (rtc is None):
        raise UsageProblem("give one clock: CLOCK or -rtc ARGS", "guestclock predict --help")
    if disks is not None:
        from guestclock.cli.guest_on_disk import guest_on_disk

        found = guest_on_disk(disks, at, zones)
        guest, zone = guest or found.kind, zone or found.zone
        bias = found.bias if bias is None else bias
        utc_offset = found.utc_offset if utc_offset is None else utc_offset
    case = predicting.case_of_options(
        clock=clock if rtc is None else f"-rtc {rtc}",
        guest=guest or "unknown",
        zone=zone,
        bias=bias,
        utc_offset=utc_offset,
        host_zone=host_zone,
        libvirtd_zone=libvirtd_zone,
        at=at,
        steps=steps or ("start",),
        zones=zones,
    )
    timeline: list[Prediction] = predicting.timeline(case, zones)
    with writing(output) as stream:
        predicting.print_timeline(timeline, form, stream)
    return 0


def _judged(results: list[CaseResult], check: bool) -> int:
    """1 where a checked case differs, 3 where a case was not read; both are said."""
    for result in results:
        if result.problem:
            click.echo(f"guestclock: {result.problem}", err=True)
        for key in result.unread:
            click.echo(f"guestclock: case {result.id}: nothing reads the key {key!r}", err=True)
    if check and any(result.differs for result in results):
        return 1
    return 3 if any(result.result is None for result in results) else 0
