"""FAT volumes, made by mkfs.fat and filled by mtools."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.disks.builders.tree import Files, write_tree

_SIZES = {12: 2 << 20, 16: 32 << 20, 32: 80 << 20}


def make_fat(path: Path, files: Files, bits: int = 32, label: str = "") -> Path:
    """A volume with those files; `bits` are those of an entry of the FAT."""
    with path.open("wb") as image:
        image.truncate(_SIZES[bits])
    named = ["-n", label] if label else []
    make = ["mkfs.fat", "-F", str(bits), "-s", "1", *named, str(path)]
    subprocess.run(make, check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as folder:
        write_tree(Path(folder), files)
        for one in sorted(Path(folder).iterdir()):
            copy = ["mcopy", "-s", "-i", str(path), str(one), "::/"]
            subprocess.run(copy, check=True, capture_output=True)
    return path
