"""Keys: looked up by path, never further than the cells on it.

Rule: the regf specification, "Key node".
"""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.fields import u16, u32, u64
from guestclock.disks.problem import Damaged, OverLimit, RefusedReference
from guestclock.disks.registry.cells import Cells
from guestclock.disks.registry.names import folded, stored_name
from guestclock.disks.registry.subkeys import subkeys
from guestclock.disks.registry.values import Value

_LINK, _NARROW, _PREDEFINED = 0x10, 0x20, 0x40
_TICKS = 10_000_000
_SINCE_1601 = 11_644_473_600
_LAST_SECOND = 253_402_300_799


class Key:
    """One key. `link` says that it stands for another key, which its SymbolicLinkValue names."""

    __slots__ = ("_cells", "_head", "link", "name")

    def __init__(self, cells: Cells, offset: int) -> None:
        cell = cells.cell(offset, "a key")
        head = cell.part(0, 76)
        if head[:2] != b"nk":
            raise Damaged(f"no key is at {offset}, but {head[:2]!r}")
        flags = u16(head, 2)
        self._cells = cells
        self._head = head
        self.name = stored_name(cell.part(76, u16(head, 72)), bool(flags & _NARROW))
        self.link = bool(flags & _LINK)

    @property
    def written(self) -> int:
        """When it was last written, in seconds since 1970; from 1601 to the end of year 9999."""
        return min(u64(self._head, 4) // _TICKS - _SINCE_1601, _LAST_SECOND)

    def key(self, path: str) -> Key | None:
        """The key at a path below, of names in any case between backslashes or slashes.

        None if there is none. Raises Damaged; RefusedReference for a symbolic link on the way or
        at its end, whose target may be in another hive.
        """
        here = self
        parts = [one for one in path.replace("/", "\\").split("\\") if one]
        if len(parts) > self._cells.budget.limits.depth:
            raise OverLimit(f"{path[:60]!r} has {len(parts)} parts")
        for part in parts:
            below = here.child(part)
            if below is None:
                return None
            if below.link:
                raise RefusedReference(f"the key {part[:60]!r} is a link, which is not followed")
            here = below
        return here

    def child(self, name: str) -> Key | None:
        """The subkey of that name, links as they are. Raises Damaged."""
        wanted = folded(name)
        for offset in self._offsets(wanted):
            key = Key(self._cells, offset)
            if folded(key.name) == wanted:
                return key
        return None

    def keys(self) -> Iterator[Key]:
        """All subkeys, links as they are. Raises Damaged."""
        for offset in self._offsets(None):
            yield Key(self._cells, offset)

    def value(self, name: str) -> Value | None:
        """The value of that name, in any case; an empty name is the default value's."""
        wanted = folded(name)
        return next((one for one in self.values() if folded(one.name) == wanted), None)

    def values(self) -> Iterator[Value]:
        """All values. Raises Damaged."""
        count = u32(self._head, 36)
        # A predefined handle has the handle where others have the number of their values.
        if not count or u16(self._head, 2) & _PREDEFINED:
            return
        places = self._cells.cell(u32(self._head, 40), "a list of values").part(0, 4 * count)
        for at in range(0, len(places), 4):
            value = Value(self._cells, u32(places, at))
            if not value.deleted:
                yield value

    def _offsets(self, name: str | None) -> Iterator[int]:
        count = u32(self._head, 20)
        if count:
            yield from subkeys(self._cells, u32(self._head, 28), count, name)
