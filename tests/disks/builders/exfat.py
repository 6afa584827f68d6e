"""exFAT volumes, made by mkfs.exfat and filled here: no tool fills one without a mount."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

_SIZE = 8 << 20
_ENTRY = 32
_END = 0xFFFFFFFF
_FILE, _FOLDER = 0x20, 0x10


def make_exfat(
    path: Path, files: dict[str, bytes], *, label: str = "", scattered: Iterable[str] = ()
) -> Path:
    """A volume with those files; the clusters of the `scattered` ones are not side by side."""
    with path.open("wb") as image:
        image.truncate(_SIZE)
    named = ["-L", label] if label else []
    make = ["mkfs.exfat", "-c", "4096", *named, str(path)]
    subprocess.run(make, check=True, capture_output=True)
    volume = _Volume(bytearray(path.read_bytes()))
    volume.fill(files, frozenset(scattered))
    path.write_bytes(volume.image)
    return path


class _Volume:
    def __init__(self, image: bytearray) -> None:
        self.image = image
        fat, _, data, _, self.root, sector, cluster = struct.unpack_from("<IIIII8xBB", image, 80)
        self._fat, self._data = fat << sector, data << sector
        self._cluster = 1 << sector + cluster
        root = self._place(self.root)
        entries = range(root, root + self._cluster, _ENTRY)
        bitmap = next(at for at in entries if image[at] == 0x81)
        self._bitmap = self._place(int.from_bytes(image[bitmap + 20 : bitmap + 24], "little"))
        self._next = self.root + 1

    def fill(self, files: dict[str, bytes], scattered: frozenset[str]) -> None:
        folders: dict[str, list[bytes]] = {"": []}
        for path in files:
            parts = path.split("/")
            for count in range(1, len(parts)):
                folders.setdefault("/".join(parts[:count]), [])
        for path, content in files.items():
            folder, _, name = path.rpartition("/")
            place = self._write(content, path in scattered)
            folders[folder].append(_entries(name, _FILE, *place, len(content)))
        for path in sorted(folders, key=len, reverse=True)[:-1]:
            folder, _, name = path.rpartition("/")
            content = _padded(b"".join(folders[path]), self._cluster)
            place = self._write(content, scattered=True)
            folders[folder].append(_entries(name, _FOLDER, *place, len(content)))
        # The root grows at its end: it has what mkfs put there.
        root = self._place(self.root)
        end = next(at for at in range(root, root + self._cluster, _ENTRY) if not self.image[at])
        content = bytes(self.image[root:end]) + b"".join(folders[""])
        content = _padded(content, self._cluster)
        self.image[root : root + self._cluster] = content[: self._cluster]
        rest = content[self._cluster :]
        if rest:
            first, _ = self._write(rest, scattered=True)
            self._link(self.root, first)

    def _write(self, content: bytes, scattered: bool) -> tuple[int, bool]:
        """The first cluster of contents, and whether the others are just behind it."""
        chunks = range(0, len(content), self._cluster)
        if not chunks:
            return 0, False
        step = 2 if scattered else 1
        clusters = [self._next + step * one for one in range(len(chunks))]
        self._next = clusters[-1] + 1
        for cluster, at in zip(clusters, chunks, strict=True):
            place, chunk = self._place(cluster), content[at : at + self._cluster]
            self.image[place : place + len(chunk)] = chunk
            self.image[self._bitmap + (cluster - 2 >> 3)] |= 1 << (cluster - 2 & 7)
        if scattered:
            for cluster, after in zip(clusters, [*clusters[1:], _END], strict=True):
                self._link(cluster, after)
        return clusters[0], not scattered

    def _link(self, cluster: int, after: int) -> None:
        struct.pack_into("<I", self.image, self._fat + 4 * cluster, after)

    def _place(self, cluster: int) -> int:
        return int(self._data + (cluster - 2) * self._cluster)


def _padded(content: bytes, cluster: int) -> bytes:
    return content + bytes(-len(content) % cluster)


def _entries(name: str, attributes: int, first: int, contiguous: bool, size: int) -> bytes:
    text = name.encode("utf-16-le")
    names = [text[at : at + 30].ljust(30, b"\0") for at in range(0, len(text), 30)]
    flags = (0x01 if first else 0) | (0x02 if contiguous else 0)
    # A letter has one capital there: the sharp s has none.
    capitals = "".join(one.upper() if len(one.upper()) == 1 else one for one in name)
    hash_of_name = sum_of(capitals.encode("utf-16-le"))
    stream = struct.pack(
        "<BBxBHxxQ4xIQ", 0xC0, flags, len(text) // 2, hash_of_name, size, first, size
    )
    stamp = 0x56A12000
    file = struct.pack("<BBHHxxIII12x", 0x85, 1 + len(names), 0, attributes, stamp, stamp, stamp)
    rest = stream + b"".join(b"\xc1\0" + one for one in names)
    total = sum_of(rest, sum_of(file[:2] + file[4:]))
    return file[:2] + struct.pack("<H", total) + file[4:] + rest


def sum_of(data: bytes, total: int = 0) -> int:
    """The checksum of entries and of names, which goes on from `total`."""
    for byte in data:
        total = (((total << 15) | (total >> 1)) + byte) & 0xFFFF
    return total
