"""What the readers of containers share: the other files that an image names, if any may be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from guestclock.disks.budget import Budget
from guestclock.disks.problem import RefusedReference
from guestclock.disks.source import Source


class References(Protocol):
    """The only way to a file that an image names. Whoever gives it decides what may be opened."""

    name: str
    """The image's own file name, without its folder."""

    def backing(self, name: str, form: str | None) -> Source:
        """The *virtual disk* of a backing file or parent, whose format is believed where given.

        Raises RefusedReference unless the user asked for it (`--follow-backing`) and it lies in a
        folder that is allowed; OverLimit where a chain is too long or bites its tail.
        """
        ...

    def part(self, name: str) -> Source:
        """The bytes of a file that holds a part of this image: an extent, a data file.

        Raises RefusedReference: without being asked only a bare name in the image's own folder
        that begins with the image's own (disk.vmdk: disk-flat.vmdk) is opened.
        """
        ...


class NoReferences:
    """For an image that comes alone: whatever it names is refused."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def backing(self, name: str, form: str | None) -> Source:
        """Raises RefusedReference, always."""
        raise RefusedReference(f"it needs the file {name[:120]!r}, which is not opened for it")

    def part(self, name: str) -> Source:
        """Raises RefusedReference, always."""
        raise RefusedReference(f"it needs the file {name[:120]!r}, which is not opened for it")


Open: TypeAlias = Callable[[Source, References, Budget], Source]
"""What each reader's module has as `open_disk`: the virtual disk in a file of that format.
Raises DiskProblem."""
