"""What Nova's operations would make of a server's clock, and which write the definition anew.

Source: nova/virt/libvirt/driver.py, from 26 to 34; each row was seen on Nova 26.2.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from guestclock.evidence import Fact, Observed, Unknown, value_of
from guestclock.explanation import Ahead
from guestclock.law import Host as ClockHost
from guestclock.machine import Facts, Outlook, outlook
from guestclock.platforms.openstack.hops import error_with
from guestclock.platforms.openstack.records import Cloud, Host, Server
from guestclock.platforms.openstack.rule import BadOsType, check_os_type
from guestclock.platforms.surroundings import Surroundings
from guestclock.platforms.text import clean
from guestclock.words import behind_or_ahead
from guestclock.zones import Zones

_MOST_HOSTS = 20
_STOPPED = Unknown("Nova refuses a soft reboot of a server that does not run")
_OBEYS = (
    "a guest that obeys its power button; of any other Nova makes a hard reboot after "
    "wait_soft_reboot_seconds"
)


def operations(
    server: Server,
    cloud: Cloud,
    surroundings: Surroundings,
    facts: Facts,
    at: datetime,
    zones: Zones,
    tolerance: int,
) -> tuple[Ahead, ...]:
    """The operations ahead of a server that would be at `at`, each with its clock error."""
    seen = outlook(facts, at, zones)
    found = [
        Ahead("soft reboot", _soft(server, facts, at, zones), False, _OBEYS),
        Ahead("hard reboot", seen.after_cold_start, True),
        Ahead("stop/start", seen.after_cold_start, True),
        _rebuild(server, cloud, facts, at, zones),
        Ahead("unshelve", seen.after_cold_start, True, "the zone of the host it is put on"),
    ]
    if server.vm_state == "rescued":
        saved = Unknown("the definition that was saved at the rescue is in a file of its host")
        found.append(Ahead("unrescue", saved, False, "the definition before the rescue"))
    else:
        found.append(Ahead("rescue", seen.after_cold_start, True, "the rescue image's own system"))
    found.append(
        Ahead("suspend/resume", seen.now, False, "then the guest's agent is told the time")
    )
    found += _migrations(server, cloud, surroundings, facts, seen, at, zones, tolerance)
    return tuple(found)


def _soft(server: Server, facts: Facts, at: datetime, zones: Zones) -> Fact[int]:
    if server.vm_state in ("stopped", "paused", "suspended", "shelved", "shelved_offloaded"):
        return _STOPPED
    stored = facts.stored or facts.definition
    return outlook(replace(facts, definition=stored), at, zones).after_cold_start


def _rebuild(server: Server, cloud: Cloud, facts: Facts, at: datetime, zones: Zones) -> Ahead:
    image = cloud.images.get(server.image)
    loses = "its root disk is made anew and its data are lost"
    error: Fact[int]
    if not server.image:
        error = Unknown("a rebuild takes the properties of the image that it is given")
        loses = "before microversion 2.93 the volume is kept"
    elif image is None and cloud.images_read:
        error = Unknown("Nova refuses it: the image is gone")
    elif image is None:
        error = Unknown("the image was not read", "give --os-cloud or --glance-db")
    else:
        try:
            check_os_type(image.os_type)
            error = error_with(image.os_type, facts, at, zones)
        except BadOsType as problem:
            error = Unknown(f"Nova refuses it with HTTP 400: {clean(str(problem))}")
    return Ahead("rebuild", error, True, loses)


def _migrations(
    server: Server,
    cloud: Cloud,
    surroundings: Surroundings,
    facts: Facts,
    seen: Outlook,
    at: datetime,
    zones: Zones,
    tolerance: int,
) -> Iterator[Ahead]:
    for host in candidates(server, cloud)[:_MOST_HOSTS]:
        there = surroundings.host_of(host.name)
        error = outlook(replace(facts, host=_moved(there, facts)), at, zones).after_cold_start
        seconds = value_of(error)
        state = "unknown" if seconds is None else behind_or_ahead(seconds, tolerance)
        note = f"the next hard reboot there: {state}"
        yield Ahead(f"live migration to {host.name}", seen.now, False, note)


def _moved(there: ClockHost, facts: Facts) -> ClockHost:
    """The host that is moved to; a TZ that the definition sets goes along."""
    zone = facts.host.zone
    return facts.host if isinstance(zone, Observed) and zone.where.startswith("qemu:env") else there


def candidates(server: Server, cloud: Cloud) -> list[Host]:
    """The enabled hosts that share an aggregate with a server's, or all where it is in none."""
    mine = cloud.hosts.get(server.host)
    shared = set(mine.aggregates) if mine else set()
    return [
        host
        for host in cloud.hosts.values()
        if host.name != server.host
        and host.enabled
        and (not shared or shared & set(host.aggregates))
        and (not mine or host.cell == mine.cell)
    ]
