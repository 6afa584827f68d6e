"""The images that a command is given: files, folders of them, addresses."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence

from guestclock.errors import UsageProblem

# What a file in a folder of images ends in, if it is one; others count by size.
_SUFFIXES = (".qcow2", ".qcow", ".img", ".raw", ".vmdk", ".vhd", ".vpc", ".vhdx", ".vdi", ".disk")
_SMALLEST = 1 << 20
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
# The extents that a vmdk's descriptor names are parts of it.
_EXTENT = re.compile(r"(.+)-(?:flat|[sf]\d{3})\.vmdk")


def images_in(given: Sequence[str]) -> Iterator[str]:
    """Each image that is meant, a folder's in the order of their names."""
    for one in given:
        if not _is_address(one) and os.path.isdir(one):
            yield from _in_folder(one)
        else:
            yield one


def _is_address(text: str) -> bool:
    return text.startswith(("glance:", "http://", "https://"))


def _in_folder(folder: str) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(where, name)
            if _is_image(path, name):
                yield path


def _is_image(path: str, name: str) -> bool:
    extent = _EXTENT.fullmatch(name)
    if extent and os.path.exists(os.path.join(os.path.dirname(path), f"{extent[1]}.vmdk")):
        return False
    if os.path.islink(path) and not os.path.isfile(path):
        return False
    if name.lower().endswith(_SUFFIXES):
        return True
    try:
        size = os.stat(path).st_size
    except OSError:
        return False
    return os.path.isfile(path) and size >= _SMALLEST and size % 512 == 0


def size_in(text: str) -> int:
    """Bytes of a size such as 64M; K, M, G and T are powers of 1024. Raises UsageProblem."""
    found = re.fullmatch(r"([0-9]+)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not found or int(found[1]) == 0:
        raise UsageProblem(f"{text!r} is no size", "write it as 64M or 1G")
    return int(found[1]) * _UNITS[found[2].upper()]


def progress(images: Iterable[str]) -> Iterator[str]:
    """The images, with a count on standard error where that is a terminal and they are many."""
    if not sys.stderr.isatty():
        yield from images
        return
    listed = list(images)
    if len(listed) < 2 or sys.stdout.isatty():
        yield from listed
        return
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(listed, "inspecting", console=console, transient=True)
