"""A small fleet for the reports: an error, a warning, a note, a clean machine, a file unread."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from guestclock.audit import Judge, Tally, audit
from guestclock.clock import Utc, Zone
from guestclock.machine import Facts, Identity, Machine
from guestclock.platforms.interface import Collected, Unread
from guestclock.reports.audit.interface import Scope, report_in
from guestclock.rules import RULES
from tests.findings.build import AT, ZONES, facts

UUID = "b3d6dd6b-2aa8-4de9-8eec-33d1b416f78{}"
HOSTILE = "=<b>&\"'\x1b[31m\n]]>"


def machine(number: int, name: str, given: Facts, source: str = "vm.xml") -> Machine:
    return Machine(Identity(UUID.format(number), name, "libvirt", source), given)


FLEET: tuple[Collected, ...] = (
    machine(1, "win10", facts(Utc())),
    machine(2, "berlin", facts(Zone("Europe/Berlin"), zone="Europe/Berlin"), "dir/b.xml"),
    Unread("broken.xml", "not well-formed XML"),
    machine(3, "who", facts(Utc(), "unknown", None), "qemu:///system"),
    machine(4, "web", facts(Utc(), "linux"), "/abs/web 1.xml"),
    machine(5, HOSTILE, facts(Zone(HOSTILE)), HOSTILE),
)


def written(form: str, fleet: Iterable[Collected] = FLEET) -> tuple[str, Tally]:
    """A report's text and its tally; the fleet is read while the report is written."""
    stream = io.StringIO()
    scope = Scope(AT, 5, RULES)
    report_in(form)(audit(iter(fleet), Judge(AT, ZONES)), scope, stream)
    return stream.getvalue(), scope.tally


def endless(count: int) -> Iterator[Collected]:
    """Machines that share one Facts object, as those of a real fleet do."""
    same = facts(Utc())
    for number in range(count):
        yield Machine(Identity(f"id-{number}", f"vm{number}", "libvirt", f"{number}.xml"), same)
