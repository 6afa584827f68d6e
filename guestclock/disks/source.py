"""A Source: bytes of known size that are read by position, whatever they lie in.

A file, a container's virtual disk, a partition, a file inside a file system are all Sources, one
over the other; readers of any layer see nothing else.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from guestclock.disks.budget import Budget
from guestclock.disks.problem import Damaged, Unreachable

PAGE = 1024
_PAGES = 4096


class Source(Protocol):
    """Bytes that are read by position. Nothing is ever written."""

    @property
    def size(self) -> int:
        """In bytes; what the lower layer says, which a hostile image may have chosen."""
        ...

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem: Damaged beyond the end.

        `count` is what a reader needs at once (a record, a block), never a size that an image
        chose freely.
        """
        ...


def check_range(source: Source, offset: int, count: int) -> None:
    """Raises Damaged where a range is not wholly inside."""
    if offset < 0 or count < 0 or offset + count > source.size:
        raise Damaged(f"{count} bytes at {offset} lie beyond the {source.size} that there are")


def read_parts(source: Source, offset: int, count: int, part: Callable[[int, int], bytes]) -> bytes:
    """A `read_at` for bytes that lie in pieces: exactly `count` at `offset`, piece after piece.

    `part` is given a position and how many bytes are wanted from there on, and gives the first of
    them, at least one: all that lie in one place. Raises Damaged beyond the end.
    """
    check_range(source, offset, count)
    parts: list[bytes] = []
    while count:
        data = part(offset, count)
        # Whatever an image has a reader give, this ends, and with exactly what was asked for.
        if not 0 < len(data) <= count:
            raise Damaged(f"{len(data)} bytes come at {offset} for {count}")
        parts.append(data)
        offset += len(data)
        count -= len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def stands_at(source: Source, at: int, magic: bytes) -> bool:
    """Whether these bytes are at that place. Raises DiskProblem."""
    return source.size >= at + len(magic) and source.read_at(at, len(magic)) == magic


class Memory:
    """A Source of bytes at hand."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self._data)

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises Damaged."""
        check_range(self, offset, count)
        return self._data[offset : offset + count]


class Window:
    """A part of another Source: a partition, a member of an array."""

    def __init__(self, below: Source, start: int, size: int) -> None:
        if start < 0 or size < 0 or start > below.size:
            raise Damaged(f"a part of {size} bytes at {start} lies beyond {below.size} bytes")
        self._below = below
        self._start = start
        self._size = size

    @property
    def size(self) -> int:
        """In bytes; may be more than the lower Source has, where an image was cut short."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises Damaged."""
        check_range(self, offset, count)
        return self._below.read_at(self._start + offset, count)


class Paged:
    """Pages of a slower Source, kept while they are used; what is read is paid from the budget.

    A read that spans several missing pages asks for them at once.
    """

    def __init__(self, below: Source, budget: Budget, page: int = PAGE) -> None:
        self._below = below
        self._budget = budget
        self._page = page
        self._pages: OrderedDict[int, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        """In bytes."""
        return self._below.size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        check_range(self, offset, count)
        if count == 0:
            return b""
        first, last = offset // self._page, (offset + count - 1) // self._page
        self._fetch(first, last)
        parts = [self._kept(number) for number in range(first, last + 1)]
        start = offset - first * self._page
        data = parts[0] if first == last else b"".join(parts)
        while len(self._pages) > _PAGES:
            self._pages.popitem(last=False)
        return data[start : start + count]

    def _kept(self, number: int) -> bytes:
        self._pages.move_to_end(number)
        return self._pages[number]

    def _fetch(self, first: int, last: int) -> None:
        number = first
        while number <= last:
            if number in self._pages:
                number += 1
                continue
            end = number
            while end < last and end + 1 not in self._pages:
                end += 1
            self._read(number, end)
            number = end + 1

    def _read(self, first: int, last: int) -> None:
        start = first * self._page
        count = min((last + 1) * self._page, self._below.size) - start
        self._budget.spend(count)
        data = self._below.read_at(start, count)
        for number in range(first, last + 1):
            at = (number - first) * self._page
            self._pages[number] = data[at : at + self._page]


class FileSource:
    """An open file or block device, by its descriptor, which stays the caller's to close."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        try:
            # Of a block device `stat` says 0.
            self._size = os.lseek(descriptor, 0, os.SEEK_END)
        except OSError as problem:
            raise Unreachable(f"its size cannot be had: {problem.strerror}") from None

    @property
    def size(self) -> int:
        """In bytes, as it was when it was opened."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises Damaged, Unreachable."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        try:
            data = os.pread(self._descriptor, count, offset)
        except OSError as problem:
            raise Unreachable(f"reading at {offset}: {problem.strerror}") from None
        if not data:
            raise Unreachable(f"nothing comes at {offset}: the file was cut short meanwhile")
        return data
