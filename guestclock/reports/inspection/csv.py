"""One row a system; an image without one has a row with its reason."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from guestclock.disks.record import ImageRecord
from guestclock.reports.audit.text import inert

COLUMNS = (
    "path",
    "format",
    "volume",
    "filesystem",
    "base",
    "family",
    "name",
    "version",
    "rtc",
    "zone",
    "active_time_bias_minutes",
    "real_time_is_universal",
    "remarks",
    "unknown",
    "detail",
)


def print_csv(records: Iterable[ImageRecord], stream: TextIO) -> None:
    """Rows as the images are read, under a heading."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in records:
        for row in rows(one):
            writer.writerow([_cell(cell) for cell in row])


def rows(image: ImageRecord) -> Iterable[tuple[object, ...]]:
    """The cells of each row of an image, in the order of COLUMNS."""
    for one in image["systems"]:
        place, universal = one["place"], one["real_time_is_universal"]
        yield (
            image["path"],
            image["format"],
            place["volume"],
            place["filesystem"],
            place["base"],
            one["family"],
            one["name"],
            one["version"],
            one["rtc"],
            one["zone"],
            one["active_time_bias_minutes"],
            None if universal is None else str(universal).lower(),
            " ".join(remark["code"] for remark in one["remarks"]),
            one["reason"],
            "; ".join(gap["detail"] for gap in one["unknown"]),
        )
    if not image["systems"]:
        empty = (None,) * (len(COLUMNS) - 4)
        yield (image["path"], image["format"], *empty, image["unknown"], image["detail"])


def _cell(value: object) -> object:
    if value is None:
        return ""
    return inert(value) if isinstance(value, str) else value
