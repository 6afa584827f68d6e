"""Which machines were read already, in some 20 bytes a machine.

A fleet of 200,000 definitions is read in flat memory, and a dict of their ids and paths alone
would take 60 MB; yet a definition that is there twice has to be found, and its twin named.
"""

from __future__ import annotations

import zlib
from array import array
from functools import lru_cache

_BLOCK = 256
_BUCKETS = 1 << 14


class Paths:
    """A list of paths that is appended to and seldom read: compressed in blocks."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._last: list[str] = []
        self._block = lru_cache(maxsize=4)(self._unpack)

    def append(self, path: str) -> int:
        """Keeps a path and gives its number; the same path twice in a row is one."""
        if not self._last or self._last[-1] != path:
            if len(self._last) == _BLOCK:
                text = "\0".join(self._last).encode("utf-8", "surrogateescape")
                self._blocks.append(zlib.compress(text, 1))
                self._last = []
            self._last.append(path)
        return len(self._blocks) * _BLOCK + len(self._last) - 1

    def __getitem__(self, number: int) -> str:
        block, place = divmod(number, _BLOCK)
        return self._last[place] if block == len(self._blocks) else self._block(block)[place]

    def _unpack(self, block: int) -> list[str]:
        text = zlib.decompress(self._blocks[block])
        return text.decode("utf-8", "surrogateescape").split("\0")


class Seen:
    """Ids and where each was read first; ids are kept as 64-bit hashes, salted anew each run."""

    def __init__(self) -> None:
        self._paths = Paths()
        self._hashes: dict[int, array[int]] = {}
        self._numbers: dict[int, array[int]] = {}

    def first(self, identity: str, path: str) -> str | None:
        """The path under which that id was read before; None, and it is kept, if never."""
        digest = hash(identity)
        bucket = digest % _BUCKETS
        hashes = self._hashes.get(bucket)
        if hashes is None:
            hashes = self._hashes[bucket] = array("q")
            self._numbers[bucket] = array("I")
        if digest in hashes:
            return self._paths[self._numbers[bucket][hashes.index(digest)]]
        hashes.append(digest)
        self._numbers[bucket].append(self._paths.append(path))
        return None
