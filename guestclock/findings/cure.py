"""The cheapest cure of a finding, in libvirt's words.

A clock is only proposed where the law finds no error with it: Windows that saved the bias of the
other season, for one, is as wrong on its own zone's clock as on any that follows a zone.
"""

from __future__ import annotations

from dataclasses import replace

from guestclock.clock import Base, Clock, Utc, Variable, Zone, describe
from guestclock.cures import in_qemus_words, right_base
from guestclock.evidence import Inferred, Unknown, value_of
from guestclock.findings.finding import Case
from guestclock.findings.sides import clock_of, gap, is_by_hand, keeps_local, wanted_offset
from guestclock.machine import Facts, outlook
from guestclock.zones import Zones, process_zone

_ANY_ZONE = Zone("ZONE")
NEW_PROCESS = "a new process reads it; a reboot inside the guest changes nothing"
COLD_START = "then stop and start; a reboot inside the guest changes nothing"


def define(case: Case, base: Base) -> str:
    """How to give a machine another clock, or what else helps where that clock is wrong too."""
    facts = _with(case, base)
    if _is_right(case, facts):
        return _text(case, base)
    if _is_right(case, replace(facts, host=replace(facts.host, clock_error=0))):
        return f"set the host's clock right, best by NTP; then {_text(case, base)}"
    if inside := keep_utc(case):
        return inside
    wanted = value_of(wanted_offset(case, case.zones))
    if wanted is not None and _is_right(case, _with(case, Variable(wanted))):
        return _text(case, Variable(wanted))
    return "set the time in the guest after each start, which NTP does"


def _with(case: Case, base: Base) -> Facts:
    clock = clock_of(case)
    new = Clock(base) if clock is None else replace(clock, base=base)
    return replace(case.facts, definition=Inferred(new, "the cure"))


def _is_right(case: Case, facts: Facts) -> bool:
    """Whether the law finds no error in the next cold start, or none that anybody knows."""
    error = gap(facts, outlook(facts, case.at, case.zones), case)
    return error is None or abs(error) < case.tolerance


def _text(case: Case, base: Base) -> str:
    if is_by_hand(case):
        return f"{in_qemus_words(base)}; {NEW_PROCESS}"
    if case.facts.stored is not None:
        return (
            f"have its platform write {describe(base)}, {COLD_START}; what virsh edit writes is "
            "undone at the next cold start"
        )
    return f"virsh edit: <clock {describe(base)}/>, {COLD_START}"


def right_clock(case: Case) -> str:
    """The definition at which the guest's cold starts are right, or what must be known for it."""
    guest = case.facts.guest
    if guest.system == "unknown":
        return "name the guest's system with --guests; a clock can only be right for somebody"
    base = right_base(guest)
    if isinstance(base, Zone) and process_zone(base.name, case.zones.host).silently:
        return _without_zone(case, base.name, case.zones)
    if base is not None:
        return define(case, base)
    return f"{_text(case, _ANY_ZONE)}; ZONE is the guest's"


def _without_zone(case: Case, name: str, zones: Zones) -> str:
    """QEMU would silently start at UTC for a zone that its host's database lacks."""
    install = f"{zones.host.name} ({zones.host.release}) lacks {name}: update it, then"
    offset = wanted_offset(case, zones)
    if isinstance(offset, Unknown):
        return f"{install} {define(case, Zone(name))}"
    return f"{define(case, Variable(offset.value))}; or {install} name the zone"


def universal(case: Case) -> str:
    """The one cure of Windows that holds across every change of summer time."""
    return f"or {keep_utc(case)}" if case.facts.guest.system == "windows" else ""


def keep_utc(case: Case) -> str:
    """How a guest that keeps local time is taught UTC instead, empty for those that cannot be."""
    utc = "-rtc base=utc" if is_by_hand(case) else f"<clock {describe(Utc())}/>"
    match case.facts.guest.system:
        case "windows":
            return f"set RealTimeIsUniversal in the guest with {utc}"
        case "linux-local":
            return f"let the guest keep UTC (timedatectl set-local-rtc 0) with {describe(Utc())}"
        case "freebsd-local":
            return f"let the guest keep UTC (remove /etc/wall_cmos_clock) with {describe(Utc())}"
        case _:
            return ""


def join(*parts: str) -> str:
    """Cures in one sentence; empty ones are left out, and an alternative that is the same."""
    kept: list[str] = []
    for part in parts:
        if part and part not in kept and part.removeprefix("or ") not in kept:
            kept.append(part)
    return "; ".join(kept)


def zone_hint(case: Case) -> str:
    """What to give where a guest keeps local time and its zone is not known."""
    unknown = isinstance(wanted_offset(case, case.zones), Unknown)
    if unknown and keeps_local(case.facts.guest) and value_of(case.facts.guest.zone) is None:
        return "give the guest's zone with --guests"
    return ""
