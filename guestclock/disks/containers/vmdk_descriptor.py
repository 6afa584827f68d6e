"""The text that describes a vmdk: which extents it is made of, and what it rests on."""

from __future__ import annotations

import re
from typing import NamedTuple

from guestclock.disks.problem import Damaged

_LINE = re.compile(
    r"(?:RW|RDONLY|NOACCESS) (?P<sectors>\d{1,15}) (?P<kind>[A-Z]+)"
    r'(?: "(?P<name>[^"]*)")?(?: (?P<offset>\d{1,15}))?'
)
_NO_PARENT = "ffffffff"
_MOST = 4096


class Extent(NamedTuple):
    """A run of sectors of 512 bytes: FLAT, SPARSE or ZERO; `offset` is in sectors, of FLAT."""

    sectors: int
    kind: str
    name: str
    offset: int


class Descriptor(NamedTuple):
    """`parent` is the file it rests on, empty where there is none."""

    extents: tuple[Extent, ...]
    parent: str


def parse(data: bytes) -> Descriptor:
    """The descriptor in a text. Raises Damaged."""
    text = data.partition(b"\0")[0].decode("utf-8", "replace")
    extents: list[Extent] = []
    settings: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip()
        found = _LINE.fullmatch(line)
        if found:
            extents.append(
                Extent(
                    int(found["sectors"]),
                    found["kind"],
                    found["name"] or "",
                    int(found["offset"] or 0),
                )
            )
            if len(extents) > _MOST:
                raise Damaged(f"vmdk: more than {_MOST} extents")
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            settings[key.strip()] = value.strip().strip('"')
    if not extents:
        raise Damaged("vmdk: its descriptor names no extent")
    parent = ""
    if settings.get("parentCID", _NO_PARENT).lower() != _NO_PARENT:
        parent = settings.get("parentFileNameHint", "its parent")
    return Descriptor(tuple(extents), parent)
