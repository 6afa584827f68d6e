"""Archives of the kind from which Linux fills its first file system (cpio, "newc").

Format: Linux Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or device: `path` is absolute, `mode` has its kind and permissions."""

    path: PurePosixPath
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def file(path: str, content: bytes, executable: bool = False) -> Entry:
    """A plain file."""
    return Entry(PurePosixPath(path), stat.S_IFREG | (0o755 if executable else 0o644), content)


def character_device(path: str, major: int, minor: int) -> Entry:
    """A device such as a console."""
    return Entry(PurePosixPath(path), stat.S_IFCHR | 0o600, device=(major, minor))


def folder(path: str) -> Entry:
    """An empty folder; those that entries lie in need no mention."""
    return Entry(PurePosixPath(path), stat.S_IFDIR | 0o755)


def archive(entries: list[Entry]) -> bytes:
    """The archive of these entries, and of every folder they lie in before them."""
    parents = {parent for entry in entries for parent in entry.path.parents if parent.name}
    made = [folder(str(parent)) for parent in sorted(parents)]
    out = bytearray()
    for inode, entry in enumerate((*made, *entries), 1):
        out += _record(entry, str(entry.path.relative_to("/")), inode)
    out += _record(Entry(PurePosixPath("/"), 0), "TRAILER!!!", 0)
    return bytes(out)


def _record(entry: Entry, name: str, inode: int) -> bytes:
    # inode, mode, user, group, links, time, size, device of the file (2), device (2), name, check
    fields = (
        *(inode, entry.mode, 0, 0, 1, 0, len(entry.content)),
        *(0, 0, *entry.device, len(name.encode()) + 1, 0),
    )
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
