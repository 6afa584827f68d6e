"""The disks of a `<domain>`: which files they are, in the order in which they are booted from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestclock.disk import DiskFile

if TYPE_CHECKING:
    from lxml import etree

_LAST = 1 << 31
# What holds the bytes, by the type of the disk; volumes of pools and networks are no paths.
_PLACES = {"file": "file", "block": "dev"}


def disks_of(domain: etree._Element) -> tuple[DiskFile, ...]:
    """The files and block devices of its disks, those with a boot order first.

    CD-ROMs and floppies are left out, and so is a disk whose source is no path.
    """
    found = []
    for number, disk in enumerate(domain.iterfind("devices/disk")):
        if disk.get("device", "disk") not in ("disk", "lun"):
            continue
        source = disk.find("source")
        path = None if source is None else source.get(_PLACES.get(disk.get("type", ""), ""))
        if not path:
            continue
        driver, boot = disk.find("driver"), disk.find("boot")
        form = "" if driver is None else driver.get("type", "")
        order = "" if boot is None else boot.get("order", "")
        place = int(order) if order.isdecimal() and len(order) < 9 else _LAST
        found.append((place, number, DiskFile(path, form)))
    return tuple(disk for _, _, disk in sorted(found, key=lambda one: one[:2]))
