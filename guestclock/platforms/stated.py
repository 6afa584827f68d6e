"""What a user states of hosts and guests, in words: the zone of a host, the system in a guest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from guestclock.errors import UsageProblem
from guestclock.evidence import Assumed
from guestclock.guest import SYSTEMS
from guestclock.inventory import NO_INVENTORY, load_inventory
from guestclock.law import NO_HOST_ZONE, Host
from guestclock.machine import Machine
from guestclock.platforms.surroundings import Surroundings
from guestclock.zones import UnknownZone, Zones, posix_zone


def surroundings_stated(
    host_zones: Iterable[str], daemon_zone: str | None, guests: str | None, zones: Zones
) -> Surroundings:
    """Hosts by `[HOST=]ZONE`, the TZ of their libvirtd, and the inventory in the file `guests`.

    Raises UsageProblem, Unreadable.
    """
    host = Host(NO_HOST_ZONE, None if daemon_zone is None else _zone_of_host(daemon_zone, zones))
    hosts: dict[str, Host] = {}
    for text in host_zones:
        # No name of a zone has the sign, and no rule of POSIX.
        name, _, zone = text.rpartition("=")
        known = replace(host, zone=Assumed(_zone_of_host(zone, zones), "--host-zone"))
        if name:
            hosts[name] = known
        else:
            host = known
    inventory = load_inventory(guests, zones) if guests else NO_INVENTORY
    return Surroundings(host, inventory, hosts)


def _zone_of_host(name: str, zones: Zones) -> str:
    """The zone that a host has by that name: IANA, Windows or a POSIX rule."""
    try:
        return zones.iana(name)
    except UnknownZone as problem:
        if posix_zone(name):
            return name
        raise UsageProblem(str(problem)) from None


def with_guest(
    machine: Machine, guest: str | None, zone: str | None, bias: int | None, zones: Zones
) -> Machine:
    """The machine with what is stated of its guest: `bias` is ActiveTimeBias in minutes.

    Raises UsageProblem.
    """
    facts = machine.facts
    inside = facts.guest
    if guest is not None:
        if guest not in SYSTEMS:
            raise UsageProblem(f"--guest {guest!r} is not one of {', '.join(SYSTEMS)}")
        inside = replace(inside, system=guest, kind=Assumed(guest, "--guest"))
    if zone is not None:
        try:
            inside = replace(inside, zone=Assumed(zones.iana(zone), "--zone"))
        except UnknownZone as problem:
            raise UsageProblem(str(problem)) from None
    if bias is not None:
        inside = replace(inside, bias_minutes=Assumed(bias, "--bias"))
    return replace(machine, facts=replace(facts, guest=inside))
