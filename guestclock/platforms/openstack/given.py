"""Which sources of a cloud a user gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion


@dataclass(frozen=True, slots=True)
class Given:
    """The sources of one cloud; a database is a URL, env:NAME or file:PATH.

    `cloud` is a name in clouds.yaml, `folders` hold dumped definitions. `live` allows reading
    RTCs through the hosts' monitors. `region` is openstacksdk's configuration of a cloud that
    somebody has signed in to already; `cloud` then only names it.
    """

    cloud: str | None = None
    cells: tuple[str, ...] = ()
    api_db: str | None = None
    glance_db: str | None = None
    notifications: str | None = None
    connections: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    live: bool = False
    region: CloudRegion | None = None

    @property
    def has_servers(self) -> bool:
        """Whether a machine is a server, and hosts only add its domain."""
        return bool(self.cloud or self.cells)
