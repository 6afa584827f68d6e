"""`guestclock audit`: what is wrong with the clocks of files, folders and hosts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from guestclock.cli.options import at_option, format_option, output_option, tolerance_option
from guestclock.cli.sources import SourceOptions, source_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestclock.audit import Judge, Passing, Tally
    from guestclock.platforms.openstack.given import Given
    from guestclock.zones import Zones

FINDINGS = 1
UNREAD = 3


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH|pid:N|pid:all]...")
@source_options
@at_option("For which moment the next cold start is judged.")
@click.option(
    "--select",
    multiple=True,
    metavar="RULE,...",
    help="Only these: ids, names, or CLK4 for CLK4xx.",
)
@click.option("--ignore", multiple=True, metavar="RULE,...", help="All rules but these.")
@click.option(
    "--baseline", metavar="FILE", help="Leave out what this earlier JSON report had already."
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note", "never"]),
    default="error",
    show_default=True,
    help="From which severity on findings give exit code 1.",
)
@tolerance_option
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Worker processes.  [default: one a core where there are many files]",
)
@format_option("table", "json", "csv", "html", "sarif", "junit")
@output_option
def audit(
    paths: tuple[str, ...],
    sources: SourceOptions,
    at: datetime,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    baseline: str | None,
    fail_on: str,
    tolerance: int,
    jobs: int | None,
    form: str,
    output: str | None,
) -> int:
    """What is wrong with the clocks of many machines, and the cheapest cure of each.

    PATH is a domain definition, a folder of them, or a file with QEMU's command line; pid:N is a
    running QEMU. With --os-cloud or --cell-db the machines are the servers of an OpenStack cloud,
    and -c or --xml add what their hosts know of them. An error is a machine whose next cold start
    will be wrong, a warning one whose may become so.

    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage, 3 no such findings, but
    something could not be read.

    \b
    guestclock audit /etc/libvirt/qemu --host-zone Asia/Shanghai --guests fleet.csv
    guestclock audit -c qemu:///system --live -f json -o today.json
    guestclock audit -c qemu:///system --baseline today.json --fail-on warning
    guestclock audit --os-cloud prod --cell-db env:CELL1_DB --glance-db env:GLANCE_DB
    """
    from guestclock.audit import Judge
    from guestclock.cli.sources import load_zones
    from guestclock.errors import UsageProblem
    from guestclock.reports.audit.interface import Scope, report_in
    from guestclock.reports.output import writing
    from guestclock.rules import chosen, split

    if not paths:
        sources = sources.from_environment()
    cloud = sources.of_cloud()
    if cloud is not None and paths:
        raise UsageProblem(
            "with a cloud its servers are the machines", "give dumped definitions with --xml DIR"
        )
    if cloud is None:
        paths += sources.folders
        if not paths and not sources.connections:
            raise UsageProblem(
                "nothing to audit",
                "give a file, a folder, pid:all, -c URI, --os-cloud NAME or --cell-db URL",
            )
    rules = chosen(split(select), split(ignore))
    zones = load_zones()
    judge = Judge(at, zones, tolerance, rules)
    scope = Scope(at, tolerance, rules)
    known = _known(baseline)
    if cloud is not None:
        results = _servers(cloud, sources, zones, judge, known)
    else:
        results = _results(paths, sources, zones, judge, known, jobs)
    report = report_in(form)
    with writing(output) as stream:
        report(results, scope, stream)
    return _exit_code(scope.tally, fail_on)


def _known(baseline: str | None) -> frozenset[bytes]:
    if baseline is None:
        return frozenset()
    from guestclock.reports.audit.baseline import load_baseline

    return load_baseline(baseline)


def _servers(
    cloud: Given, sources: SourceOptions, zones: Zones, judge: Judge, known: frozenset[bytes]
) -> Iterator[Passing]:
    """The servers of a cloud, then its images, volumes and hosts."""
    import gc

    from guestclock.audit import audit as audited
    from guestclock.cli.sources import surroundings_of, with_disks
    from guestclock.platforms.openstack.source import OpenStackSource

    # What is read has no cycles: to look for some at every 700 objects takes a tenth of the time.
    gc.set_threshold(20_000)
    source = OpenStackSource(cloud, surroundings_of(sources, zones))
    collected = with_disks(source.collected(judge.at, zones), sources, zones)
    return audited(collected, judge, known)


def _results(
    paths: tuple[str, ...],
    sources: SourceOptions,
    zones: Zones,
    judge: Judge,
    known: frozenset[bytes],
    jobs: int | None,
) -> Iterator[Passing]:
    """First the definitions in files and folders, perhaps by several workers, then the rest."""
    from guestclock.audit import audit as audited
    from guestclock.cli.sources import collect, surroundings_of
    from guestclock.fleet import audit_files
    from guestclock.platforms.qemu.source import is_command_line

    # One process reads all disks: an image that many machines share is read once.
    others = tuple(path for path in paths if sources.disks or is_command_line(path))
    files = [path for path in paths if path not in others]
    rest = collect(others, sources, zones) if others or sources.connections else iter(())

    def one_by_one() -> Iterator[Passing]:
        if files:
            yield from audit_files(files, surroundings, judge, known, jobs)
        yield from audited(rest, judge, known)

    surroundings = surroundings_of(sources, zones)
    return one_by_one()


def _exit_code(tally: Tally, fail_on: str) -> int:
    from guestclock.findings.finding import Severity

    if fail_on != "never" and tally.worst() >= Severity(fail_on).rank:
        return FINDINGS
    return UNREAD if tally.unread else 0
