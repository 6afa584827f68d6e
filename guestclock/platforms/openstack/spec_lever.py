"""The os_type in a server's request spec, changed in Nova's API database.

No clock hangs on it. It is corrected so that the scheduler, which may place servers by it, sees
what the driver sees; a migrated or unshelved server is scheduled by its spec.
"""

from __future__ import annotations

from guestclock.platforms.lever import About, Acts, Reading, Restart, Target, nothing_to_restart
from guestclock.platforms.openstack.database.spec_change import WritableSpecs
from guestclock.platforms.openstack.os_type_value import os_type_in, value_of_os_type

NAME = "nova-request-spec"
ABOUT = About(
    changes="os_type in a server's request spec, in Nova's API database",
    acts=Acts.LATER,
    downtime="none",
    beside="the scheduler's filters go by it",
    needs="--api-db, as a user who may change request_specs",
    undone="the old value",
    verified="the spec, read again",
)


class SpecLever:
    """The lever, over Nova's API database."""

    about = ABOUT

    def __init__(self, specs: WritableSpecs) -> None:
        self._specs = specs

    def checked(self, value: str) -> str:
        """`os_type=windows`, or `os_type=` for none. Raises BadValue."""
        os_type_in(value)
        return value

    def read(self, target: Target) -> str:
        """What the spec has. Raises Refused, Unreadable."""
        return value_of_os_type(self._specs.os_type(target.id))

    def write(self, target: Target, old: str, new: str) -> None:
        """Changes the spec's os_type. Raises Refused, Unreadable."""
        self._specs.change(target.id, os_type_in(old), os_type_in(new))

    def restart(self, target: Target, how: Restart) -> None:
        """Raises Refused: a spec does not run."""
        raise nothing_to_restart(target)

    def reading(self, target: Target) -> Reading:
        """The spec; it has no clock."""
        return Reading(self.read(target), None, "a request spec has no clock")
