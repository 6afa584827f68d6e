"""Lists of subkeys: of kinds lf and lh with hints, li without, and ri, a list of lists.

Rule: the regf specification, "Index leaf" to "Index root". Windows looks into no key whose hash or
hint does not fit, so a key with a wrong one is not there for it, nor is it here.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import iter_unpack

from guestclock.disks.fields import u16, u32
from guestclock.disks.problem import Damaged
from guestclock.disks.registry.cells import Cell, Cells
from guestclock.disks.registry.names import may_be, name_hash

_SMALLEST_KEY = 80
_WIDTHS = {b"lf": 8, b"lh": 8, b"li": 4}


def subkeys(cells: Cells, offset: int, count: int, name: str | None = None) -> Iterator[int]:
    """The offsets of subkeys, from the list at `offset`, which is to hold `count` of them.

    With a folded `name` only those that may have it. Raises Damaged.
    """
    if count > cells.bins.size // _SMALLEST_KEY:
        raise Damaged(f"a hive of {cells.bins.size} bytes cannot have {count} keys in one")
    cell = cells.cell(offset, "a list of keys")
    if cell.part(0, 2) != b"ri":
        if u16(cell.part(2, 2), 0) != count:
            raise Damaged(f"the list of keys at {offset} has not the {count} that its key states")
        yield from _leaf(cell, name)
        return
    lists = u16(cell.part(2, 2), 0)
    entries = cell.part(4, 4 * lists)
    seen = 0
    for place in range(lists):
        leaf = cells.cell(u32(entries, 4 * place), "a list of keys")
        seen += u16(leaf.part(2, 2), 0)
        if seen > count:
            break
        yield from _leaf(leaf, name)
    if seen != count:
        raise Damaged(f"the lists of keys at {offset} have not the {count} that their key states")


def _leaf(cell: Cell, name: str | None) -> Iterator[int]:
    kind = cell.part(0, 2)
    width = _WIDTHS.get(kind)
    if width is None:
        raise Damaged(f"the list of keys at {cell.offset} is of unknown kind {kind!r}")
    entries = cell.part(4, width * u16(cell.part(2, 2), 0))
    if kind == b"li":
        yield from (offset for (offset,) in iter_unpack("<I", entries))
    elif kind == b"lh" and name is not None:
        yield from _with_hash(entries, name_hash(name).to_bytes(4, "little"))
    else:
        for offset, hint in iter_unpack("<I4s", entries):
            if name is None or may_be(hint, name):
                yield offset


def _with_hash(entries: bytes, wanted: bytes) -> Iterator[int]:
    """The offsets beside that hash. A list has thousands of them, and one search finds it."""
    at = entries.find(wanted)
    while at >= 0:
        if at % 8 == 4:
            yield u32(entries, at - 4)
        at = entries.find(wanted, at + 1)
