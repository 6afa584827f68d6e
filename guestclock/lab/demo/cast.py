"""Who plays: a Windows and a Linux guest, each from images with several values of os_type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guestclock.lab.guests.disk import Kind

ZONE = "Asia/Shanghai"
"""Where hosts and guests are: eight hours ahead of UTC all year, so that nothing is confused."""

Cure = Literal["rebuild", "registry", "new server"]


@dataclass(frozen=True, slots=True)
class Actor:
    """One server of the play.

    `os_type` is its image's at first, `right_os_type` what the image is corrected to; both the
    same, and no cure, where nothing is wrong.
    """

    name: str
    kind: Kind
    os_type: str | None
    right_os_type: str | None
    cure: Cure | None = None

    @property
    def system(self) -> str:
        """What its guest stands for."""
        return "Windows" if self.kind == "windows" else "Linux"

    @property
    def image(self) -> str:
        """The image it is made of."""
        return f"{self.name}-image"

    @property
    def property(self) -> str:
        """The image's property as it is at first."""
        return "no os_type" if self.os_type is None else f"os_type={self.os_type}"


CAST = (
    Actor("win1", "windows", None, "windows", "rebuild"),
    Actor("win2", "windows", "windows", "windows"),
    Actor("win3", "windows", "Windows", "windows", "registry"),
    Actor("lin1", "utc", None, None),
    Actor("lin2", "utc", "linux", "linux"),
    Actor("lin3", "utc", "windows", "linux", "new server"),
)
