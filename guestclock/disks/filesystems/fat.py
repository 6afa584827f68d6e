"""FAT12, FAT16 and FAT32 with long names (Microsoft's FAT32 File System Specification)."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.fields import u16, u32, unpack
from guestclock.disks.filesystems.interface import FileSystem, Kind, Node
from guestclock.disks.filesystems.mapped import Mapped
from guestclock.disks.problem import Damaged, OverLimit
from guestclock.disks.source import Source

# Bytes of a sector, sectors of a cluster, reserved ones, FATs, entries of the root, sectors;
# sectors of a FAT; sectors again; FAT32: sectors of a FAT, the root's first cluster.
_BOOT = Struct("<11xHBHBHHxH8xII4xI")
_ENTRY = 32
_LONG, _LABEL, _FOLDER, _DELETED = 0x0F, 0x08, 0x10, 0xE5
_LARGEST_FOLDER = 2 << 20
_ROOT = 0


class _Layout(NamedTuple):
    """Places and sizes in bytes; `bits` are those of an entry of the FAT."""

    bits: int
    cluster: int
    fat: int
    root: int
    root_size: int
    data: int
    clusters: int
    root_cluster: int


def mount(volume: Source, budget: Budget) -> FileSystem | None:
    """The FAT on a volume, None where there is none. Raises Damaged."""
    layout = _layout(volume)
    return None if layout is None else _Fat(volume, layout, budget)


def _layout(volume: Source) -> _Layout | None:
    boot = volume.read_at(0, min(volume.size, 512))
    if len(boot) < 512 or boot[510:] != b"\x55\xaa":
        return None
    sector, per, reserved, fats, entries, small, short, large, long, root = unpack(_BOOT, boot)
    if sector not in (512, 1024, 2048, 4096) or per == 0 or per & per - 1:
        raise Damaged(f"FAT: sectors of {sector} bytes, clusters of {per}")
    sectors, fat = small or large, short or long
    if not (reserved and fats and sectors and fat):
        raise Damaged("FAT: its boot sector lacks a size")
    root_at = (reserved + fats * fat) * sector
    root_size = (entries * _ENTRY + sector - 1) // sector * sector
    data = root_at + root_size
    clusters = (sectors * sector - data) // (per * sector)
    if clusters <= 0:
        raise Damaged("FAT: it has no clusters")
    # The number of clusters alone says which of the three it is.
    bits = 12 if clusters < 4085 else 16 if clusters < 65525 else 32
    if clusters + 2 > fat * sector * 8 // bits:
        raise Damaged("FAT: its table is too small")
    return _Layout(bits, per * sector, reserved * sector, root_at, root_size, data, clusters, root)


class _Fat:
    warnings: tuple[str, ...] = ()

    def __init__(self, volume: Source, layout: _Layout, budget: Budget) -> None:
        self._volume = volume
        self._layout = layout
        self._budget = budget
        self.name = f"fat{layout.bits}"

    @property
    def label(self) -> str:
        """The volume's label: an entry of its root."""
        for entry in self._raw_entries(self.root()):
            if entry[11] & _LABEL and entry[11] != _LONG:
                return entry[:11].decode("cp437", "replace").rstrip()
        return ""

    def root(self) -> Node:
        """The root folder."""
        return Node(Kind.FOLDER, 0, (_ROOT, 0))

    def lookup(self, folder: Node, name: str) -> Node | None:
        """What a folder has under a name, long or short, in any case."""
        wanted = name.upper()
        for names, node in self._named(folder):
            if wanted in (one.upper() for one in names):
                return node
        return None

    def entries(self, folder: Node) -> Iterator[tuple[str, Node]]:
        """All that a folder has, by its long names where they have some."""
        for names, node in self._named(folder):
            yield names[0], node

    def target(self, link: Node) -> str:
        """There are no links."""
        raise Damaged("FAT has no links")

    def open(self, file: Node) -> Source:
        """The contents of a file."""
        first, size = file.key
        if size > self._budget.limits.file:
            raise OverLimit(f"a file of {size} bytes on FAT is more than is read")
        cluster = self._layout.cluster
        chain = self._chain(first, (size + cluster - 1) // cluster)

        def find(at: int) -> tuple[int | None, int]:
            number, within = divmod(at, cluster)
            return _place(self._layout, chain[number]) + within, cluster - within

        return Mapped(self._volume, size, find, self._budget)

    def _named(self, folder: Node) -> Iterator[tuple[list[str], Node]]:
        pieces: dict[int, str] = {}
        sum_of_long = -1
        for entry in self._raw_entries(folder):
            if entry[0] == _DELETED:
                pieces = {}
                continue
            if entry[11] & 0x3F == _LONG:
                if entry[0] & 0x40:
                    pieces, sum_of_long = {}, entry[13]
                if entry[13] == sum_of_long:
                    raw = entry[1:11] + entry[14:26] + entry[28:32]
                    pieces[entry[0] & 0x3F] = raw.decode("utf-16-le", "replace")
                continue
            short, long = _short_name(entry), _long_name(entry, pieces, sum_of_long)
            pieces = {}
            if entry[11] & _LABEL or short in (".", ".."):
                continue
            yield [long, short] if long else [short], self._node(entry)

    def _node(self, entry: bytes) -> Node:
        high = u16(entry, 20) if self._layout.bits == 32 else 0
        first, size = high << 16 | u16(entry, 26), u32(entry, 28)
        if entry[11] & _FOLDER:
            return Node(Kind.FOLDER, 0, (first, 0))
        return Node(Kind.FILE, size, (first, size))

    def _raw_entries(self, folder: Node) -> Iterator[bytes]:
        first, _ = folder.key
        for block in self._blocks(first):
            self._budget.tick()
            for at in range(0, len(block), _ENTRY):
                entry = block[at : at + _ENTRY]
                if entry[0] == 0:
                    return
                yield entry

    def _blocks(self, first: int) -> Iterator[bytes]:
        layout = self._layout
        if first == _ROOT and layout.bits != 32:
            for at in range(0, layout.root_size, 512):
                yield self._volume.read_at(layout.root + at, 512)
            return
        first = first or layout.root_cluster
        # 65536 entries are the most that a folder may have.
        for cluster in self._walk(first, _LARGEST_FOLDER // layout.cluster + 1):
            yield self._volume.read_at(_place(layout, cluster), layout.cluster)

    def _chain(self, first: int, count: int) -> list[int]:
        found = list(self._walk(first, count))
        if len(found) < count:
            raise Damaged("FAT: a file is longer than its chain of clusters")
        return found

    def _walk(self, cluster: int, most: int) -> Iterator[int]:
        """At most that many clusters of a chain: one that bites its tail ends there too."""
        layout = self._layout
        end = (1 << min(layout.bits, 28)) - 8
        for _ in range(most):
            if not 2 <= cluster < layout.clusters + 2:
                raise Damaged(f"FAT: a chain leads to the cluster {cluster}")
            yield cluster
            self._budget.tick()
            cluster = self._next(cluster)
            if cluster >= end:
                return

    def _next(self, cluster: int) -> int:
        fat, bits = self._layout.fat, self._layout.bits
        if bits == 12:
            pair = u16(self._volume.read_at(fat + cluster * 3 // 2, 2), 0)
            return pair >> 4 if cluster & 1 else pair & 0xFFF
        if bits == 16:
            return u16(self._volume.read_at(fat + 2 * cluster, 2), 0)
        return u32(self._volume.read_at(fat + 4 * cluster, 4), 0) & 0x0FFFFFFF


def _place(layout: _Layout, cluster: int) -> int:
    return layout.data + (cluster - 2) * layout.cluster


def _short_name(entry: bytes) -> str:
    first = b"\xe5" if entry[0] == 5 else entry[:1]
    base = (first + entry[1:8]).decode("cp437", "replace").rstrip()
    kind = entry[8:11].decode("cp437", "replace").rstrip()
    # Windows NT says there which half of a short name is in lower case.
    if entry[12] & 0x08:
        base = base.lower()
    if entry[12] & 0x10:
        kind = kind.lower()
    return f"{base}.{kind}" if kind else base


def _long_name(entry: bytes, pieces: dict[int, str], sum_of_long: int) -> str:
    """The long name of the pieces before an entry, empty where they are not its own."""
    total = 0
    for byte in entry[:11]:
        total = ((total & 1) << 7 | total >> 1) + byte & 0xFF
    if total != sum_of_long or set(pieces) != set(range(1, len(pieces) + 1)):
        return ""
    return "".join(pieces[number] for number in sorted(pieces)).split("\0", 1)[0]
