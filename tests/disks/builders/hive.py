"""Registry hives and their transaction logs, written from nothing.

`make_hive(tree({"Select": [dword("Current", 1)]}))` is a whole hive; `make_log(old, new)` gives
the same hive as it lies on the disk before its log was applied, and the log.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from guestclock.disks.registry.marvin32 import marvin32

REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD = 1, 2, 3, 4
REG_DWORD_BIG_ENDIAN, REG_LINK, REG_MULTI_SZ, REG_QWORD = 5, 6, 7, 11

PAGE, SECTOR, SEGMENT = 4096, 512, 16344
WRITTEN = 0x01DB_0000_0000_0000
"""When keys say they were written: in August 2024, in Windows' ticks of 100 ns since 1601."""

_NONE = 0xFFFFFFFF


@dataclass(frozen=True)
class Value:
    """A value as it is stored; an empty name is the key's default value."""

    name: str
    type: int
    data: bytes


@dataclass(frozen=True)
class Key:
    """A key. `link` makes it a symbolic link, whose target is its SymbolicLinkValue."""

    name: str
    values: Sequence[Value] = ()
    keys: Sequence[Key] = ()
    link: bool = False
    written: int = WRITTEN


def dword(name: str, number: int) -> Value:
    """A REG_DWORD; negative numbers as two's complement."""
    return Value(name, REG_DWORD, struct.pack("<I", number & 0xFFFFFFFF))


def qword(name: str, number: int) -> Value:
    """A REG_QWORD."""
    return Value(name, REG_QWORD, struct.pack("<Q", number & (1 << 64) - 1))


def sz(name: str, text: str) -> Value:
    """A REG_SZ with its NUL."""
    return Value(name, REG_SZ, utf16(text + "\0"))


def expand(name: str, text: str) -> Value:
    """A REG_EXPAND_SZ with its NUL."""
    return Value(name, REG_EXPAND_SZ, utf16(text + "\0"))


def multi(name: str, texts: Sequence[str]) -> Value:
    """A REG_MULTI_SZ."""
    return Value(name, REG_MULTI_SZ, utf16("".join(f"{one}\0" for one in texts) + "\0"))


def binary(name: str, data: bytes) -> Value:
    """A REG_BINARY."""
    return Value(name, REG_BINARY, data)


def link(name: str, target: str) -> Key:
    """A symbolic link, such as CurrentControlSet of a running system."""
    value = Value("SymbolicLinkValue", REG_LINK, utf16(target))
    return Key(name, (value,), link=True)


def utf16(text: str) -> bytes:
    """A text as the registry has it; lone surrogates stay what they are."""
    return text.encode("utf-16-le", "surrogatepass")


def tree(paths: Mapping[str, Sequence[Value]], root: str = "ROOT") -> Key:
    """The key that holds all those paths (with backslashes) and their values."""
    inside: dict[str, dict[str, Sequence[Value]]] = {}
    for path, values in paths.items():
        first, _, rest = path.partition("\\")
        if first:
            inside.setdefault(first, {})[rest] = values
    keys = tuple(tree(below, name) for name, below in inside.items())
    return Key(root, tuple(paths.get("", ())), keys)


@dataclass
class _Cells:
    """Cells one after the other in hbins; a cell never spans two of them."""

    data: bytearray = field(default_factory=bytearray)
    at: int = 0
    end: int = 0

    def add(self, content: bytes) -> int:
        """Puts a cell down and gives its offset."""
        size = 4 + len(content) + 7 & ~7
        if self.at + size > self.end:
            self._begin(size)
        place = self.at
        struct.pack_into("<i", self.data, place, -size)
        self.data[place + 4 : place + 4 + len(content)] = content
        self.at += size
        return place

    def put(self, cell: int, at: int, *numbers: int) -> None:
        """Writes 32-bit numbers into a cell that is there."""
        struct.pack_into(f"<{len(numbers)}I", self.data, cell + 4 + at, *numbers)

    def finish(self) -> None:
        """Makes what is left of the last hbin a free cell."""
        if self.at < self.end:
            struct.pack_into("<i", self.data, self.at, self.end - self.at)

    def _begin(self, size: int) -> None:
        self.finish()
        room = 32 + size + PAGE - 1 & -PAGE
        self.data += struct.pack("<4sII8xQI", b"hbin", self.end, room, WRITTEN, 0).ljust(
            room, b"\0"
        )
        self.at, self.end = self.end + 32, self.end + room


