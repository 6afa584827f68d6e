"""The os_type of an image, changed in Glance.

It acts on the servers that are made of the image from then on, and at a rebuild on those that are
there. Glance has no condition on a change: what somebody writes between our look and our change
is lost, as with any client of it.
"""

from __future__ import annotations

from http import HTTPStatus

from guestclock.platforms.lever import (
    About,
    Acts,
    Reading,
    Refused,
    Restart,
    Target,
    nothing_to_restart,
)
from guestclock.platforms.openstack.api_session import Answered, Session
from guestclock.platforms.openstack.os_type_value import os_type_in, value_of_os_type

NAME = "glance-os-type"
ABOUT = About(
    changes="the property os_type of an image",
    acts=Acts.LATER,
    downtime="none",
    beside="servers made of it get Hyper-V features and the admin's name with it",
    needs="--os-cloud, as a user who may change the image",
    undone="the old value",
    verified="the property, read again",
)
_KIND = "application/openstack-images-v2.1-json-patch"
_REFUSED = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


class ImageLever:
    """The lever, over a session that is signed in."""

    about = ABOUT

    def __init__(self, session: Session) -> None:
        self._session = session

    def checked(self, value: str) -> str:
        """`os_type=windows`, or `os_type=` for none. Raises BadValue."""
        os_type_in(value)
        return value

    def read(self, target: Target) -> str:
        """What the image has. Raises Refused where it is not there, Unreadable."""
        return value_of_os_type(self._os_type(target))

    def write(self, target: Target, old: str, new: str) -> None:
        """Sets the property, or takes it away. Raises Refused, Unreadable."""
        present = self.read(target)
        if present != old:
            raise Refused(f"it has {present} now, not {old}")
        word = os_type_in(new)
        change: dict[str, str] = {"op": "remove" if word is None else "add", "path": "/os_type"}
        if word is not None:
            change["value"] = word
        try:
            self._session.patch("image", "v2", f"images/{target.id}", [change], _KIND)
        except Answered as problem:
            raise _as_refusal(problem) from None
        if self.read(target) != new:
            raise Refused("somebody else wrote it at the same time")

    def restart(self, target: Target, how: Restart) -> None:
        """Raises Refused: an image does not run."""
        raise nothing_to_restart(target)

    def reading(self, target: Target) -> Reading:
        """The property; an image has no clock."""
        return Reading(self.read(target), None, "an image has no clock")

    def _os_type(self, target: Target) -> str | None:
        try:
            image = self._session.get("image", "v2", f"images/{target.id}")
        except Answered as problem:
            raise _as_refusal(problem) from None
        found = image.get("os_type")
        if found is not None and not isinstance(found, str):
            raise self._session.unfit(f"images/{target.id}")
        return found


def _as_refusal(problem: Answered) -> Exception:
    if problem.status in _REFUSED:
        return Refused(problem.message, "an image is changed by its owner or an administrator")
    return problem
