"""Values of a key: their names, types and data, which are read when they are asked for.

Rule: the regf specification, "Key value" and "Big data".
"""

from __future__ import annotations

from guestclock.disks.fields import u16, u32
from guestclock.disks.problem import Damaged, OverLimit
from guestclock.disks.registry.cells import Cell, Cells
from guestclock.disks.registry.names import stored_name

REG_SZ, REG_EXPAND_SZ, REG_DWORD, REG_DWORD_BIG_ENDIAN, REG_MULTI_SZ = 1, 2, 4, 5, 7

_TYPES = (
    "REG_NONE",
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_BINARY",
    "REG_DWORD",
    "REG_DWORD_BIG_ENDIAN",
    "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST",
    "REG_FULL_RESOURCE_DESCRIPTOR",
    "REG_RESOURCE_REQUIREMENTS_LIST",
    "REG_QWORD",
)
_INLINE = 1 << 31
_SEGMENT = 16344
_NARROW, _DELETED = 1, 2


class Value:
    """One value. `name` is empty for the default one; `type` is a mere label of the data."""

    __slots__ = ("_cell", "_cells", "_data", "deleted", "name", "type")

    def __init__(self, cells: Cells, offset: int) -> None:
        cell = cells.cell(offset, "a value")
        head = cell.part(0, 20)
        if head[:2] != b"vk":
            raise Damaged(f"no value is at {offset}, but {head[:2]!r}")
        flags = u16(head, 16)
        self._cells = cells
        self._cell: Cell = cell
        self._data: bytes | None = None
        self.name = stored_name(cell.part(20, u16(head, 2)), bool(flags & _NARROW))
        self.type = u32(head, 12)
        # Only layered hives, of version 1.6, have values that stand for their absence.
        self.deleted = cells.minor >= 6 and bool(flags & _DELETED)

    @property
    def type_name(self) -> str:
        """Such as REG_DWORD, or the number where it has no name."""
        return _TYPES[self.type] if self.type < len(_TYPES) else f"type {self.type:#x}"

    @property
    def data(self) -> bytes:
        """All of it, as it is stored. Raises Damaged; OverLimit above `Limits.file` bytes."""
        if self._data is None:
            self._data = self._read()
        return self._data

    def dword(self) -> int | None:
        """The number of a REG_DWORD or REG_DWORD_BIG_ENDIAN, None for other types or less data."""
        data = self.data[:4]
        if len(data) < 4 or self.type not in (REG_DWORD, REG_DWORD_BIG_ENDIAN):
            return None
        return int.from_bytes(data, "little" if self.type == REG_DWORD else "big")

    def signed(self) -> int | None:
        """The same as two's complement, as biases are stored."""
        number = self.dword()
        return None if number is None else (number ^ 1 << 31) - (1 << 31)

    def text(self) -> str | None:
        """The text of a REG_SZ or REG_EXPAND_SZ up to its first NUL, None for other types.

        Half a character at its end is dropped, half surrogates become U+FFFD.
        """
        if self.type not in (REG_SZ, REG_EXPAND_SZ):
            return None
        return _decoded(self.data).partition("\0")[0]

    def texts(self) -> list[str]:
        """The texts of a REG_MULTI_SZ up to the first empty one; none for other types."""
        if self.type != REG_MULTI_SZ:
            return []
        texts = _decoded(self.data).split("\0")
        return texts[: texts.index("")] if "" in texts else texts

    def _read(self) -> bytes:
        size, place = u32(self._cell.part(4, 4), 0), self._cell.part(8, 4)
        if size & _INLINE:
            if size - _INLINE > 4:
                raise Damaged(f"the value {self.name[:60]!r} has {size - _INLINE} bytes in four")
            return place[: size - _INLINE]
        if size > self._cells.budget.limits.file:
            raise OverLimit(f"the value {self.name[:60]!r} has {size} bytes")
        if not size:
            return b""
        cell = self._cells.cell(u32(place, 0), "a value's data")
        if size > _SEGMENT and self._cells.minor > 3 and cell.size < size:
            return self._joined(cell, size)
        return cell.part(0, size)

    def _joined(self, cell: Cell, size: int) -> bytes:
        """Data in segments, each of them but the last as large as it may be."""
        count = u16(cell.part(2, 2), 0)
        if cell.part(0, 2) != b"db" or count != -(-size // _SEGMENT):
            raise Damaged(f"the value {self.name[:60]!r} has not {size} bytes")
        places = self._cells.cell(u32(cell.part(4, 4), 0), "a list of segments").part(0, 4 * count)
        parts: list[bytes] = []
        for number in range(count):
            segment = self._cells.cell(u32(places, 4 * number), "a segment of data")
            parts.append(segment.part(0, min(_SEGMENT, size - number * _SEGMENT)))
        return b"".join(parts)


def _decoded(data: bytes) -> str:
    return data[: len(data) & ~1].decode("utf-16-le", "replace")
