"""A tree of files, as the builders of file systems take it and those of systems give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


Files: TypeAlias = Mapping[str, bytes | Link]
"""Contents by path, such as "etc/adjtime"; folders are there because of what is in them. A path
that ends in "/" is an empty folder."""


def write_tree(folder: Path, files: Files) -> Path:
    """Lays the files out in a folder of the host, for tools that copy one (mke2fs -d)."""
    for path, content in files.items():
        place = folder / path
        if path.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            place.symlink_to(content.target)
        else:
            place.write_bytes(content)
    return folder
