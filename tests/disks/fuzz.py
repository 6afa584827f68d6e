"""Breaks images at random and has them inspected: `make fuzz MINUTES=n`, and a little of it in CI.

Half of the changes go to structures (the first bytes of a block that is in use), half anywhere in
what is in use. Whatever was broken, the answer is a record, it comes in time, and it is no fault
of a reader's.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from guestclock.disks.budget import Limits
from guestclock.disks.record import ImageRecord
from guestclock.disks.worker import Inspector
from tests.disks.builders.containers import make_container
from tests.disks.builders.exfat import make_exfat
from tests.disks.builders.ext import make_ext
from tests.disks.builders.fat import make_fat
from tests.disks.builders.md import make_member
from tests.disks.builders.ntfs import make_ntfs
from tests.disks.builders.tree import Files, Link
from tests.disks.builders.ufs import make_ufs
from tests.disks.builders.volumes import make_disk
from tests.disks.builders.windows import windows_files

LIMITS = Limits(max_read=16 << 20, timeout=5)
LINUX: Files = {
    "etc/os-release": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    "etc/adjtime": b"0.0 0 0.0\n0\nLOCAL\n",
    "etc/localtime": Link("../usr/share/zoneinfo/Europe/Berlin"),
}
BSD: Files = {
    "bin/freebsd-version": b'#!/bin/sh\nUSERLAND_VERSION="14.1-RELEASE"\n',
    "etc/wall_cmos_clock": b"",
}
_CONTAINERS = ("qcow2", "qcow2-zlib", "qcow2-zstd", "vmdk", "vmdk-stream", "vhd", "vhdx", "vdi")
_BLOCK = 512
_HEADER = 64


@dataclass(frozen=True)
class Seed:
    """A whole image, and the blocks of it that are in use."""

    name: str
    image: bytes
    used: tuple[int, ...]


class Fault(Exception):
    """A reader failed, or was too slow."""


def seeds(folder: Path) -> list[Seed]:
    """Images of every reader, from real builders."""
    systems = {
        "ntfs": make_ntfs(folder / "ntfs", windows_files(fast_startup=True), size=8 << 20),
        "ext4": make_ext(folder / "ext4", LINUX),
        "ufs2": make_ufs(folder / "ufs2", BSD),
        "exfat": make_exfat(folder / "exfat", {"EFI/BOOT/BOOTX64.EFI": b"MZ"}),
        "fat16": make_fat(folder / "fat16", {"EFI/BOOT/BOOTX64.EFI": b"MZ"}, 16),
    }
    gpt = make_disk(folder / "gpt", list(systems.values()))
    mbr = make_disk(folder / "mbr", list(systems.values())[:2], "dos", logical=1)
    images = {**systems, "gpt": gpt, "mbr": mbr}
    images["md"] = make_member(folder / "md", systems["ext4"].read_bytes())
    for name in _CONTAINERS:
        images[name] = make_container(mbr, folder / f"mbr.{name}", name)
    return [_seed(name, path.read_bytes()) for name, path in images.items()]


def _seed(name: str, image: bytes) -> Seed:
    blocks = range(0, len(image), _BLOCK)
    return Seed(name, image, tuple(at for at in blocks if any(image[at : at + _BLOCK])))


@contextmanager
def broken(file: Path, seed: Seed, chance: random.Random) -> Iterator[None]:
    """Has the file hold the seed with some bytes changed, and puts them back."""
    changes: dict[int, int] = {}
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        block = chance.choice(seed.used)
        at = block + chance.randrange(_HEADER if chance.random() < 0.5 else _BLOCK)
        values = (chance.randrange(256), 0, 0xFF, seed.image[min(at, len(seed.image) - 1)] ^ 1)
        if at < len(seed.image):
            changes[at] = chance.choice(values)
    with file.open("r+b", buffering=0) as stream:
        for at, value in changes.items():
            stream.seek(at)
            stream.write(bytes((value,)))
        try:
            yield
        finally:
            for at in changes:
                stream.seek(at)
                stream.write(seed.image[at : at + 1])


def run(folder: Path, count: int, seconds: float, number: int) -> Counter[str]:
    """Breaks images until `count` or the time is reached; how often which answer came.

    Raises Fault with what brings it back.
    """
    chance, answers = random.Random(number), Counter[str]()
    files = {}
    for seed in seeds(folder):
        files[seed.name] = (folder / f"broken.{seed.name}", seed)
        files[seed.name][0].write_bytes(seed.image)
    end = time.monotonic() + seconds
    with Inspector(LIMITS, at=1_795_435_200) as inspector:
        for one in range(count):
            if time.monotonic() > end:
                break
            path, seed = files[chance.choice(sorted(files))]
            with broken(path, seed, chance):
                begun = time.monotonic()
                found = inspector.inspect(str(path), None)
                took = time.monotonic() - begun
                _check(found, took, path, folder / f"found-{number}-{one}")
            answers[found["unknown"] or "system"] += 1
    return answers


def _check(found: ImageRecord, took: float, image: Path, keep: Path) -> None:
    """Keeps an image whose answer is no good. Raises Fault."""
    if found["unknown"] != "fault" and took < 2 * LIMITS.timeout:
        return
    keep.write_bytes(image.read_bytes())
    raise Fault(f"{found['unknown']} after {took:.1f} s, {found['detail']}: {keep}")


def main() -> int:
    """The command of `make fuzz`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--count", type=int, default=sys.maxsize)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="guestclock-fuzz-"))
    answers = run(folder, given.count, 60 * given.minutes, given.seed)
    print(f"seed {given.seed}: {answers.total()} images")
    for answer, times in answers.most_common():
        print(f"  {times:8} {answer}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
