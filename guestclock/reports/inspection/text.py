"""What a person reads: each image, its systems, how each takes the RTC, and where that was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from guestclock.disks.record import ImageRecord, SeenRecord, SystemRecord
from guestclock.platforms.text import escaped

_RTC = {"utc": "UTC", "local": "local time", "unknown": "unknown"}
_WIDTH = 10


def print_text(records: Iterable[ImageRecord], stream: TextIO) -> None:
    """A paragraph an image, written as it is read."""
    for number, one in enumerate(records):
        if number:
            stream.write("\n")
        stream.writelines(f"{line}\n" for line in lines_of(one))
        stream.flush()


def lines_of(image: ImageRecord) -> Iterator[str]:
    """The lines of one image; nothing from a disk is printed as it stands there."""
    form = f"  ({image['format']})" if image["format"] else ""
    yield f"{escaped(image['path'])}{form}"
    for system in image["systems"]:
        yield from (escaped(line) for line in _system_lines(system))
    if image["unknown"]:
        yield f"  unknown: {image['unknown']}: {escaped(image['detail'])}"
    else:
        for part in image["unread"]:
            yield f"  not read: {escaped(part['volume'])}: {escaped(part['detail'])}"
    for remark in image["remarks"]:
        yield f"  note: {escaped(remark['text'])}"


def _system_lines(system: SystemRecord) -> Iterator[str]:
    place = system["place"]
    name = system["name"] or system["family"]
    version = system["version"]
    shown = f"{name}, {version}" if version and version not in name else name
    where = f"{place['volume']}, {place['filesystem']}"
    yield f"  {shown}"
    yield f"    {'on':{_WIDTH}}{where}{', ' + place['base'] if place['base'] else ''}"
    seen = {one["what"]: one for one in reversed(system["evidence"])}
    yield from _value("RTC", _RTC.get(system["rtc"], system["rtc"]), seen.get("rtc"))
    if system["zone"] is not None:
        yield from _value("zone", system["zone"], seen.get("zone"))
    bias = system["active_time_bias_minutes"]
    if bias is not None:
        yield from _value("bias", f"{bias} min", seen.get("active_time_bias_minutes"))
    if system["utc_offset_minutes"]:
        offset = f"{system['utc_offset_minutes']} min east"
        yield from _value("offset", offset, seen.get("utc_offset_minutes"))
    for gap in system["unknown"]:
        what = gap["what"].replace("_", " ")
        yield f"    {'unknown':{_WIDTH}}{what}: {gap['reason']}: {gap['detail']}"
    for remark in system["remarks"]:
        yield f"    {'note':{_WIDTH}}{remark['text']}"


def _value(name: str, value: str, seen: SeenRecord | None) -> Iterator[str]:
    yield f"    {name:{_WIDTH}}{value}"
    if seen is not None:
        read = f": {seen['key']}" if seen["key"] else ""
        kind = f" ({seen['type']})" if seen["type"] else ""
        raw = f" = {seen['raw']}" if seen["raw"] else ""
        yield f"    {'':{_WIDTH}}observed in {seen['path']}{read}{kind}{raw}"
