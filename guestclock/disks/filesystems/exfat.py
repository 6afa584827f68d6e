"""exFAT (Microsoft's exFAT file system specification, revision 1.00)."""

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

# Sectors to the FAT, of the FAT, to the clusters; clusters, the root's first; flags, the shifts of
# a sector's and a cluster's size, FATs.
_BOOT = Struct("<80xIIIII6xHBBB")
# Flags, length of the name, bytes that were ever written, first cluster, bytes.
_STREAM = Struct("<xBxB4xQ4xIQ")
_ENTRY = 32
_LABEL, _FILE, _STREAM_TYPE, _NAME = 0x83, 0x85, 0xC0, 0xC1
_FOLDER = 0x10
_CONTIGUOUS = 0x02
_SECOND_FAT = 0x01
# "The maximum size of a directory": 256 MiB there, and less here.
_LARGEST_FOLDER = 4 << 20


class _Layout(NamedTuple):
    """Places and sizes in bytes."""

    fat: int
    data: int
    cluster: int
    clusters: int
    root: int


class _Extent(NamedTuple):
    """What a stream entry says of contents; `written` bytes of them are on the volume."""

    first: int
    size: int
    written: int
    contiguous: bool


def mount(volume: Source, budget: Budget) -> FileSystem | None:
    """The exFAT on a volume, None where there is none. Raises Damaged."""
    boot = volume.read_at(0, min(volume.size, 512))
    if len(boot) < 512 or boot[3:11] != b"EXFAT   " or boot[510:] != b"\x55\xaa":
        return None
    fat, length, data, clusters, root, flags, sector, cluster, fats = unpack(_BOOT, boot)
    if not 9 <= sector <= 12 or cluster > 25 - sector or fats not in (1, 2):
        raise Damaged(f"exFAT: sectors of 2^{sector} bytes, clusters of 2^{cluster} sectors")
    if not fat or not data or clusters + 2 > length << sector >> 2:
        raise Damaged("exFAT: its table of clusters is too small")
    if fats == 2 and flags & _SECOND_FAT:
        fat += length
    layout = _Layout(fat << sector, data << sector, 1 << sector + cluster, clusters, root)
    return _ExFat(volume, layout, budget)


class _ExFat:
    name = "exfat"
    warnings: tuple[str, ...] = ()

    def __init__(self, volume: Source, layout: _Layout, budget: Budget) -> None:
        self._volume = volume
        self._layout = layout
        self._budget = budget

    @property
    def label(self) -> str:
        """The volume's label: an entry of its root."""
        for entry in self._raw_entries(self.root()):
            if entry[0] == _LABEL:
                return entry[2 : 2 + 2 * min(entry[1], 11)].decode("utf-16-le", "replace")
        return ""

    def root(self) -> Node:
        """The root folder, whose size only its chain of clusters says."""
        return Node(Kind.FOLDER, 0, _Extent(self._layout.root, 0, 0, contiguous=False))

    def lookup(self, folder: Node, name: str) -> Node | None:
        """What a folder has under a name, in any case."""
        wanted = name.upper()
        for found, node in self.entries(folder):
            if found.upper() == wanted:
                return node
        return None

    def entries(self, folder: Node) -> Iterator[tuple[str, Node]]:
        """All that a folder has: sets of a file's entry, its stream's and its name's."""
        entries = self._raw_entries(folder)
        for entry in entries:
            if entry[0] != _FILE:
                continue
            parts = [entry]
            for _ in range(entry[1]):
                part = next(entries, b"")
                if not part or part[0] & 0xC0 != 0xC0:
                    raise Damaged("exFAT: the entries of a file are not all there")
                parts.append(part)
            yield _named(parts)

    def target(self, link: Node) -> str:
        """There are no links."""
        raise Damaged("exFAT has no links")

    def open(self, file: Node) -> Source:
        """The contents of a file."""
        extent: _Extent = file.key
        if extent.size > self._budget.limits.file:
            raise OverLimit(f"a file of {extent.size} bytes on exFAT is more than is read")
        if extent.written > extent.size:
            raise Damaged("exFAT: more of a file was written than it has")
        cluster = self._layout.cluster
        count = (extent.written + cluster - 1) // cluster
        chain = list(self._walk(extent, count))
        if len(chain) < count:
            raise Damaged("exFAT: a file is longer than its chain of clusters")

        def find(at: int) -> tuple[int | None, int]:
            if at >= extent.written:
                return None, extent.size - at
            number, within = divmod(at, cluster)
            length = min(cluster - within, extent.written - at)
            return self._place(chain[number]) + within, length

        return Mapped(self._volume, extent.size, find, self._budget)

    def _raw_entries(self, folder: Node) -> Iterator[bytes]:
        extent: _Extent = folder.key
        size = extent.size or _LARGEST_FOLDER
        count = min(size, _LARGEST_FOLDER) // self._layout.cluster or 1
        for cluster in self._walk(extent, count):
            for within in range(0, self._layout.cluster, 512):
                block = self._volume.read_at(self._place(cluster) + within, 512)
                for at in range(0, 512, _ENTRY):
                    self._budget.tick()
                    if block[at] == 0:
                        return
                    yield block[at : at + _ENTRY]

    def _walk(self, extent: _Extent, most: int) -> Iterator[int]:
        """At most that many clusters of an extent: one that bites its tail ends there too."""
        cluster = extent.first
        for _ in range(most):
            if not 2 <= cluster < self._layout.clusters + 2:
                raise Damaged(f"exFAT: a chain leads to the cluster {cluster}")
            yield cluster
            self._budget.tick()
            if extent.contiguous:
                cluster += 1
                continue
            cluster = u32(self._volume.read_at(self._layout.fat + 4 * cluster, 4), 0)
            if cluster == 0xFFFFFFFF:
                return

    def _place(self, cluster: int) -> int:
        return self._layout.data + (cluster - 2) * self._layout.cluster


def _named(parts: list[bytes]) -> tuple[str, Node]:
    """The name and the node of a set of entries. Raises Damaged where its checksum is wrong."""
    if len(parts) < 3 or parts[1][0] != _STREAM_TYPE or _sum(b"".join(parts)) != u16(parts[0], 2):
        raise Damaged("exFAT: the checksum of a file's entries is wrong")
    flags, length, written, first, size = unpack(_STREAM, parts[1])
    raw = b"".join(part[2:] for part in parts[2:] if part[0] == _NAME)
    name = raw[: 2 * length].decode("utf-16-le", "replace")
    extent = _Extent(first, size, written, bool(flags & _CONTIGUOUS))
    if u16(parts[0], 4) & _FOLDER:
        return name, Node(Kind.FOLDER, 0, extent)
    return name, Node(Kind.FILE, size, extent)


def _sum(entries: bytes) -> int:
    """The checksum of a set of entries: all of its bytes but the checksum's own."""
    total = 0
    for at, byte in enumerate(entries):
        if at not in (2, 3):
            total = ((total & 1) << 15 | total >> 1) + byte & 0xFFFF
    return total
