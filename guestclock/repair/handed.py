"""What the owner of a guest could do instead, from inside, which no lever here does."""

from __future__ import annotations

from guestclock.guest import Guest

UNIVERSAL = (
    "its owner sets RealTimeIsUniversal in Windows (guestclock handout windows-utc) and the clock "
    "is left at utc: right on every host and over every change of a zone, though Microsoft does "
    "not support it"
)
_INSIDE = {
    "windows": (UNIVERSAL,),
    "linux-local": (
        "its owner lets it keep UTC (guestclock handout linux-utc) and the clock is left at utc: "
        "right on every host and over every change of a zone",
    ),
}
REBUILD = "a rebuild from the corrected image (openstack server rebuild) loses the root disk"


def handed_over(guest: Guest) -> tuple[str, ...]:
    """What is listed beside a step; empty where the guest keeps UTC already."""
    return _INSIDE.get(guest.system, ())
