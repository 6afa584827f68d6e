"""What Nova has as a server's os_type, changed in its cell's database.

It acts from the next hard reboot on, at which Nova writes the definition anew; a soft reboot of a
guest that obeys starts the old one. os_type=windows also gives a server Hyper-V features, and the
admin user another name. A rebuild takes the image's value again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from guestclock.clock import describe
from guestclock.platforms.lever import About, Acts, Lever, Reading, Refused, Restart, Target
from guestclock.platforms.openstack.api_session import Session
from guestclock.platforms.openstack.database.change import WritableCell, os_types_in
from guestclock.platforms.openstack.reboot import reboot_hard
from guestclock.platforms.openstack.rule import nova_clock

NAME = "nova-os-type"
ABOUT = About(
    changes="os_type of a server in its cell's database: the column that decides the clock and "
    "the copy that its snapshots carry on, in one transaction",
    acts=Acts.HARD_REBOOT,
    downtime="one hard reboot",
    beside="Hyper-V features and the admin's name follow os_type; a rebuild takes its image's",
    needs="a user of the cell's database; --os-cloud to reboot",
    undone="the old values",
    verified="both values, the definition that Nova wrote of them, and the RTC on its host",
)


class OsTypeLever:
    """The lever, over one cell; hosts are those whose libvirt can be asked, to verify."""

    about = ABOUT

    def __init__(self, cell: WritableCell, session: Session | None, hosts: Sequence[Lever]) -> None:
        """`session` is signed in; without one nothing is started anew."""
        self._cell = cell
        self._session = session
        self._hosts = hosts

    def checked(self, value: str) -> str:
        """What the column and the copy have, as `column=windows copy=`. Raises BadValue."""
        return str(os_types_in(value))

    def read(self, target: Target) -> str:
        """What a server has. Raises Refused, Unreadable."""
        return str(self._cell.os_types(target.id))

    def write(self, target: Target, old: str, new: str) -> None:
        """Changes the column and the copy in one transaction. Raises Refused, Unreadable."""
        self._cell.change(target.id, os_types_in(old), os_types_in(new))

    def restart(self, target: Target, how: Restart) -> None:
        """A hard reboot. Raises Refused, Unreadable."""
        if how is not Restart.HARD:
            raise Refused(
                f"{target.name}: a soft reboot starts the old definition", "use --restart hard"
            )
        if self._session is None:
            raise Refused(f"{target.name}: no API is given to reboot it", "give --os-cloud NAME")
        reboot_hard(self._session, target.id)

    def reading(self, target: Target) -> Reading:
        """What the running server was made from, by the host that has it."""
        has = self._cell.os_types(target.id)
        seen = self._on_its_host(target)
        # The timers hang on the host; the base of the clock on os_type alone.
        if seen.value == describe(nova_clock(has.column, "qemu").base):
            return replace(seen, value=str(has))
        return seen

    def _on_its_host(self, target: Target) -> Reading:
        for host in self._hosts:
            try:
                return host.reading(target)
            except Refused:
                continue
        raise Refused(
            f"{target.name}: no host is given that has it, so its clock cannot be verified",
            "give its host's libvirt with -c",
        )
