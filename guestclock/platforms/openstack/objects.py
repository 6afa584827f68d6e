"""What is wrong with a cloud's images, volumes and hosts, told once its servers have passed by.

Of servers only what these findings need is kept: their hosts' zones, and a few names and a count
for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from guestclock.clock import Localtime
from guestclock.evidence import Fact, Unknown, value_of
from guestclock.findings.finding import Finding
from guestclock.machine import Facts, Identity
from guestclock.platforms.interface import Examined
from guestclock.platforms.openstack.facts import PLATFORM
from guestclock.platforms.openstack.findings.host import HostView, host_findings
from guestclock.platforms.openstack.findings.image import inside_image
from guestclock.platforms.openstack.findings.volume import volume_findings
from guestclock.platforms.openstack.lineage import Lineages
from guestclock.platforms.openstack.records import Cloud, Server
from guestclock.platforms.surroundings import Surroundings
from guestclock.zones import Zones

_MOST_NAMES = 5


@dataclass
class _OnHost:
    """The Windows servers of a host that are given local time."""

    count: int = 0
    names: list[str] = field(default_factory=list)


class Objects:
    """Watches servers pass, and then examines all else."""

    def __init__(self, cloud: Cloud, surroundings: Surroundings) -> None:
        self._cloud = cloud
        self._surroundings = surroundings
        self._lineages = Lineages(cloud)
        self._zones: dict[str, Fact[str]] = {}
        self._local: dict[str, _OnHost] = {}

    def note(self, server: Server, facts: Facts) -> None:
        """Keeps of a server what its image, its volume and its host are judged by."""
        self._lineages.note(server)
        if not server.host:
            return
        known = self._zones.get(server.host)
        if known is None or isinstance(known, Unknown):
            self._zones[server.host] = facts.host.zone
        definition = value_of(facts.definition)
        local = definition is not None and isinstance(definition.base, Localtime)
        if local and facts.guest.system == "windows":
            on_host = self._local.setdefault(server.host, _OnHost())
            on_host.count += 1
            if len(on_host.names) < _MOST_NAMES:
                on_host.names.append(server.name)

    def examined(self, at: datetime, zones: Zones) -> Iterator[Examined]:
        """Each image, volume and host with what is wrong with it, for starts from `at` on."""
        cloud = self._cloud
        for image in cloud.images.values():
            kind = "snapshot" if image.is_snapshot else "image"
            identity = Identity(image.id, image.name, PLATFORM, image.source, kind)
            inside = partial(inside_image, image, cloud)
            yield Examined(identity, self._lineages.findings(image), inside)
        for volume in cloud.volumes.values():
            identity = Identity(volume.id, volume.name, PLATFORM, volume.source, "volume")
            yield Examined(identity, volume_findings(volume, cloud))
        yield from self._hosts(at, zones)

    def _hosts(self, at: datetime, zones: Zones) -> Iterator[Examined]:
        cloud = self._cloud
        known = {name: self._zone(name) for name in {**cloud.hosts, **self._zones}}
        for name in sorted(known):
            host = cloud.hosts.get(name)
            on_host = self._local.get(name, _OnHost())
            view = HostView(name, host, known, cloud, on_host.count, tuple(on_host.names))
            found: tuple[Finding, ...] = host_findings(view, at, zones)
            source = host.source if host else cloud.name
            yield Examined(Identity(name, name, PLATFORM, source, "host"), found)

    def _zone(self, name: str) -> Fact[str]:
        seen = self._zones.get(name)
        given = self._surroundings.host_of(name).zone
        return given if seen is None or isinstance(seen, Unknown) else seen
