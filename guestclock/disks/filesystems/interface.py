"""What every file system reader gives: nodes, looked up by name, and their contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple, Protocol, TypeAlias

from guestclock.disks.budget import Budget
from guestclock.disks.source import Source


class Kind(Enum):
    """What a node is; a device, a pipe or a socket is `OTHER` and is never opened."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


class Node(NamedTuple):
    """A file, a folder or a link inside one file system.

    `key` is the reader's own: equal for the same node, hashable. `size` is in bytes. `modified`
    is when it was last written, in seconds since 1970, None where the reader does not know.
    """

    kind: Kind
    size: int
    key: Any
    modified: int | None = None


class FileSystem(Protocol):
    """A file system, read only as far as it is asked. Each call raises DiskProblem at most."""

    @property
    def name(self) -> str:
        """What it is called: ntfs, ext4, xfs, btrfs, ufs2, fat32, exfat."""
        ...

    @property
    def label(self) -> str:
        """The volume's own label, empty where it has none."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know, such as a journal that was not replayed; one line each."""
        ...

    def root(self) -> Node:
        """The folder that all paths start from."""
        ...

    def lookup(self, folder: Node, name: str) -> Node | None:
        """What a folder has under a name, None if nothing; by the file system's own rule of case.

        Never called with ".", ".." or an empty name.
        """
        ...

    def entries(self, folder: Node) -> Iterator[tuple[str, Node]]:
        """All that a folder has but "." and "..", in its own order."""
        ...

    def target(self, link: Node) -> str:
        """The text of a symbolic link."""
        ...

    def open(self, file: Node) -> Source:
        """The contents of a file, read on demand."""
        ...


Mount: TypeAlias = Callable[[Source, Budget], FileSystem | None]
"""What each reader's module has as `mount`: the file system on a volume, None where there is
none of its kind. Raises DiskProblem where there is one and it cannot be read."""