@dataclass(frozen=True)
class _Writer:
    cells: _Cells
    lists: str
    minor: int
    wide: bool
    leaf: int

    def key(self, key: Key, parent: int | None, security: int | None) -> int:
        """Writes a key and all below it; the key's own cell comes first."""
        name, narrow = self._name(key.name)
        flags = 0x20 * narrow | 0x10 * key.link | 0x0C * (parent is None)
        head = struct.pack("<2sHQII", b"nk", flags, key.written, 0, parent or 0)
        numbers = (len(key.keys), 0, _NONE, _NONE, len(key.values), _NONE, 0, _NONE)
        head += struct.pack("<8I", *numbers)
        longest = max((2 * len(one.name) for one in key.keys), default=0)
        value_name = max((2 * len(one.name) for one in key.values), default=0)
        value_data = max((len(one.data) for one in key.values), default=0)
        head += struct.pack("<5IHH", longest, 0, value_name, value_data, 0, len(name), 0)
        cell = self.cells.add(head + name)
        if security is None:
            security = self._security()
        self.cells.put(cell, 44, security)
        if key.values:
            offsets = [self.value(one) for one in key.values]
            self.cells.put(cell, 40, self.cells.add(struct.pack(f"<{len(offsets)}I", *offsets)))
        if key.keys:
            entries = [
                (one.name, self.key(one, cell, security))
                for one in sorted(key.keys, key=lambda one: one.name.upper())
            ]
            self.cells.put(cell, 28, self._list(entries))
        return cell

    def value(self, value: Value) -> int:
        """Writes a value and its data."""
        name, narrow = self._name(value.name)
        size = len(value.data)
        if size <= 4:
            inline = int.from_bytes(value.data, "little")
            size, place = size | 1 << 31, inline
        elif size > SEGMENT and self.minor > 3:
            place = self._big(value.data)
        else:
            place = self.cells.add(value.data)
        head = struct.pack("<2sHIIIHH", b"vk", len(name), size, place, value.type, narrow, 0)
        return self.cells.add(head + name)

    def _name(self, name: str) -> tuple[bytes, bool]:
        if not self.wide:
            try:
                return name.encode("latin-1"), True
            except UnicodeEncodeError:
                pass
        return utf16(name), False

    def _security(self) -> int:
        descriptor = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)
        cell = self.cells.add(struct.pack("<2sHIIII", b"sk", 0, 0, 0, 1, 20) + descriptor)
        self.cells.put(cell, 4, cell, cell)
        return cell

    def _big(self, data: bytes) -> int:
        parts = [data[at : at + SEGMENT] for at in range(0, len(data), SEGMENT)]
        offsets = [self.cells.add(one) for one in parts]
        inside = self.cells.add(struct.pack(f"<{len(offsets)}I", *offsets))
        return self.cells.add(struct.pack("<2sHI4x", b"db", len(offsets), inside))

    def _list(self, entries: Sequence[tuple[str, int]]) -> int:
        if not self.lists.startswith("ri"):
            return self._leaf(self.lists, entries)
        kind = self.lists.partition("-")[2] or "lh"
        parts = [entries[at : at + self.leaf] for at in range(0, len(entries), self.leaf)]
        offsets = [self._leaf(kind, one) for one in parts]
        return self.cells.add(struct.pack(f"<2sH{len(offsets)}I", b"ri", len(offsets), *offsets))

    def _leaf(self, kind: str, entries: Sequence[tuple[str, int]]) -> int:
        content = struct.pack("<2sH", kind.encode(), len(entries))
        for name, cell in entries:
            content += struct.pack("<I", cell)
            match kind:
                case "lh":
                    content += struct.pack("<I", name_hash(name))
                case "lf":
                    content += name.encode("latin-1", "ignore")[:4].ljust(4, b"\0")
        return self.cells.add(content)


def name_hash(name: str) -> int:
    """The hash of a list of kind lh, over UTF-16 units in upper case."""
    number = 0
    upper = "".join(one.upper() if len(one.upper()) == 1 else one for one in name)
    for (unit,) in struct.iter_unpack("<H", utf16(upper)):
        number = number * 37 + unit & 0xFFFFFFFF
    return number


