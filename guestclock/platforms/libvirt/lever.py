"""The clock of a libvirt machine, changed in its persistent definition.

It acts from the next cold start on. Nothing else of the definition changes: libvirt is given its
own text again, secrets included, with another start tag of `<clock>`, and is asked afterwards
whether that is what it keeps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guestclock.clock import Clock, Zone
from guestclock.errors import Unreadable
from guestclock.evidence import Unknown
from guestclock.law import Host, start
from guestclock.platforms.lever import About, Acts, BadValue, Reading, Refused, Restart, Target
from guestclock.platforms.libvirt import events
from guestclock.platforms.libvirt.clock_tag import NoClock, base_in, with_words, words_of
from guestclock.platforms.libvirt.dialect import BadClock
from guestclock.platforms.libvirt.files import parse, safe_parser
from guestclock.platforms.libvirt.host import LocalHost, is_local
from guestclock.platforms.libvirt.kinds import NOVA
from guestclock.platforms.libvirt.monitor import rtc_offset
from guestclock.platforms.text import clean

if TYPE_CHECKING:
    import libvirt

    from guestclock.zones import Zones

NAME = "libvirt-clock"
ABOUT = About(
    changes="the start tag of <clock> in the persistent definition, and no other byte of it",
    acts=Acts.COLD_START,
    downtime="one stop and start",
    beside="nothing",
    needs="a libvirt connection that may define",
    undone="the old tag",
    verified="the running definition, and the RTC through the monitor",
)
# What writes a definition of its own at each cold start, by the namespace of its metadata.
_MANAGERS = {
    **dict.fromkeys(NOVA, "Nova"),
    "http://kubevirt.io": "KubeVirt",
    "http://ovirt.org/vm/": "oVirt",
}
# What no path and no rule of TZ is; which of them are zones is for whoever plans to know.
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
PATIENCE = 120.0
"""How long a guest that was asked to shut down may take, in seconds."""


class ClockLever:
    """The lever, over one open libvirt connection."""

    about = ABOUT

    def __init__(self, uri: str, host: Host, zones: Zones, patience: float = PATIENCE) -> None:
        """`host` is what is known of where the machines run. Raises Unreadable."""
        self._connection = _open(uri)
        self._host = LocalHost(uri).host(host) if is_local(uri) else host
        self._zones = zones
        self._patience = patience

    def checked(self, value: str) -> str:
        """The attributes of a `<clock>`, such as "offset='utc'". Raises BadValue."""
        try:
            base = base_in(value)
        except BadClock as problem:
            raise BadValue(str(problem)) from None
        if isinstance(base, Zone) and not _ZONE.fullmatch(base.name):
            raise BadValue(f"{base.name!r} is not the name of a zone, such as Asia/Shanghai")
        return value

    def read(self, target: Target) -> str:
        """The attributes in the persistent definition. Raises Refused."""
        with _told():
            return self.checked(words_of(self._definition(self._domain(target))))

    def write(self, target: Target, old: str, new: str) -> None:
        """Defines the machine with another clock. Raises Refused."""
        with _told():
            domain = self._domain(target)
            before = self._definition(domain)
            if words_of(before) != old:
                raise Refused(f"{target.name}: its clock is {words_of(before)} now, not {old}")
            wanted = with_words(before, new)
            self._connection.defineXML(wanted)
            kept = self._definition(domain)
            if kept != wanted:
                self._connection.defineXML(before)
                raise Refused(
                    f"{target.name}: libvirt keeps something else than it was given; its "
                    "definition was put back"
                )

    def restart(self, target: Target, how: Restart) -> None:
        """Stops the machine and starts it. Raises Refused where its guest does not stop."""
        with _told():
            domain = self._domain(target)
            if domain.hasManagedSaveImage(0):
                raise Refused(f"{target.name}: it is saved, and would start with its saved clock")
            if domain.isActive():
                if how is Restart.SOFT:
                    self._shut_down(domain)
                else:
                    domain.destroy()
            domain.create()

    def reading(self, target: Target) -> Reading:
        """The running machine's clock, and its RTC against what the law promises for that."""
        with _told():
            domain = self._domain(target)
            if not domain.isActive():
                return Reading(None, None, "it is off")
            live = self.checked(words_of(domain.XMLDesc(0)))
            seen = rtc_offset(domain)
        if isinstance(seen, Unknown):
            return Reading(live, None, seen.reason)
        promised = start(Clock(base_in(live)), self._host, datetime.now(UTC), self._zones).offset
        if isinstance(promised, Unknown):
            return Reading(live, None, promised.reason)
        return Reading(live, seen.value - promised.value)

    def _domain(self, target: Target) -> libvirt.virDomain:
        return self._connection.lookupByUUIDString(target.id)

    def _definition(self, domain: libvirt.virDomain) -> str:
        import libvirt

        if not domain.isPersistent():
            raise Refused(f"{domain.name()}: it is transient: its manager writes its definition")
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        definition = str(domain.XMLDesc(flags))
        metadata = parse(definition.encode(), safe_parser()).find("metadata")
        for element in () if metadata is None else metadata:
            for namespace, manager in _MANAGERS.items():
                if str(element.tag).startswith("{" + namespace):
                    raise Refused(
                        f"{domain.name()}: {manager} defines it anew at each cold start",
                        f"plan with {manager}'s own source",
                    )
        return definition

    def _shut_down(self, domain: libvirt.virDomain) -> None:
        domain.shutdown()
        if not events.wait_until(self._connection, lambda _: not domain.isActive(), self._patience):
            raise Refused(
                f"{domain.name()}: its guest was asked to shut down and has not in "
                f"{self._patience:g} s",
                "stop it from inside, or use --restart hard",
            )


def _open(uri: str) -> libvirt.virConnect:
    try:
        import libvirt
    except ModuleNotFoundError:
        raise Unreadable(
            "the Python package libvirt is not installed", "pip install 'guestclock[libvirt]'"
        ) from None
    # A guest's end is an event, which needs the loop before the connection.
    events.start()
    try:
        return libvirt.open(uri)
    except libvirt.libvirtError as problem:
        raise Unreadable(clean(str(problem))) from None


@contextmanager
def _told() -> Iterator[None]:
    """libvirt's errors as refusals."""
    import libvirt

    try:
        yield
    except (libvirt.libvirtError, NoClock, BadValue) as problem:
        raise Refused(clean(str(problem))) from None
