"""What can go wrong in the lab, said so that its user knows what to do."""

from __future__ import annotations

from guestclock.errors import GuestclockError


class LabError(GuestclockError):
    """Something in the lab does not do what it should; the hint says what may help."""


class MissingToolError(LabError):
    """A program or file the lab needs is not on this machine; the hint names its package."""
