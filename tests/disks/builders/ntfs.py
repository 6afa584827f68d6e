"""NTFS volumes, made by mkntfs and filled by libntfs-3g, without mounting anything."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import stat
import struct
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from ctypes import c_char_p, c_int, c_int64, c_ulong, c_void_p
from pathlib import Path
from typing import Any

from tests.disks.builders.tree import Files, Link

_DATA = 0x80
_COMPRESSED = 0x800
_COMPRESSION_BIT = 1 << 6
_STATE_AT = 16
_MIB = 1 << 20
_STEP = 1 << 16


def _library() -> Any:
    name = ctypes.util.find_library("ntfs-3g")
    assert name is not None, "install ntfs-3g"
    library = ctypes.CDLL(name, use_errno=True)
    for function, result, *arguments in (
        ("ntfs_mount", c_void_p, c_char_p, c_ulong),
        ("ntfs_umount", c_int, c_void_p, c_int),
        ("ntfs_pathname_to_inode", c_void_p, c_void_p, c_void_p, c_char_p),
        ("ntfs_create", c_void_p, c_void_p, ctypes.c_uint32, c_char_p, ctypes.c_uint8, c_int),
        ("ntfs_inode_close", c_int, c_void_p),
        ("ntfs_attr_open", c_void_p, c_void_p, ctypes.c_uint32, c_void_p, ctypes.c_uint32),
        ("ntfs_attr_pwrite", c_int64, c_void_p, c_int64, c_int64, c_char_p),
        ("ntfs_attr_pclose", c_int, c_void_p),
        ("ntfs_attr_close", None, c_void_p),
        ("ntfs_set_ntfs_attrib", c_int, c_void_p, c_char_p, ctypes.c_size_t, c_int),
        ("ntfs_delete", c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_char_p, ctypes.c_uint8),
    ):
        one = getattr(library, function)
        one.restype, one.argtypes = result, list(arguments)
    return library


class NoSpace(Exception):
    """The volume is full."""


class Volume:
    """A volume that is open for writing."""

    def __init__(self, library: Any, handle: int) -> None:
        self._library = library
        self._handle = handle

    def folder(self, path: str, compressed: bool = False) -> None:
        """Makes a folder and those above it; what is made in a compressed one is compressed."""
        if not path:
            return
        found = self._find(path)
        if found:
            self._library.ntfs_inode_close(found)
            return
        above, _, name = path.rpartition("/")
        self.folder(above)
        made = self._create(above, name, stat.S_IFDIR)
        if compressed:
            state = ctypes.c_ulong.from_address(self._handle + _STATE_AT)
            state.value |= _COMPRESSION_BIT
            flag = struct.pack("<I", _COMPRESSED)
            assert self._library.ntfs_set_ntfs_attrib(made, flag, 4, 0) == 0
        self._library.ntfs_inode_close(made)

    def write(self, path: str, content: bytes, step: int = _STEP) -> None:
        """Makes a file with that content, written in steps of that many bytes."""
        above, _, name = path.rpartition("/")
        self.folder(above)
        made = self._create(above, name, stat.S_IFREG)
        if content:
            stream = self._library.ntfs_attr_open(made, _DATA, None, 0)
            assert stream
            for at in range(0, len(content), step):
                part = content[at : at + step]
                written = self._library.ntfs_attr_pwrite(stream, at, len(part), part)
                if written != len(part):
                    break
            self._library.ntfs_attr_pclose(stream)
            self._library.ntfs_attr_close(stream)
        self._library.ntfs_inode_close(made)
        if content and written != len(part):
            raise NoSpace(path)

    def delete(self, path: str) -> bool:
        """Deletes a file; whether it could, which takes free clusters."""
        above, _, name = path.rpartition("/")
        text = name.encode("utf-16-le")
        folder, file = self._find(above), self._find(path)
        result = self._library.ntfs_delete(self._handle, None, file, folder, text, len(name))
        return bool(result == 0)

    def _find(self, path: str) -> int | None:
        found: int | None = self._library.ntfs_pathname_to_inode(
            self._handle, None, f"/{path}".encode()
        )
        return found

    def _create(self, above: str, name: str, mode: int) -> int:
        folder = self._find(above)
        text = name.encode("utf-16-le")
        made: int | None = self._library.ntfs_create(folder, 0, text, len(text) // 2, mode)
        error = ctypes.get_errno()
        self._library.ntfs_inode_close(folder)
        if not made:
            raise NoSpace(f"{above}/{name}: {os.strerror(error)}")
        return made


@contextmanager
def opened(path: Path) -> Iterator[Volume]:
    """A volume to write in."""
    library = _library()
    handle = library.ntfs_mount(os.fsencode(path), 0)
    assert handle, os.strerror(ctypes.get_errno())
    try:
        yield Volume(library, handle)
    finally:
        assert library.ntfs_umount(handle, 0) == 0


def format_ntfs(
    path: Path, size: int = 16 * _MIB, cluster: int = 4096, sector: int = 512, label: str = ""
) -> Path:
    """An empty volume."""
    with path.open("wb") as file:
        file.truncate(size)
    command = ["mkntfs", "-q", "-Q", "-F", "-c", str(cluster), "-s", str(sector), "-p", "2048"]
    named = ["-L", label] if label else []
    subprocess.run(
        [*command, "-H", "255", "-S", "63", *named, str(path)], check=True, capture_output=True
    )
    return path


def make_ntfs(
    path: Path,
    files: Files,
    *,
    size: int = 16 * _MIB,
    cluster: int = 4096,
    sector: int = 512,
    label: str = "",
    compressed: Collection[str] = (),
) -> Path:
    """A volume with those files; folders in `compressed` have compressed files."""
    format_ntfs(path, size, cluster, sector, label)
    with opened(path) as volume:
        for folder in compressed:
            volume.folder(folder, compressed=True)
        for name, content in files.items():
            assert not isinstance(content, Link), "links of Windows are not made here"
            if name.endswith("/"):
                volume.folder(name.rstrip("/"))
            else:
                volume.write(name, content)
    return path
