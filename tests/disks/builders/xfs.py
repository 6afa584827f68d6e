"""Volumes of XFS, made by mkfs.xfs from a list of files."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tests.disks.builders.tree import Files, Link

SIZE = 300 << 20
"""The least that mkfs.xfs makes; little of it is more than a hole."""

_V4 = ("-m", "crc=0,finobt=0,rmapbt=0,reflink=0", "-i", "sparse=0")


def make_xfs(
    path: Path,
    files: Files,
    *,
    version: int = 5,
    size: int = SIZE,
    options: Sequence[str] = (),
    label: str = "",
) -> Path:
    """A volume of `size` bytes. Links of version 5 stay below 300 bytes: this mkfs.xfs writes
    longer ones without their header.
    """
    with path.open("wb") as image:
        image.truncate(size)
    with tempfile.TemporaryDirectory() as folder:
        host = Path(folder)
        lines = ["/dev/null", "0 0", "d--755 0 0", *_lines(_nested(files), host, count()), "$"]
        (host / "prototype").write_text("\n".join(lines) + "\n")
        given = [*(_V4 if version == 4 else ()), *options]
        given += ["-L", label] if label else []
        command = ["mkfs.xfs", "-q", "-f", *given, "-p", str(host / "prototype"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return path


def xfs_db(path: Path, *commands: str, write: bool = False) -> str:
    """What xfs_db says to the commands."""
    asked = [word for command in commands for word in ("-c", command)]
    mode = ["-x"] if write else ["-r"]
    done = subprocess.run(
        ["xfs_db", *mode, *asked, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout


def _nested(files: Files) -> dict[str, Any]:
    top: dict[str, Any] = {}
    for path, content in files.items():
        *above, name = path.rstrip("/").split("/")
        folder = top
        for step in above:
            folder = folder.setdefault(step, {})
        folder[name] = {} if path.endswith("/") else content
    return top


def _lines(folder: dict[str, Any], host: Path, numbers: Iterator[int]) -> Iterator[str]:
    for name, content in folder.items():
        match content:
            case dict():
                yield f"{name} d--755 0 0"
                yield from _lines(content, host, numbers)
                yield "$"
            case Link(target):
                yield f"{name} l--777 0 0 {target}"
            case bytes():
                source = host / f"f{next(numbers)}"
                source.write_bytes(content)
                yield f"{name} ---644 0 0 {source}"
