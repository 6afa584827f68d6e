"""What is known of machines from outside their definitions: their host, and who runs in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from guestclock.evidence import Assumed, Fact, Unknown
from guestclock.guest import NO_BIAS, NO_ZONE, Guest
from guestclock.inventory import NO_INVENTORY, Inventory, Row
from guestclock.law import Host


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Given to every source: the host where it cannot be seen, and the user's list of guests.

    `hosts` are those of which something else was said than of all, by their name. `disks` says
    whether the disks of machines will be read, so that sources note which they are.
    """

    host: Host = field(default=Host())
    inventory: Inventory = NO_INVENTORY
    hosts: Mapping[str, Host] = field(default_factory=dict)
    disks: bool = False

    def host_of(self, name: str) -> Host:
        """What was said of the host of that name, or of all."""
        return self.hosts.get(name, self.host)


def guest_in(kind: Fact[str], row: Row | None) -> Guest:
    """A guest of that kind, with what an inventory row adds to it."""
    system = "unknown" if isinstance(kind, Unknown) else kind.value
    if row is None:
        return Guest(system, kind=kind)
    where = f"inventory {row.where}"
    return Guest(
        system,
        zone=NO_ZONE if row.zone is None else Assumed(row.zone, where),
        bias_minutes=NO_BIAS if row.bias_minutes is None else Assumed(row.bias_minutes, where),
        utc_offset_minutes=row.utc_offset_minutes or 0,
        kind=kind,
    )
