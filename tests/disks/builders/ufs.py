"""UFS volumes, made by makefs."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.disks.builders.tree import Files, write_tree


def make_ufs(path: Path, files: Files, version: int = 2, size: str = "16m") -> Path:
    """A volume with those files."""
    with tempfile.TemporaryDirectory() as folder:
        write_tree(Path(folder), files)
        make = [
            "makefs",
            "-t",
            "ffs",
            "-o",
            f"version={version},density=4096",
            "-s",
            size,
            str(path),
            folder,
        ]
        subprocess.run(make, check=True, capture_output=True)
    return path
