"""What `prove` runs and prints."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from guestclock.cli.options import current
from guestclock.databases import system_database
from guestclock.errors import Unreadable, UsageProblem
from guestclock.evidence import Unknown, value_of
from guestclock.lab import faketime
from guestclock.lab.matrix import random_cases
from guestclock.lab.proof import Proof, Subject, prove
from guestclock.lab.proving import Tally, prove_matrix
from guestclock.law import start
from guestclock.reports.tables import console_of, new_table
from guestclock.rtc import BadRtcArguments, parse_arguments
from guestclock.zones import Zones, next_transition, process_zone

if TYPE_CHECKING:
    from guestclock.cli.sources import SourceOptions
    from guestclock.machine import Machine

_IS_PC = re.compile(r"pc$|pc-i440fx|pc-\d")
_NOW = timedelta(seconds=2)
_HORIZON = timedelta(days=370)
_MARGIN = timedelta(seconds=10)
# Where QEMU under libfaketime was seen to be right to the second.
_YEARS = range(1970, 2150)


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be proved, and what is not: `caveat` is empty where all is."""

    subject: Subject
    caveat: str = ""


def of_arguments(text: str, host_zone: str | None, at: datetime) -> Given:
    """The QEMU of a `-rtc` value. Raises UsageProblem."""
    try:
        arguments = parse_arguments(text.removeprefix("-rtc").strip())
    except BadRtcArguments as problem:
        raise UsageProblem(str(problem)) from None
    if arguments.base == "localtime" and host_zone is None:
        raise UsageProblem("base=localtime follows the host's zone", "give it with --host-zone")
    return Given(Subject(arguments, None, host_zone or "UTC", at))


def of_machine(
    target: str, options: SourceOptions, lab: str | None, zones: Zones, at: datetime
) -> Given:
    """The QEMU that a machine's next cold start makes. Raises UsageProblem, Unreadable."""
    from guestclock.cli.one_machine import find_machine

    found = find_machine(target, options, lab, zones)
    facts = found.facts
    if isinstance(facts.definition, Unknown):
        raise Unreadable(f"{found.identity.name}: {facts.definition}")
    begun = start(facts.definition.value, facts.host, at, zones)
    for fact in (begun.arguments, begun.offset):
        if isinstance(fact, Unknown):
            raise UsageProblem(f"{found.identity.name} cannot be proved: {fact}")
    arguments = value_of(begun.arguments)
    assert arguments is not None
    zone = value_of(facts.host.zone) or "UTC"
    subject = Subject(arguments, begun.environment_zone, zone, at)
    return Given(subject, _caveat(found))


def _caveat(machine: Machine) -> str:
    hardware = machine.facts.hardware
    if hardware.ignores_rtc:
        return f"not proved: the machine's own time, for {hardware.ignores_rtc}"
    if hardware.arch not in ("", "x86_64", "i686"):
        return f"not proved: the RTC of {hardware.arch}, as this ran on x86 pc under TCG"
    if hardware.machine and not _IS_PC.match(hardware.machine):
        return f"not proved: the machine type {hardware.machine}, as this ran on pc under TCG"
    return ""


def run(given: Given, zones: Zones, across_dst: bool) -> list[Proof]:
    """The proof at the instant, and around the next changes of the zone with `across_dst`.

    Raises UsageProblem, LabError.
    """
    if given.subject.at.year not in _YEARS:
        raise UsageProblem(
            f"time travel goes to the years {_YEARS.start} to {_YEARS.stop - 1}",
            "give another --at",
        )
    subjects = [given.subject]
    if across_dst:
        subjects += _around_changes(given.subject, zones)
    return [_prove(subject, zones) for subject in subjects]


def _around_changes(subject: Subject, zones: Zones) -> list[Subject]:
    name = subject.environment_zone
    zone = process_zone(subject.host_zone if name is None else name, zones.host).zone
    found, after = [], subject.at
    while change := next_transition(zone, after, subject.at + _HORIZON):
        found += [replace(subject, at=change.at + away) for away in (-_MARGIN, _MARGIN)]
        after = change.at
    if not found:
        raise UsageProblem(
            "the zone does not change within a year", "leave --across-dst out, or give another --at"
        )
    return found


