"""CLK7xx: what a machine's own disk says of its guest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from guestclock.disk import Disk, OnDisk
from guestclock.evidence import Unknown, value_of
from guestclock.findings.finding import Case, Evidence, Finding, Rule, Severity, cite
from guestclock.findings.sides import keeps_local
from guestclock.guest import Guest, bias_at, system_of
from guestclock.words import behind_or_ahead, from_utc, instant

_LOCAL = {True: "local time", False: "UTC", None: "something unknown"}


def told_otherwise(case: Case) -> Iterator[Finding]:
    """CLK701: metadata name another system than the disk holds."""
    disk, system = case.facts.disk, _system(case)
    if disk is None or system is None:
        return
    told, found = disk.told.kind, system.guest.kind
    if isinstance(told, Unknown) or isinstance(found, Unknown) or _same(told.value, found.value):
        return
    # RealTimeIsUniversal that nobody was told of is CLK702's.
    if found.value == "windows-universal" and told.value == "windows":
        return
    wrong = keeps_local(disk.told) != keeps_local(system.guest)
    takes = _LOCAL[keeps_local(system.guest)]
    yield Finding(
        "CLK701",
        Severity.WARNING if wrong else Severity.NOTE,
        "guest",
        f"metadata that say what is on the disk: {system_of(system.guest).label}",
        f"they say {system_of(disk.told).label}; {system.name} is there, which takes the RTC "
        f"for {takes}",
        (cite(f"told: {told.value}", told), cite(f"on the disk: {found.value}", found)),
        f"correct what names the guest ({told.where}), as its platform chooses the clock by it",
    )


def _same(told: str, found: str) -> bool:
    """Whether what was told fits: `linux` leaves open how the RTC is kept, `linux-local` not."""
    return told == found or found.removesuffix("-local") == told == "freebsd"


def universal_told_as_windows(case: Case) -> Iterator[Finding]:
    """CLK702: RealTimeIsUniversal is set, and who chooses the clock was told it is Windows."""
    disk, system = case.facts.disk, _system(case)
    if disk is None or system is None or system.guest.system != "windows-universal":
        return
    told = disk.told.kind
    if value_of(told) != "windows":
        return
    yield Finding(
        "CLK702",
        Severity.WARNING,
        "guest",
        "either a Windows that keeps local time, or a platform that gives it UTC",
        f"{system.name} has RealTimeIsUniversal set and takes the RTC for UTC, while its platform "
        "was told that it is Windows, for which it writes local time: both would be one cure "
        "too many",
        (cite("told: windows", told), cite("on the disk: RealTimeIsUniversal", system.guest.kind)),
        "give it offset='utc' (no os_type=windows on its image), or delete RealTimeIsUniversal",
    )


def sealed_bias(case: Case) -> Iterator[Finding]:
    """CLK703: a sealed image has saved its bias on the other side of a change of summer time."""
    system = _system(case)
    if system is None or not system.sealed or system.guest.system != "windows":
        return
    saved = system.guest.bias_minutes
    now = bias_at(system.guest, case.at, case.zones.guest)
    if isinstance(saved, Unknown) or isinstance(now, Unknown) or saved.value == now.value:
        return
    # An RTC in today's local time, taken with the saved bias, is off by their difference.
    error = 60 * (saved.value - now.value)
    yield Finding(
        "CLK703",
        Severity.WARNING,
        "guest",
        f"a saved ActiveTimeBias of {now.value} min, as its zone has it at {instant(case.at)}",
        f"the sealed image has saved {saved.value} min: with an RTC in its zone's local time each "
        f"machine made of it is {behind_or_ahead(error)} at its first boot",
        (cite(f"saved bias {saved.value} min", saved), cite("its zone", system.guest.zone)),
        "let the first boot set the time by NTP, or seal the image anew on this side of the change",
    )


def old_rules_on_disk(case: Case) -> Iterator[Finding]:
    """CLK704: the guest's own rules of its zone lack a change that its zone has made."""
    system = _system(case)
    if system is None or system.rules is None:
        return
    rules = system.rules
    zone = case.zones.truth.get(rules.name)
    found = rules.first_difference(zone) if zone else None
    if found is None:
        return
    when, theirs, ours = found
    source = f"{case.zones.truth.name} {case.zones.truth.release}"
    yield Finding(
        "CLK704",
        Severity.WARNING if when <= case.at else Severity.NOTE,
        "guest",
        f"{rules.name} {from_utc(ours)} from {instant(when)} on",
        f"{system.name} has it {from_utc(theirs)}: what it shows is "
        f"{_since(when, case.at)} {behind_or_ahead(theirs - ours)}, however right its RTC is",
        (
            Evidence(f"{rules.name} is {from_utc(theirs)}", "observed", rules.where),
            Evidence(f"{rules.name} is {from_utc(ours)}", "inferred", source),
        ),
        "install the system's time zone updates in the guest, and in the image it was made of",
    )


