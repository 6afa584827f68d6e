"""A file system in memory: what readers of systems are tried on without a disk."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import Kind, Node
from guestclock.disks.source import Memory, Source
from guestclock.disks.tree import Tree
from tests.disks.builders.tree import Files, Link


class MemoryFiles:
    """Files by path; `folded` takes names in any case, as NTFS does."""

    name = "memory"
    label = ""
    warnings: tuple[str, ...] = ()

    def __init__(self, files: Files, folded: bool = False) -> None:
        self._folded = folded
        self._nodes: dict[str, bytes | Link | None] = {"": None}
        for path, content in files.items():
            parts = path.rstrip("/").split("/")
            for count in range(1, len(parts)):
                self._nodes.setdefault("/".join(parts[:count]), None)
            self._nodes["/".join(parts)] = None if path.endswith("/") else content

    def root(self) -> Node:
        return Node(Kind.FOLDER, 0, "")

    def lookup(self, folder: Node, name: str) -> Node | None:
        for entry, node in self.entries(folder):
            if entry == name or (self._folded and entry.upper() == name.upper()):
                return node
        return None

    def entries(self, folder: Node) -> Iterator[tuple[str, Node]]:
        start = f"{folder.key}/" if folder.key else ""
        for path, content in self._nodes.items():
            name = path[len(start) :]
            if path and path.startswith(start) and "/" not in name:
                yield name, self._node(path, content)

    def target(self, link: Node) -> str:
        content = self._nodes[link.key]
        assert isinstance(content, Link)
        return content.target

    def open(self, file: Node) -> Source:
        content = self._nodes[file.key]
        assert isinstance(content, bytes)
        return Memory(content)

    def _node(self, path: str, content: bytes | Link | None) -> Node:
        match content:
            case None:
                return Node(Kind.FOLDER, 0, path)
            case Link(target):
                return Node(Kind.LINK, len(target), path)
            case _:
                return Node(Kind.FILE, len(content), path)


def tree_of(files: Files, folded: bool = False) -> Tree:
    """A tree of those files."""
    return Tree(MemoryFiles(files, folded), Budget())