def _prove(subject: Subject, zones: Zones) -> Proof:
    travel = faketime.library() is not None
    if not travel:
        if abs(subject.at - current()) > _NOW:
            faketime.fixed_env(0, None)
        subject = replace(subject, at=current())
    return prove(subject, zones, travel, _zoneinfo())


def _zoneinfo() -> Path | None:
    """The packaged zones' folder where the system has none: QEMU would see UTC for all."""
    if system_database() is not None:
        return None
    import tzdata

    return Path(tzdata.__file__).parent / "zoneinfo"


def run_matrix(zones: Zones, count: int, seed: int, jobs: int | None, compare_bare: bool) -> Tally:
    """Random proofs, with a progress bar on a terminal. Raises LabError."""
    cases = random_cases(count, seed, zones.host)
    zoneinfo = _zoneinfo()
    if not sys.stderr.isatty():
        return prove_matrix(cases, zones, zoneinfo, jobs, compare_bare)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("proofs", total=count)
        return prove_matrix(
            cases,
            zones,
            zoneinfo,
            jobs,
            compare_bare,
            lambda done: progress.update(task, completed=done),
        )


def print_tally(tally: Tally, form: str, stream: TextIO) -> None:
    """Cases, mismatches with what reproduces them, seconds."""
    if form == "json":
        row = {
            "cases": tally.cases,
            "mismatches": [_row(proof) for proof in tally.mismatches],
            "seconds": round(tally.seconds, 3),
            "bare_seconds": tally.bare_seconds and round(tally.bare_seconds, 3),
        }
        stream.write(json.dumps(row, indent=1) + "\n")
        return
    console = console_of(stream)
    colour = "red" if tally.mismatches else "green"
    rate = tally.cases / tally.seconds
    console.print(
        f"[{colour}]{tally.cases} proofs, {len(tally.mismatches)} mismatches[/], {rate:.1f}/s"
    )
    if tally.bare_seconds:
        ratio = tally.bare_seconds / tally.seconds
        console.print(f"{ratio:.2f} times the rate of a bare loop of the same QEMU commands")
    for proof in tally.mismatches:
        _print_mismatch(proof, stream)


def print_proofs(proofs: list[Proof], caveat: str, form: str, stream: TextIO) -> None:
    """Each proof in a line, and what reproduces those that do not match."""
    if form == "json":
        rows = [_row(proof) for proof in proofs]
        stream.write(json.dumps({"proofs": rows, "caveat": caveat or None}, indent=1) + "\n")
        return
    table = new_table("at (UTC)", "-rtc", "zone", "law", "QMP rtc-time", "CMOS", "")
    for proof in proofs:
        subject, reading = proof.subject, proof.reading
        table.add_row(
            f"{subject.at:%Y-%m-%d %H:%M:%S}",
            str(subject.arguments),
            _zone(subject),
            *(str(time) for time in (proof.expected, reading.qom, reading.cmos)),
            "[green]matches[/]" if proof.matches else "[red]differs[/]",
        )
    console = console_of(stream)
    console.print(table)
    if caveat:
        console.print(caveat, markup=False)
    for proof in proofs:
        if not proof.matches:
            _print_mismatch(proof, stream)


def _zone(subject: Subject) -> str:
    if subject.environment_zone is not None:
        return f"TZ={subject.environment_zone}"
    return f"host {subject.host_zone}" if subject.arguments.base == "localtime" else ""


def _print_mismatch(proof: Proof, stream: TextIO) -> None:
    reading = proof.reading
    stream.write(
        f"\ndiffers: the law says {proof.expected}, QMP {reading.qom}, the CMOS {reading.cmos}\n"
        f"  {proof.command}\n"
    )


def _row(proof: Proof) -> dict[str, object]:
    subject, reading = proof.subject, proof.reading
    return {
        "at": subject.at.isoformat().replace("+00:00", "Z"),
        "rtc_args": str(subject.arguments),
        "process_zone": subject.environment_zone,
        "host_zone": subject.host_zone,
        "expected": proof.expected.isoformat(),
        "rtc_time": reading.qom.isoformat(),
        "cmos": reading.cmos.isoformat(),
        "matches": proof.matches,
        "command": proof.command,
    }
