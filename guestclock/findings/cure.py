"""The cheapest cure of a finding, in libvirt's words."""

from __future__ import annotations

from guestclock.clock import Base, Utc, Variable, Zone, describe
from guestclock.cures import right_base
from guestclock.evidence import Unknown, value_of
from guestclock.findings.finding import Case
from guestclock.findings.sides import is_by_hand, keeps_local, wanted_offset
from guestclock.zones import Zones, process_zone

_ANY_ZONE = Zone("ZONE")
NEW_PROCESS = "a new process reads it; a reboot inside the guest changes nothing"
COLD_START = "then stop and start; a reboot inside the guest changes nothing"


def define(case: Case, base: Base) -> str:
    """How to give a machine another clock."""
    if is_by_hand(case):
        return f"{_arguments(base)}; {NEW_PROCESS}"
    return f"virsh edit: <clock {describe(base)}/>, {COLD_START}"


def _arguments(base: Base) -> str:
    match base:
        case Zone(name):
            return f"give QEMU -rtc base=localtime and TZ={name} in its environment"
        case Variable(adjustment):
            start = f"$(date -u -d '{adjustment} seconds' +%Y-%m-%dT%H:%M:%S)"
            return f"give QEMU -rtc base={start}"
        case _:
            return "give QEMU -rtc base=utc"


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
    return f"{define(case, _ANY_ZONE)}; ZONE is the guest's"


def _without_zone(case: Case, name: str, zones: Zones) -> str:
    """QEMU would silently start at UTC for a zone that its host's database lacks."""
    install = f"{zones.host.name} ({zones.host.release}) lacks {name}: update it, then"
    offset = wanted_offset(case, zones)
    if isinstance(offset, Unknown):
        return f"{install} {define(case, Zone(name))}"
    return f"{define(case, Variable(offset.value))}; or {install} name the zone"


def universal(case: Case) -> str:
    """The one cure of Windows that holds across every change of summer time."""
    if case.facts.guest.system != "windows":
        return ""
    utc = "-rtc base=utc" if is_by_hand(case) else f"<clock {describe(Utc())}/>"
    return f"or set RealTimeIsUniversal in the guest with {utc}"


def join(*parts: str) -> str:
    """Cures in one sentence, empty ones left out."""
    return "; ".join(part for part in parts if part)


def zone_hint(case: Case) -> str:
    """What to give where a guest keeps local time and its zone is not known."""
    unknown = isinstance(wanted_offset(case, case.zones), Unknown)
    if unknown and keeps_local(case.facts.guest) and value_of(case.facts.guest.zone) is None:
        return "give the guest's zone with --guests"
    return ""