def _since(when: datetime, at: datetime) -> str:
    return "since then" if when <= at else "from then on"


def several_systems(case: Case) -> Iterator[Finding]:
    """CLK705: several systems are on the disk, and which one boots is not read."""
    disk = case.facts.disk
    if disk is None or len(disk.systems) < 2:
        return
    ways = {_LOCAL[keeps_local(one.guest)] for one in disk.systems}
    named = ", ".join(f"{one.name} ({one.where})" for one in disk.systems)
    yield Finding(
        "CLK705",
        Severity.NOTE if len(ways) == 1 else Severity.WARNING,
        "guest",
        "one system, or several that take the RTC alike",
        f"{len(disk.systems)} systems are on the disk, which take the RTC for "
        f"{' or '.join(sorted(ways))}: {named}; which one boots is not known",
        tuple(cite(one.name, one.guest.kind) for one in disk.systems),
        "say with --guests which one boots; of two that differ each sets the other's clock wrong",
    )


def disk_says_nothing(case: Case) -> Iterator[Finding]:
    """CLK706: the disk was read and says nothing of the guest, as one that is encrypted."""
    disk = case.facts.disk
    if disk is None or disk.systems or not disk.unknown:
        return
    yield Finding(
        "CLK706",
        Severity.NOTE,
        "guest",
        "a disk that says which system is on it",
        f"{disk.unknown}: {disk.detail}",
        (Evidence("the disk", "unknown", disk.image),),
        _how_to_know(disk, disk.told),
    )


def _how_to_know(disk: Disk, told: Guest) -> str:
    if isinstance(told.kind, Unknown):
        return "name the guest with --guests"
    return f"nothing, if it is {system_of(told).label} as {told.kind.where} says"


def _system(case: Case) -> OnDisk | None:
    return case.facts.disk.system if case.facts.disk else None


RULES = (
    Rule(
        "CLK701",
        "told-otherwise",
        "Metadata name another system than the one on the machine's disk.",
        told_otherwise,
    ),
    Rule(
        "CLK702",
        "universal-told-as-windows",
        "Windows on the disk takes the RTC for UTC, and its platform was told to give local time.",
        universal_told_as_windows,
    ),
    Rule(
        "CLK703",
        "sealed-bias",
        "A sealed image has saved its bias on the other side of a change of summer time.",
        sealed_bias,
    ),
    Rule(
        "CLK704",
        "old-rules-on-disk",
        "The guest's own rules of its zone lack a change that its zone has made.",
        old_rules_on_disk,
    ),
    Rule(
        "CLK705",
        "several-systems",
        "Several systems are on the disk, and which one boots is not known.",
        several_systems,
    ),
    Rule(
        "CLK706",
        "disk-says-nothing",
        "The machine's disk was read and does not say which system is on it.",
        disk_says_nothing,
    ),
)
