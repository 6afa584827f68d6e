"""Physical volumes of LVM2, made by LVM itself on a loop device; device-mapper is not needed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_MIB = 1 << 20
_EXTENT = 4 * _MIB
_FIRST = _MIB
_TOOLS = ("--driverloaded", "n")


def make_lvm(path: Path, volumes: Mapping[str, Path], filler: int = 3) -> Path:
    """The group vg0 with those volumes, each of two pieces with others' extents between.

    Needs root and a loop device.
    """
    sizes = {name: -(-image.stat().st_size // _EXTENT) for name, image in volumes.items()}
    total = _FIRST + (sum(sizes.values()) + filler * (len(sizes) + 2)) * _EXTENT
    with path.open("wb") as file:
        file.truncate(total)
    device = _run("losetup", "-f", "--show", str(path)).strip()
    try:
        lvm = _Lvm(device)
        lvm("pvcreate", device)
        lvm("vgcreate", "-s", "4m", "vg0", device)
        for name, count in sizes.items():
            half = max(1, count // 2)
            lvm("lvcreate", "-an", "-Zn", "-Wn", "-l", str(half), "-n", name, "vg0")
            lvm("lvcreate", "-an", "-Zn", "-Wn", "-l", str(filler), "-n", f"{name}_other", "vg0")
            if count > half:
                lvm("lvextend", "-l", str(count), f"vg0/{name}")
    finally:
        _run("losetup", "-d", device)
    _fill(path, volumes)
    return path


def make_striped_lvm(path: Path, image: Path, stripe: int = 64 << 10) -> Path:
    """The group vg0 with the volume root in two stripes, both on the one disk.

    Needs root and a loop device.
    """
    data = image.read_bytes()
    columns = -(-len(data) // (2 * _EXTENT))
    with path.open("wb") as file:
        file.truncate(_FIRST + (2 * columns + 2) * _EXTENT)
    device = _run("losetup", "-f", "--show", str(path)).strip()
    try:
        lvm = _Lvm(device)
        lvm("pvcreate", device)
        lvm("vgcreate", "-s", "4m", "vg0", device)
        size = ("-i", "2", "-I", f"{stripe >> 10}k", "-l", str(2 * columns), "--alloc", "anywhere")
        lvm("lvcreate", "-an", "-Zn", "-Wn", *size, "-n", "root", "vg0")
    finally:
        _run("losetup", "-d", device)
    text = _bare(_run("pvck", "--dump", "metadata", str(path)))
    starts = [int(one) for one in re.findall(r'"pv0",\s*(\d+)', text)]
    assert len(starts) == 2, text
    with path.open("r+b") as disk:
        for number in range(-(-len(data) // stripe)):
            row, column = divmod(number, 2)
            disk.seek(_FIRST + starts[column] * _EXTENT + row * stripe)
            disk.write(data[number * stripe : (number + 1) * stripe])
    return path


class _Lvm:
    """Runs LVM's commands on one device and no other."""

    def __init__(self, device: str) -> None:
        only = f'[ "a|^{device}$|", "r|.*|" ]'
        self._config = (
            f"devices {{ use_devicesfile=0 filter={only} global_filter={only} }} "
            "global { use_lvmpolld=0 } activation { udev_sync=0 udev_rules=0 } "
            "backup { backup=0 archive=0 }"
        )

    def __call__(self, command: str, *arguments: str) -> None:
        _run(command, "-q", *_TOOLS, "--config", self._config, *arguments)


def _fill(path: Path, volumes: Mapping[str, Path]) -> None:
    """Copies each image into the extents that LVM's own reader says are the volume's."""
    text = _run("pvck", "--dump", "metadata", str(path))
    with path.open("r+b") as disk:
        for name, image in volumes.items():
            data = image.read_bytes()
            for first, count, place in _segments(text, name):
                disk.seek(_FIRST + place * _EXTENT)
                disk.write(data[first * _EXTENT : (first + count) * _EXTENT])


def _segments(text: str, name: str) -> Sequence[tuple[int, int, int]]:
    found = re.search(rf"\n{name} {{.*?\n}}\s*\n}}", text.replace("\t", ""), re.DOTALL)
    assert found is not None, name
    pattern = r'start_extent = (\d+)\nextent_count = (\d+).*?"pv0", (\d+)'
    return [
        (int(first), int(count), int(place))
        for first, count, place in re.findall(pattern, _bare(found[0]), re.DOTALL)
    ]


def _bare(text: str) -> str:
    """Without comments, which LVM puts behind the numbers."""
    return re.sub(r"[ \t]*#[^\n]*", "", text)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
