"""Volumes of btrfs, made by mkfs.btrfs from a tree of files, and compressed afterwards."""

from __future__ import annotations

import ctypes
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from guestclock.disks.compression.crc32c import crc32c
from tests.disks.builders.tree import Files, write_tree

SIZE = 128 << 20
"""Sparse; little of it is more than a hole."""

_KINDS = {"zlib": 1, "lzo": 2, "zstd": 3}
_LEAF = struct.Struct("<QBQII")
_HEADER = 101
_EXTENT = 108
_SECTOR = 4096


def make_btrfs(
    path: Path,
    files: Files,
    *,
    compress: str | None = None,
    size: int = SIZE,
    options: Sequence[str] = ("-m", "single"),
    label: str = "",
) -> Path:
    """A volume of `size` bytes, with all files in its top level.

    `compress` is zlib, lzo or zstd: mkfs.btrfs of older releases does not compress, so its
    extents are packed where they lie, as far as each becomes shorter.
    """
    with path.open("wb") as image:
        image.truncate(size)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        write_tree(tree, files)
        command = ["mkfs.btrfs", "-q", *options, *(["-L", label] if label else [])]
        command += ["--rootdir", str(tree), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    if compress:
        for leaf in leaves(path):
            data = bytearray(_read(path, leaf, 16384))
            _compress_leaf(path, data, compress)
            data[:4] = crc32c(bytes(data[32:])).to_bytes(4, "little")
            _write(path, leaf, bytes(data))
    return path


def dump_tree(path: Path, *options: str) -> str:
    """What btrfs-progs sees in the trees."""
    command = ["btrfs", "inspect-internal", "dump-tree", *options, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def restore(path: Path, folder: Path) -> Path:
    """All files of a volume, as `btrfs restore` reads them."""
    folder.mkdir()
    command = ["btrfs", "restore", "-S", "-i", str(path), str(folder)]
    subprocess.run(command, capture_output=True, check=True)
    return folder


def physical(path: Path, logical: int) -> int:
    """The byte of the device at a logical address."""
    command = ["btrfs-map-logical", "-l", str(logical), "-b", "4096", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(text.split("physical ")[1].split()[0])


def leaves(path: Path) -> list[int]:
    """Where the leaves of the tree of files lie on the device."""
    lines = dump_tree(path, "-t", "5").splitlines()
    heads = [line.split() for line in lines if line.startswith("leaf ") and " items " in line]
    return [physical(path, int(head[1])) for head in heads]


def items(data: bytes) -> list[tuple[tuple[int, int, int], int, int]]:
    """The items of a leaf: each key, where its data are in the leaf, and how long they are."""
    count = int.from_bytes(data[0x60:0x64], "little")
    rows = [_LEAF.unpack_from(data, _HEADER + number * _LEAF.size) for number in range(count)]
    return [((row[0], row[1], row[2]), _HEADER + row[3], row[4]) for row in rows]


def _read(path: Path, place: int, count: int) -> bytes:
    with path.open("rb") as image:
        image.seek(place)
        return image.read(count)


def _write(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as image:
        image.seek(place)
        image.write(data)


def _compress_leaf(path: Path, data: bytearray, how: str) -> None:
    for key, at, size in items(bytes(data)):
        if key[1] != _EXTENT or data[at + 16]:
            continue
        if data[at + 20] == 0:
            plain = bytes(data[at + 21 : at + size])
            packed = pack(plain, how)
            if len(packed) <= len(plain):
                data[at + 16] = _KINDS[how]
                data[at + 21 : at + size] = packed.ljust(len(plain), b"\0")
            continue
        address, length = struct.unpack_from("<QQ", data, at + 21)
        if not address or length > 128 << 10:
            continue
        place = physical(path, address)
        packed = pack(_read(path, place, length), how)
        taken = -(-len(packed) // _SECTOR) * _SECTOR
        if taken < length:
            _write(path, place, packed.ljust(length, b"\xee"))
            data[at + 16] = _KINDS[how]
            struct.pack_into("<Q", data, at + 29, taken)


def pack(plain: bytes, how: str) -> bytes:
    """An extent, compressed as btrfs does it."""
    packers: dict[str, Callable[[bytes], bytes]] = {
        "zlib": zlib.compress,
        "lzo": _pack_lzo,
        "zstd": _pack_zstd,
    }
    return packers[how](plain)


def _pack_zstd(plain: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_content_size=False).compress(plain)


def _pack_lzo(plain: bytes) -> bytes:
    made = bytearray(4)
    for at in range(0, len(plain), _SECTOR):
        if _SECTOR - len(made) % _SECTOR < 4:
            made += bytes(-len(made) % _SECTOR)
        stream = lzo1x(plain[at : at + _SECTOR])
        made += len(stream).to_bytes(4, "little") + stream
    made[:4] = len(made).to_bytes(4, "little")
    return bytes(made)


def lzo1x(plain: bytes) -> bytes:
    """A stream made by liblzo2, which btrfs-progs bring along."""
    library = ctypes.CDLL("liblzo2.so.2")
    room = len(plain) + len(plain) // 16 + 67
    made, length = ctypes.create_string_buffer(room), ctypes.c_size_t(room)
    work = ctypes.create_string_buffer(1 << 18)
    done = library.lzo1x_1_compress(
        plain, ctypes.c_size_t(len(plain)), made, ctypes.byref(length), work
    )
    assert done == 0
    return made.raw[: length.value]
