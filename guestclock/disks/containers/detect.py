"""Which format an image has, by its first bytes, and the virtual disk in it.

A format that someone vouches for is believed: a guest can write any header into its raw disk.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import Open, References
from guestclock.disks.problem import DiskProblem, NotAnImage, UnreadFormat
from guestclock.disks.source import Source

READ = ("raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi")
_SAME = {"vpc": "vhd"}

_MAGIC = (
    (b"QFI\xfb", 0, "qcow2"),
    (b"KDMV", 0, "vmdk"),
    (b"# Disk DescriptorFile", 0, "vmdk"),
    (b"vhdxfile", 0, "vhdx"),
    (b"conectix", 0, "vhd"),
    (b"\x7f\x10\xda\xbe", 64, "vdi"),
)
_STREAMS = (
    (b"\x1f\x8b\x08", "gzip", "gunzip"),
    (b"\xfd7zXZ\0", "xz", "unxz"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\x04\x22\x4d\x18", "lz4", "unlz4"),
    (b"PK\x03\x04", "zip", "unzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z", "7z x"),
)
_FORMATS = (
    (b"WithoutFreeSpace", "parallels"),
    (b"WithouFreSpacExt", "parallels"),
    (b"QED\0", "qed"),
    (b"COWD", "vmdk of an old ESX (COWD)"),
    (b"#!/bin/sh\n#V2.0 Format", "cloop"),
    (b"OOOM", "qcow of User-mode Linux"),
    (b"MSWIM\0\0\0", "wim"),
)
_HEAD = 512


def open_image(
    source: Source, references: References, budget: Budget, form: str | None = None
) -> tuple[str, Source]:
    """The name of the format and the virtual disk. Raises DiskProblem."""
    if form is not None:
        form = _SAME.get(form, form)
        if form not in READ:
            raise UnreadFormat(f"the format {form[:40]!r} is not read; {', '.join(READ)} are")
    else:
        form = _probe(source)
    open_disk = cast(Open, import_module(f"guestclock.disks.containers.{form}").open_disk)
    return form, open_disk(source, references, budget)


def _probe(source: Source) -> str:
    head = source.read_at(0, min(source.size, _HEAD))
    for magic, at, form in _MAGIC:
        if head.startswith(magic, at):
            if form == "qcow2" and head[4:8] == b"\0\0\0\1":
                raise UnreadFormat("qcow of version 1 is not read: qemu-img convert -O qcow2")
            return form
    for magic, name, tool in _STREAMS:
        if head.startswith(magic):
            raise NotAnImage(f"it is compressed by {name}: unpack it first ({tool})")
    for magic, name in _FORMATS:
        if head.startswith(magic):
            raise UnreadFormat(f"{name} is not read: qemu-img convert it to qcow2 first")
    return "vhd" if _has_footer(source) else "raw"


def _has_footer(source: Source) -> bool:
    """Whether a fixed vhd's footer is at the end: it has no header at all."""
    if source.size < 2 * _HEAD:
        return False
    from guestclock.disks.containers.vhd import footer_at_end

    try:
        return footer_at_end(source) is not None
    except DiskProblem:
        return False