def make_hive(
    root: Key,
    lists: str = "lh",
    minor: int = 5,
    wide: bool = False,
    sequence: tuple[int, int] = (1, 1),
    leaf: int = 3,
) -> bytes:
    """A hive of one tree of keys.

    `lists` is the kind of the lists of subkeys: lf, lh, li, ri (of lh), ri-li, ri-lf, where `leaf`
    keys stand in each of the lists below. Unequal numbers in `sequence` make a hive dirty. `wide`
    spells all names in UTF-16. Data over 16344 bytes is in segments, from minor version 4 on.
    """
    cells = _Cells()
    first = _Writer(cells, lists, minor, wide, leaf).key(root, None, None)
    cells.finish()
    return base_block(len(cells.data), first, minor, sequence) + bytes(cells.data)


def base_block(
    size: int, root: int, minor: int = 5, sequence: tuple[int, int] = (1, 1), kind: int = 0
) -> bytes:
    """The first 4096 bytes; `kind` is 0 for a hive, 1 for an old log, 6 for a new one."""
    head = struct.pack(
        "<4sIIQIIIIIII", b"regf", *sequence, WRITTEN, 1, minor, kind, 1, root, size, 1
    )
    return sealed(head.ljust(PAGE, b"\0"))


def sealed(hive: bytes) -> bytes:
    """The same with the base block's checksum set right."""
    number = 0
    for (word,) in struct.iter_unpack("<I", hive[:508]):
        number ^= word
    number = {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(number, number)
    return hive[:508] + struct.pack("<I", number) + hive[512:]


def patched(hive: bytes, at: int, new: bytes) -> bytes:
    """The same with other bytes at one place."""
    return hive[:at] + new + hive[at + len(new) :]


def make_log(base: bytes, *changed: bytes, format: str = "new") -> tuple[bytes, bytes]:
    """The hive `base` as a crash leaves it, and the log that makes it the last of `changed`.

    A new log (Windows 8.1 and later) has an entry for each step; an old one knows only the last.
    """
    first = struct.unpack_from("<I", base, 8)[0]
    if format == "old":
        return _old_log(base, changed[-1], first)
    log = sealed(patched(_with_sequence(base, first, first)[:SECTOR], 28, struct.pack("<I", 6)))
    last = base
    for number, step in enumerate(changed):
        log += log_entry(last, step, first + number)
        last = step
    return _with_sequence(base, first + len(changed), first), log


def log_entry(before: bytes, after: bytes, sequence: int, flags: int = 0) -> bytes:
    """One entry of a new log: the pages of 4096 bytes that differ."""
    pages = _differing(before, after, PAGE)
    references = b"".join(struct.pack("<II", at, len(page)) for at, page in pages)
    body = references + b"".join(page for _, page in pages)
    size = 40 + len(body) + SECTOR - 1 & -SECTOR
    body = body.ljust(size - 40, b"\0")
    head = struct.pack("<4sIIIII", b"HvLE", size, flags, sequence, len(after) - PAGE, len(pages))
    head += struct.pack("<Q", marvin32(body))
    return head + struct.pack("<Q", marvin32(head)) + body


def _old_log(base: bytes, after: bytes, first: int) -> tuple[bytes, bytes]:
    dirty = _with_sequence(base, first + 1, first)
    head = _with_sequence(base, first + 1, first + 1)[:SECTOR]
    head = patched(head, 28, struct.pack("<I", 1))
    head = sealed(patched(head, 40, struct.pack("<I", len(after) - PAGE)))
    bits = 0
    pages = _differing(base, after, SECTOR)
    for at, _ in pages:
        bits |= 1 << at // SECTOR
    vector = b"DIRT" + bits.to_bytes((len(after) - PAGE) // SECTOR // 8, "little")
    vector = vector.ljust(len(vector) + SECTOR - 1 & -SECTOR, b"\0")
    return dirty, head + vector + b"".join(page for _, page in pages)


def _differing(before: bytes, after: bytes, size: int) -> list[tuple[int, bytes]]:
    return [
        (at - PAGE, after[at : at + size])
        for at in range(PAGE, len(after), size)
        if after[at : at + size] != before[at : at + size]
    ]


def _with_sequence(hive: bytes, primary: int, secondary: int) -> bytes:
    return sealed(patched(hive, 4, struct.pack("<II", primary, secondary)))
