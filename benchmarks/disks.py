"""What `guestclock inspect` reads and takes on a Windows disk of 40 GiB.

    python benchmarks/disks.py [--rounds N]

The disk has some 19,000 files and hives of a server's size, and is sparse: it is made anew in a
temporary folder, raw, as qcow2 and as compressed qcow2. Bytes of the file are compared with the
floor: what the readers asked for, each byte once, which is what an ideal cache would fetch. At
most twice the floor is promised for the disks that are not compressed. Where virt-inspector is
installed it is timed on the same image in turns with guestclock, without KVM, its appliance built
before; then 300 times is promised.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from guestclock.disks import inspect
from guestclock.disks.budget import Budget
from guestclock.disks.containers.interface import NoReferences
from guestclock.disks.source import FileSource, Paged
from guestclock.disks.systems.interface import Moment
from tests.disks.builders.containers import make_container
from tests.disks.builders.hive import Value, dword, sz
from tests.disks.builders.ntfs import format_ntfs, opened
from tests.disks.builders.windows import CONFIG, software_hive, system_hive, windows_files

GIB = 1 << 30
_SIZE = 40 * GIB
_FIRST = 1 << 20
_FILES, _FOLDERS, _LIBRARIES = 16_000, 40, 3_000
_KEYS, _PARTS, _CLASSES = 20_000, 25, 120_000
_PROGRAMS = 40
TWICE, TIMES = 2.0, 300


class Counted(FileSource):
    """Counts the bytes that are read from the file."""

    read = 0

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`."""
        self.read += count
        return super().read_at(offset, count)


class Asking(Paged):
    """Notes what is asked of the file."""

    asked: list[tuple[int, int]]

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`."""
        type(self).asked.append((offset, count))
        return super().read_at(offset, count)


def make_windows(folder: Path) -> Path:
    """The raw disk: an MBR with one NTFS, most of it holes."""
    part, disk = format_ntfs(folder / "part", _SIZE - 2 * _FIRST), folder / "disk.raw"
    with opened(part) as volume:
        for number in range(_FILES):
            below = f"Windows/WinSxS/folder{number % _FOLDERS:03}"
            volume.write(f"{below}/a file of some name {number:05}.dll", b"x")
        for number in range(_LIBRARIES):
            volume.write(f"Windows/System32/some library {number:05}.dll", b"x")
        for path, content in _windows().items():
            volume.write(path, content)
    with disk.open("wb") as file:
        file.truncate(_SIZE)
    table = f"label: dos\nstart=2048,size={(_SIZE - 2 * _FIRST) // 512},type=7,bootable\n"
    subprocess.run(["sfdisk", "-q", str(disk)], input=table, text=True, check=True)
    copy = ["dd", f"if={part}", f"of={disk}", "bs=1M", "seek=1", "conv=notrunc,sparse"]
    subprocess.run([*copy, "status=none"], check=True)
    part.unlink()
    return disk


def _windows() -> dict[str, bytes]:
    """A Windows with hives of some 10 and 70 MB, and the file that virt-inspector knows one by."""
    services: dict[str, list[Value]] = {
        f"Services\\service{number // _PARTS:03}\\part{number % _PARTS:02}": [
            dword("Start", 3),
            dword("Type", 1),
            sz("ImagePath", f"\\SystemRoot\\System32\\drivers\\service{number:05}.sys"),
            sz("DisplayName", "A service of some name"),
        ]
        for number in range(_KEYS)
    }
    classes = {
        f"Classes\\Part{number % 3}\\CLSID\\{number:08x}-0000-0000-c000\\InprocServer32": [
            sz("", f"C:\\Windows\\System32\\some library {number % _LIBRARIES:05}.dll"),
            sz("ThreadingModel", "Both"),
        ]
        for number in range(_CLASSES)
    }
    programs = {
        f"Microsoft\\Windows\\CurrentVersion\\Uninstall\\program{number:02}": [
            sz("DisplayName", f"Program {number}"),
            sz("DisplayVersion", f"1.{number}"),
        ]
        for number in range(_PROGRAMS)
    }
    return windows_files() | {
        f"{CONFIG}/SYSTEM": system_hive(more=services),
        f"{CONFIG}/SOFTWARE": software_hive(more=classes | programs),
        "Windows/System32/cmd.exe": _program(),
    }


def _program() -> bytes:
    """The head of a program for x86-64: virt-inspector wants to know the architecture."""
    head = b"MZ".ljust(0x3C, b"\0") + (0x80).to_bytes(4, "little")
    machine, no_sections, optional = b"\x64\x86", bytes(2 + 12), b"\xf0\x00\x22\x00"
    pe = b"PE\0\0" + machine + no_sections + optional + b"\x0b\x02".ljust(240, b"\0")
    return (head.ljust(0x80, b"\0") + pe).ljust(1024, b"\0")


def bytes_read(image: Path) -> tuple[int, int]:
    """Bytes that were read of the file, and the floor."""
    Asking.asked = []
    inspect.Paged = Asking  # type: ignore[attr-defined]
    budget = Budget()
    descriptor = os.open(image, os.O_RDONLY)
    try:
        file = Counted(descriptor)
        found = inspect.inspect_source(
            file, image.name, NoReferences(), budget, Moment(int(time.time()))
        )
    finally:
        os.close(descriptor)
    assert [one.system.rtc for one in found.systems] == ["local"], found
    floor = end = 0
    for offset, count in sorted(Asking.asked):
        floor += max(0, offset + count - max(offset, end))
        end = max(end, offset + count)
    return file.read, floor


def seconds(command: list[str], rounds: int) -> float:
    """The median time of a command."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def compare(image: Path, rounds: int) -> None:
    """Prints how much faster than virt-inspector the whole command is."""
    # What is installed has its modules compiled; a working copy may not.
    compileall.compile_dir(Path(inspect.__file__).parent.parent, quiet=1)
    program = Path(sys.executable).parent / "guestclock"
    ours = [str(program), "inspect", "-f", "json", str(image)]
    bare = [sys.executable, "-c", "pass"]
    seconds(ours, 2)
    print(f"inspect: {seconds(ours, rounds) / seconds(bare, rounds):.1f} times `python -c pass`")
    if shutil.which("virt-inspector") is None:
        print("virt-inspector is not installed: not compared")
        return
    os.environ |= {"LIBGUESTFS_BACKEND": "direct", "LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"}
    theirs = ["virt-inspector", "-a", str(image)]
    told = subprocess.run(theirs, check=True, capture_output=True, text=True).stdout
    assert "<product_name>Windows Server 2022 Standard" in told, told
    ratio = seconds(theirs, 1) / seconds(ours, rounds)
    print(f"virt-inspector takes {ratio:.0f} times as long, promised at least {TIMES}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="how often each is run")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="guestclock-disks-") as folder:
        disk = make_windows(Path(folder))
        images = {"raw": disk}
        for name in ("qcow2", "qcow2-zlib"):
            images[name] = make_container(disk, Path(folder) / name, name)
        for name, image in images.items():
            paid, floor = bytes_read(image)
            print(f"{name:<11} {paid:>9} bytes, {paid / floor:.2f} times the floor of {floor}")
        print(f"promised at most {TWICE} times where nothing is compressed")
        compare(images["qcow2"], rounds)


if __name__ == "__main__":
    main()
