"""A hard reboot of a server by Nova's API: the one operation by which a changed os_type acts."""

from __future__ import annotations

from guestclock.platforms.lever import Refused
from guestclock.platforms.openstack.api_session import Session

PATIENCE = 300
"""How long a reboot may take, in seconds."""

_LOOK_SECONDS = 0.5


def reboot_hard(session: Session, server: str) -> None:
    """Returns when the server is at rest and runs. Raises Refused, Unreadable."""
    from openstack.exceptions import ResourceTimeout
    from openstack.utils import iterate_timeout

    session.post("compute", "v2.1", f"servers/{server}/action", {"reboot": {"type": "HARD"}})
    try:
        for _ in iterate_timeout(PATIENCE, "it does not come to rest", wait=_LOOK_SECONDS):
            found = session.get("compute", "v2.1", f"servers/{server}")["server"]
            if found["status"] == "ERROR":
                raise Refused("it is in state ERROR after its reboot")
            if (found["status"], found["OS-EXT-STS:task_state"]) == ("ACTIVE", None):
                return
    except ResourceTimeout:
        raise Refused(f"its reboot takes longer than {PATIENCE} s") from None
