"""An image of Glance as a Source: signs in with openstacksdk, and asks for parts of the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from guestclock.disks.problem import Unreachable
from guestclock.disks.remote.ranges import Answer, opened
from guestclock.errors import Unreadable, UsageProblem
from guestclock.platforms.openstack.api_config import cloud_region
from guestclock.platforms.openstack.api_session import Session

if TYPE_CHECKING:
    from guestclock.disks.budget import Budget
    from guestclock.disks.source import Source

_NO_DATA = 204
_PIECE = 1 << 16
_ID = re.compile(r"glance:([0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})")


def glance_source(image: str, cloud: str | None) -> Callable[[Budget], Source]:
    """What opens the image called `glance:ID`; asks nobody before.

    Raises UsageProblem for what is no such name, and for a cloud that is not configured.
    """
    found = _ID.fullmatch(image)
    if not found:
        raise UsageProblem(
            f"{image!r} names no image", "write glance: and the image's id, not its name"
        )
    glance = _glance(cloud or "")
    return lambda budget: opened(_Data(glance, found[1]), budget)


@cache
def _glance(cloud: str) -> Glance:
    # The configuration is looked at now: a wrong name of a cloud is no trouble of an image.
    return Glance(cloud, cloud_region(cloud))


class Glance(Session):
    """Glance of one cloud: signed in to once, with the first image."""

    _is_signed_in = False

    @contextmanager
    def part(self, image: str, first: int, last: int, patience: float) -> Iterator[Answer]:
        """The answer for a part of an image's data. Raises Unreadable, OSError."""
        if not self._is_signed_in:
            self.connect()
            self._is_signed_in = True
        with self._failing(f"GET images/{image}/file"):
            adapter, endpoint = self._adapter("image")
            before = "" if re.search(r"/v\d[^/]*/?$", endpoint) else "/v2"
            response = adapter.get(
                f"{before}/images/{image}/file",
                headers={
                    "Accept": "application/octet-stream",
                    "Accept-Encoding": "identity",
                    "Range": f"bytes={first}-{last}",
                },
                raise_exc=False,
                stream=True,
                timeout=max(patience, 0.1),
            )
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            yield Answer(response.status_code, headers, response.iter_content(_PIECE))
        finally:
            response.close()


class _Data:
    """One image's data, asked for in parts."""

    def __init__(self, glance: Glance, image: str) -> None:
        self._glance = glance
        self._image = image

    @contextmanager
    def get(self, first: int, last: int, patience: float) -> Iterator[Answer]:
        """The answer for bytes `first` to `last`. Raises Unreachable."""
        try:
            with self._glance.part(self._image, first, last, patience) as answer:
                if answer.status == _NO_DATA:
                    raise Unreachable("Glance has no data for it: is it active?")
                yield answer
        except Unreadable as problem:
            raise Unreachable(problem.message) from None
        except OSError as problem:
            # The errors of requests, whose words repeat addresses and what a server said.
            raise Unreachable(f"reading from Glance: {type(problem).__name__}") from None
