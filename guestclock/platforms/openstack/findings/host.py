"""CLK608 and CLK614 of a compute host: localtime is the host's, and so are its differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from guestclock.evidence import Fact, Known, Unknown
from guestclock.findings.finding import Evidence, Finding, Severity, cite
from guestclock.findings.zone import first_difference
from guestclock.platforms.openstack.records import Cloud, Host
from guestclock.platforms.text import clean
from guestclock.zones import Zones, next_transition, offset_at, process_zone

_YEAR = timedelta(days=366)
_MOST = 3


@dataclass(frozen=True, slots=True)
class HostView:
    """A compute host as its rules see it.

    `host` is None where only its servers were seen. `zones` are those of all hosts by name,
    `count` how many Windows servers on it are given localtime, `names` some of them.
    """

    name: str
    host: Host | None
    zones: Mapping[str, Fact[str]]
    cloud: Cloud
    count: int
    names: tuple[str, ...]


def host_findings(view: HostView, at: datetime, zones: Zones) -> tuple[Finding, ...]:
    """What is wrong with a host for starts from the aware instant `at` on."""
    zone = view.zones.get(view.name)
    if zone is None or isinstance(zone, Unknown):
        return ()
    return (*_differs(view, zone, at, zones), *_in_utc(view, zone, at, zones))


def is_utc_all_year(zone: str, at: datetime, zones: Zones) -> bool:
    """Whether a host's zone has no offset from UTC, from `at` on for a year."""
    known = process_zone(zone, zones.host).zone
    return not offset_at(known, at) and next_transition(known, at, at + _YEAR) is None


def _differs(view: HostView, zone: Known[str], at: datetime, zones: Zones) -> Iterator[Finding]:
    """CLK608, at those hosts that are not as most of their aggregate or cell are."""
    if view.host is None:
        return
    told: list[str] = []
    evidence: list[Evidence] = [cite(f"host zone {clean(zone.value)}", zone)]
    for what, hosts in _groups(view.host, view.cloud):
        others = _majority(view, hosts, zone.value, at, zones)
        if others:
            name = others[0]
            theirs = view.zones[name]
            assert not isinstance(theirs, Unknown)
            told.append(f"{len(others)} of {what} in {clean(theirs.value)}, such as {clean(name)}")
            evidence.append(cite(f"zone {clean(theirs.value)} of {clean(name)}", theirs))
    if told:
        yield Finding(
            "CLK608",
            Severity.WARNING,
            "host zone",
            "one zone on all hosts between which servers move",
            f"the host is in {clean(zone.value)}, and {'; '.join(told[:_MOST])}: a server with "
            "localtime keeps its clock over a live migration and loses it at its next hard reboot",
            tuple(evidence[: _MOST + 1]),
            "give all hosts of an aggregate one zone (timedatectl set-timezone, and the same in "
            "the container that QEMU runs in), then hard reboot the servers that have localtime",
        )


def _groups(mine: Host, cloud: Cloud) -> Iterator[tuple[str, list[Host]]]:
    """The hosts that a host's servers may be moved to: of its aggregates, else of its cell."""
    for name in mine.aggregates:
        same = [one for one in cloud.hosts.values() if name in one.aggregates]
        yield f"aggregate {clean(name)}", same
    if not mine.aggregates:
        same = [one for one in cloud.hosts.values() if one.cell == mine.cell and not one.aggregates]
        yield f"cell {clean(mine.cell)}" if mine.cell else "the cell", same


def _majority(
    view: HostView, hosts: list[Host], zone: str, at: datetime, zones: Zones
) -> list[str]:
    """The names of the hosts that most agree on, where that is another zone than `zone`.

    Names of zones are not compared but what they are: Asia/Shanghai and PRC are one. Of groups
    of one size that of the first host by name counts.
    """
    alike: dict[str, list[str]] = {}
    for name in sorted(one.name for one in hosts):
        fact = view.zones.get(name)
        if fact is None or isinstance(fact, Unknown):
            continue
        same = next((one for one in alike if is_same(one, fact.value, at, zones)), fact.value)
        alike.setdefault(same, []).append(name)
    if len(alike) < 2:
        return []
    most = max(alike, key=lambda one: len(alike[one]))
    return [] if is_same(most, zone, at, zones) else alike[most]


def is_same(one: str, other: str, at: datetime, zones: Zones) -> bool:
    """Whether two zones have equal offsets from `at` on for a year, by the hosts' rules."""
    if one == other:
        return True
    first, second = (process_zone(name, zones.host).zone for name in (one, other))
    return first_difference(first, second, at, at + _YEAR) is None


def _in_utc(view: HostView, zone: Known[str], at: datetime, zones: Zones) -> Iterator[Finding]:
    """CLK614, once for all Windows servers of a host."""
    if not view.count or not is_utc_all_year(zone.value, at, zones):
        return
    names = ", ".join(clean(name) for name in view.names[:_MOST])
    more = f" and {view.count - _MOST} more" if view.count > _MOST else ""
    servers = f"{view.count} Windows server{'' if view.count == 1 else 's'}"
    yield Finding(
        "CLK614",
        Severity.WARNING,
        "host zone",
        "a host in the zone of its Windows servers",
        f"the host is in {clean(zone.value)}, so that localtime is UTC for {servers} on it: "
        f"{names}{more}",
        (cite(f"host zone {clean(zone.value)}", zone),),
        "give the host the zone of its Windows guests; where they are in several, set "
        "RealTimeIsUniversal in them and give them no os_type",
    )
