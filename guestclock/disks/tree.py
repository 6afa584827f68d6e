"""Paths inside a file system: looked up name by name, links followed, never out of its root."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import FileSystem, Kind, Node
from guestclock.disks.problem import Damaged, OverLimit
from guestclock.disks.source import Source


class Tree:
    """The files of one system. `base` is the folder that is its root, where that is not the
    file system's own: a deployment of ostree, a subvolume.
    """

    def __init__(self, files: FileSystem, budget: Budget, base: str = "") -> None:
        self.files = files
        self.budget = budget
        self.base = base
        self._root = files.root()
        if base:
            found = self.find(base)
            if found is None or found.kind is not Kind.FOLDER:
                raise Damaged(f"{base} is no folder")
            self._root = found

    def find(self, path: str, follow: bool = True) -> Node | None:
        """What is at a path, None if nothing; a link at its end is followed unless told not to.

        Absolute links start at the root of the tree and ".." stops there. A link to nothing is
        nothing. Raises Damaged for a loop of links, OverLimit for a path too deep.
        """
        found = self.resolve(path, follow)
        return found[1] if found else None

    def resolve(self, path: str, follow: bool = True) -> tuple[str, Node] | None:
        """The same with the path that it comes to, without links."""
        limits = self.budget.limits
        waiting = path.split("/")[::-1]
        above: list[tuple[str, Node]] = []
        links = steps = 0
        while waiting:
            name = waiting.pop()
            steps += 1
            if steps > limits.depth or len(waiting) > limits.depth:
                raise OverLimit(f"{path[:60]!r} has more than {limits.depth} parts")
            if name in ("", "."):
                continue
            if name == "..":
                if above:
                    above.pop()
                continue
            here = above[-1][1] if above else self._root
            if here.kind is not Kind.FOLDER:
                return None
            node = self.files.lookup(here, name)
            if node is None:
                return None
            if node.kind is Kind.LINK and (waiting or follow):
                links += 1
                if links > limits.links:
                    raise Damaged(f"{path[:60]!r} leads through more than {limits.links} links")
                target = self.files.target(node)
                if target.startswith("/"):
                    above.clear()
                waiting.extend(target.split("/")[::-1])
                continue
            above.append((name, node))
        if not above:
            return "", self._root
        return "/".join(name for name, _ in above), above[-1][1]

    def target(self, path: str) -> str | None:
        """The text of the link at a path, None where there is no link."""
        node = self.find(path, follow=False)
        return self.files.target(node) if node and node.kind is Kind.LINK else None

    def open(self, path: str) -> Source | None:
        """The file at a path, None where there is none."""
        node = self.find(path)
        return self.files.open(node) if node and node.kind is Kind.FILE else None

    def read(self, path: str, limit: int | None = None) -> bytes | None:
        """A small file as a whole, None where there is none. Raises OverLimit for a larger one."""
        limit = self.budget.limits.file if limit is None else limit
        source = self.open(path)
        if source is None:
            return None
        if source.size > limit:
            raise OverLimit(f"{path} has {source.size} bytes, more than the {limit} that are read")
        return source.read_at(0, source.size)

    def text(self, path: str, limit: int | None = None) -> str | None:
        """The same as text; what is not UTF-8 is replaced."""
        data = self.read(path, limit)
        return None if data is None else data.decode("utf-8", "replace")

    def entries(self, path: str) -> Iterator[tuple[str, Node]]:
        """What the folder at a path has; nothing where there is none."""
        node = self.find(path)
        if node and node.kind is Kind.FOLDER:
            yield from self.files.entries(node)
