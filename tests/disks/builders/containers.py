"""Images of every format, made by qemu-img of a raw disk."""

from __future__ import annotations

import subprocess
from pathlib import Path

# By a name: the format as qemu-img calls it, and its options; "-c" compresses.
CONTAINERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "raw": ("raw", ()),
    "qcow2": ("qcow2", ()),
    "qcow2-v2": ("qcow2", ("-o", "compat=0.10")),
    "qcow2-zlib": ("qcow2", ("-c",)),
    "qcow2-zstd": ("qcow2", ("-c", "-o", "compression_type=zstd")),
    "qcow2-subclusters": ("qcow2", ("-o", "extended_l2=on,cluster_size=128k")),
    "qcow2-small": ("qcow2", ("-o", "cluster_size=512")),
    "qcow2-large": ("qcow2", ("-o", "cluster_size=2M")),
    "vmdk": ("vmdk", ()),
    "vmdk-stream": ("vmdk", ("-o", "subformat=streamOptimized")),
    "vmdk-flat": ("vmdk", ("-o", "subformat=monolithicFlat")),
    "vmdk-split": ("vmdk", ("-o", "subformat=twoGbMaxExtentSparse")),
    "vhd": ("vpc", ("-o", "force_size=on")),
    "vhd-fixed": ("vpc", ("-o", "subformat=fixed,force_size=on")),
    "vhdx": ("vhdx", ()),
    "vhdx-fixed": ("vhdx", ("-o", "subformat=fixed")),
    "vdi": ("vdi", ()),
    "vdi-fixed": ("vdi", ("-o", "static=on")),
}


def format_of(name: str) -> str:
    """What guestclock calls the format of one of them."""
    form = CONTAINERS[name][0]
    return {"vpc": "vhd"}.get(form, form)


def make_container(raw: Path, path: Path, name: str) -> Path:
    """The raw disk in a container."""
    form, options = CONTAINERS[name]
    command = ["qemu-img", "convert", "-f", "raw", "-O", form, *options, str(raw), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path
