"""Machines that QEMU runs without a manager: command lines in files, and processes.

The command line is all the definition such a machine has, so what its next cold start does is
what whoever starts it again with the same line gets.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace

from guestclock.clock import Clock
from guestclock.evidence import Assumed, Fact, Inferred, Observed, Unknown
from guestclock.guest import Guest
from guestclock.inventory import Row
from guestclock.law import Host
from guestclock.machine import Facts, Identity, Machine, Process
from guestclock.platforms.interface import Read, Unread
from guestclock.platforms.qemu.dialect import CommandLine, NoQemu, clock_of, parse_text, parse_words
from guestclock.platforms.qemu.process import QemuProcess, qemu_processes
from guestclock.platforms.surroundings import Surroundings, guest_in
from guestclock.platforms.text import clean, shown
from guestclock.rtc import BadRtcArguments

PLATFORM = "qemu"
_LARGEST = 2**20
_UNKNOWN_KIND = Unknown("a command line does not name the guest", "name it with --guests")


def is_command_line(path: str) -> bool:
    """Whether an argument is pid:N, pid:all, or a file that begins with something else than XML."""
    if path.startswith("pid:"):
        return True
    try:
        if not stat.S_ISREG(os.stat(path).st_mode) or path[-4:].lower() == ".xml":
            return False
        with open(path, "rb") as file:
            begin = file.read(4096)
    except (OSError, ValueError):
        return False
    # XML in UTF-16 or behind a byte order mark is left to the XML reader too.
    is_xml = begin.lstrip()[:1] in (b"<", b"\xef", b"\xfe", b"\xff")
    return not is_xml and (b"-rtc" in begin or b"qemu" in begin)


class QemuSource:
    """Machines of command lines: `pid:N`, `pid:all`, or paths of files that hold one each."""

    def __init__(self, places: Iterable[str], surroundings: Surroundings) -> None:
        self._places = tuple(sorted(set(places)))
        self._surroundings = surroundings

    def machines(self) -> Iterator[Read]:
        """Each machine, those of processes in the order of their pids."""
        for place in self._places:
            if place == "pid:all":
                for process in qemu_processes():
                    yield self._of_process(process)
            elif place.startswith("pid:"):
                yield self._of_pid(place)
            else:
                yield self._of_file(place)

    def _of_file(self, path: str) -> Read:
        try:
            with open(path, "rb") as file:
                text = file.read(_LARGEST + 1)
            if len(text) > _LARGEST:
                return Unread(shown(path), "over 1 MiB: no command line is that long")
            line = parse_text(text.decode())
            definition = definition_of(line)
        except OSError as problem:
            return Unread(shown(path), problem.strerror or "it cannot be read")
        except UnicodeDecodeError:
            return Unread(shown(path), "neither XML nor a command line in UTF-8")
        except (NoQemu, BadRtcArguments) as problem:
            return Unread(shown(path), clean(str(problem)))
        facts = Facts(definition=definition, hardware=line.hardware, host=self._surroundings.host)
        return self._machine(line, shown(path), facts)

    def _of_pid(self, place: str) -> Read:
        digits = place.removeprefix("pid:")
        if not (digits.isascii() and digits.isdigit()):
            return Unread(place, "no process id: write pid:1234 or pid:all")
        return self._of_process(QemuProcess(int(digits)))

    def _of_process(self, process: QemuProcess) -> Read:
        source = f"pid:{process.pid}"
        words = process.words()
        if isinstance(words, Unknown):
            return Unread(source, words.reason)
        zone = process.environment_zone()
        try:
            line = replace(parse_words(words.value), environment_zone=_value(zone))
            definition = definition_of(line)
            arguments = line.arguments
        except NoQemu:
            return Unread(source, f"{clean(words.value[0])} is not QEMU")
        except BadRtcArguments as problem:
            return Unread(source, clean(str(problem)))
        if isinstance(zone, Unknown) and arguments.base == "localtime":
            definition = zone
        facts = Facts(
            definition=definition,
            live=definition,
            process=Process(process.pid, Observed(arguments, words.where), zone),
            asked=True,
            hardware=line.hardware,
            host=host_of(process, self._surroundings.host),
        )
        return self._machine(line, source, facts)

    def _machine(self, line: CommandLine, source: str, facts: Facts) -> Machine:
        name = line.name or source
        row = self._surroundings.inventory.guest_for(name, line.uuid)
        identity = Identity(line.uuid or line.name or source, name, PLATFORM, source, "process")
        return Machine(identity, replace(facts, guest=_guest(line, row)))


def definition_of(line: CommandLine) -> Fact[Clock]:
    """The clock that a command line gives. Raises BadRtcArguments."""
    clock = clock_of(line.arguments, line.environment_zone)
    if line.rtc is None:
        return Inferred(clock, "no -rtc is base=utc")
    zone = "" if line.environment_zone is None else f", TZ={line.environment_zone}"
    return Observed(clock, f"-rtc {line.rtc}{zone}")


def host_of(process: QemuProcess, given: Host) -> Host:
    """The host as a process sees it; what was given counts where that cannot be read."""
    zone = process.localtime_zone()
    return given if isinstance(zone, Unknown) else replace(given, zone=zone)


def _guest(line: CommandLine, row: Row | None) -> Guest:
    kind: Fact[str] = _UNKNOWN_KIND
    if line.hyperv:
        kind = Inferred("windows", "-cpu hv-...: Hyper-V features are for Windows alone")
    if row is not None and row.guest is not None:
        kind = Assumed(row.guest, f"inventory {row.where}")
    return guest_in(kind, row)


def _value(zone: Fact[str | None]) -> str | None:
    return None if isinstance(zone, Unknown) else zone.value
