"""Disks with partitions, of images of file systems."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

_MIB = 1 << 20
_SECTOR = 512


def make_disk(path: Path, parts: Sequence[Path], label: str = "gpt", logical: int = 0) -> Path:
    """A disk with those partitions; `label` is sfdisk's gpt or dos.

    With `logical` that many of the last ones are logical partitions, behind an extended one.
    """
    lines, places, at = [f"label: {label}"], [], _MIB
    sizes = [(part.stat().st_size + _MIB - 1) // _MIB * _MIB for part in parts]
    for number, size in enumerate(sizes):
        if logical and number == len(parts) - logical:
            rest = sum(sizes[number:]) + (logical + 1) * _MIB
            lines.append(f"start={at // _SECTOR},size={rest // _SECTOR},type=5")
        if logical and number >= len(parts) - logical:
            at += _MIB
        lines.append(f"start={at // _SECTOR},size={size // _SECTOR}")
        places.append(at)
        at += size
    with path.open("wb") as file:
        file.truncate(at + 2 * _MIB)
    subprocess.run(
        ["sfdisk", "-q", str(path)],
        input="\n".join(lines) + "\n",
        check=True,
        text=True,
        capture_output=True,
    )
    with path.open("r+b") as disk:
        for part, place in zip(parts, places, strict=True):
            disk.seek(place)
            disk.write(part.read_bytes())
    return path
