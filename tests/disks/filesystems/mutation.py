"""Volumes with a few bytes changed, and a walk over all that a reader finds on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.filesystems.interface import FileSystem, Kind, Mount, Node
from guestclock.disks.problem import DiskProblem
from guestclock.disks.source import FileSource, Memory, Paged, Source, check_range

LIMITS = Limits(max_read=32 << 20, timeout=10.0)
_NODES = 400
_READ = 1 << 16


class Patched:
    """The bytes of another Source, but for those at some positions."""

    def __init__(self, below: Source, patches: Sequence[tuple[int, bytes]]) -> None:
        self._below = below
        self._patches = patches

    @property
    def size(self) -> int:
        return self._below.size

    def read_at(self, offset: int, count: int) -> bytes:
        check_range(self, offset, count)
        data = bytearray(self._below.read_at(offset, count))
        for at, new in self._patches:
            first, last = max(at, offset), min(at + len(new), offset + count)
            if first < last:
                data[first - offset : last - offset] = new[first - at : last - at]
        return bytes(data)


class Large:
    """A volume that is too large to be held in memory."""

    def __init__(self, image: Path) -> None:
        self._file = image.open("rb")
        self._source = FileSource(self._file.fileno())

    @property
    def size(self) -> int:
        return self._source.size

    def read_at(self, offset: int, count: int) -> bytes:
        return self._source.read_at(offset, count)


def walk(files: FileSystem) -> dict[str, bytes | str | DiskProblem | None]:
    """All paths with what is there: contents, a link's text, None for a folder, or a problem."""
    found: dict[str, bytes | str | DiskProblem | None] = {}
    waiting: list[tuple[str, Node]] = [("", files.root())]
    seen = set()
    while waiting and len(found) < _NODES:
        path, node = waiting.pop()
        try:
            match node.kind:
                case Kind.FOLDER if node.key not in seen:
                    seen.add(node.key)
                    found[path] = None
                    for name, child in files.entries(node):
                        waiting.append((f"{path}/{name}", child))
                        if len(waiting) > _NODES:
                            break
                case Kind.FILE:
                    source = files.open(node)
                    found[path] = source.read_at(0, min(source.size, _READ))
                case Kind.LINK:
                    found[path] = files.target(node)
                case _:
                    found[path] = None
        except DiskProblem as problem:
            found[path] = problem
    return found


def survives(mount: Mount, volume: Source, paths: Sequence[str]) -> None:
    """Reads all of a volume, by walking and by name; nothing but DiskProblem is forgiven."""
    budget = Budget(LIMITS)
    paged = Paged(volume, budget)
    try:
        files = mount(paged, budget)
        if files is None:
            return
        walk(files)
        for path in paths:
            node: Node | None = files.root()
            for name in path.split("/"):
                node = files.lookup(node, name) if node else None
            if node and node.kind is Kind.FILE:
                source = files.open(node)
                source.read_at(0, min(source.size, _READ))
    except DiskProblem:
        return


def sparse(path: Path) -> Memory:
    """A small volume as a whole, in memory."""
    return Memory(path.read_bytes())


def in_use(path: Path, step: int = 512) -> list[int]:
    """Where the pieces of a volume begin that are not all zero: where a change can matter."""
    data = path.read_bytes()
    empty = bytes(step)
    return [at for at in range(0, len(data), step) if data[at : at + step] != empty]


def patches(places: Sequence[int], step: int = 512) -> st.SearchStrategy[list[tuple[int, bytes]]]:
    """A few changes in those places: single bytes, words of hostile numbers, runs of noise."""
    hostile = st.sampled_from(
        [
            number.to_bytes(width, order)
            for width in (2, 4, 8)
            for order in ("little", "big")
            for number in (0, 1, (1 << width * 8) - 1, 1 << width * 8 - 1)
        ]
    )
    new = st.one_of(st.binary(min_size=1, max_size=8), hostile, st.just(bytes(step)))
    place = st.tuples(st.sampled_from(list(places)), st.integers(0, step // 4 - 1))
    one = st.tuples(place.map(lambda pair: pair[0] + pair[1] * 4), new)
    return st.lists(one, min_size=1, max_size=4)


def opened(path: Path, mount: Mount, budget: Budget | None = None) -> FileSystem:
    """The file system of an image, through the page cache as in use."""
    budget = budget or Budget()
    # The descriptor lives as long as the test's process; images are small and few.
    descriptor = path.open("rb")
    _OPEN.append(descriptor)
    files = mount(Paged(FileSource(descriptor.fileno()), budget), budget)
    assert files is not None
    return files


_OPEN: list[object] = []
