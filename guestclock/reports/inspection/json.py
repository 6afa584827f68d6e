"""A list, one object an image, written as the images are read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    # Only its names are needed; whoever makes records has all that is found on disks with them.
    from guestclock.disks.record import ImageRecord


def print_json(records: Iterable[ImageRecord], stream: TextIO) -> None:
    """One image a time, so that a folder of them needs no memory."""
    begin = "[\n"
    for one in records:
        stream.write(begin)
        stream.write(json.dumps(one, ensure_ascii=True, indent=1))
        begin = ",\n"
    stream.write("[]\n" if begin == "[\n" else "\n]\n")
