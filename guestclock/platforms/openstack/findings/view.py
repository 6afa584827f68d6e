"""What OpenStack's rules look at: a server with its cloud, and the law's case of its machine."""

from __future__ import annotations

from dataclasses import dataclass

from guestclock.findings.finding import Case
from guestclock.platforms.openstack.records import Cloud, Image, Server, Volume


@dataclass(frozen=True, slots=True)
class ServerView:
    """One server as the rules see it.

    `case.facts.definition` is what Nova will write at the next hard reboot, `case.facts.stored`
    the definition that stands on the host (None where no host was asked), and `case.cause` the
    general rule that explains a wrong hard reboot, None where it will not be wrong.
    """

    case: Case
    server: Server
    cloud: Cloud

    @property
    def image(self) -> Image | None:
        """The image it was made of, None where it has none, or where it was not seen."""
        return self.cloud.images.get(self.server.image)

    @property
    def volume(self) -> Volume | None:
        """Its root volume, None where it has none, or where it was not seen."""
        return self.cloud.volumes.get(self.server.volume)
