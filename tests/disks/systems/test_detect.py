"""Which systems a file system holds, and which it does not."""

from __future__ import annotations

import pytest

from guestclock.disks.problem import Damaged
from tests.disks.builders.bsd import freebsd_files, netbsd_files, openbsd_files
from tests.disks.builders.linux import linux_files
from tests.disks.builders.tree import Files, Link
from tests.disks.systems.asking import systems_of


@pytest.mark.parametrize(
    ("files", "family"),
    [
        (linux_files(), "linux"),
        (linux_files(distribution="alpine"), "linux"),
        (freebsd_files(), "freebsd"),
        (freebsd_files(more={"etc/os-release": b"ID=freebsd\n"}), "freebsd"),
        (openbsd_files(), "openbsd"),
        (netbsd_files(), "netbsd"),
    ],
)
def test_each_family_is_told_from_the_others(files: Files, family: str) -> None:
    assert [(base, one.family) for base, one in systems_of(files)] == [("", family)]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"lost+found/": b""},
        {"vmlinuz-6.1": b"\x7fELF", "grub/grub.cfg": b"", "loader/entries/x.conf": b""},
        {"EFI/BOOT/BOOTX64.EFI": b"MZ", "EFI/Microsoft/Boot/BCD": b"regf"},
        {
            "lib/os-release": b"ID=debian\n",
            "bin/bash": b"",
            "sbin/init": b"",
            "share/zoneinfo/": b"",
        },
        {"home/user/etc/os-release": b"ID=debian\n"},
        {"etc/fstab": b""},
        {"bsd": b"a file", "netbsd": b"another", "etc/": b""},
        {"sources/boot.wim": b"MSWIM"},
        {"usr/lib/os-release": b"ID=debian\n"},
    ],
)
def test_a_part_of_a_disk_that_is_no_root_has_no_system(files: Files) -> None:
    assert systems_of(files) == []


def test_a_root_that_cannot_be_read_is_told() -> None:
    with pytest.raises(Damaged):
        systems_of({"etc": Link("etc")})


def test_a_root_that_cannot_be_read_does_not_hide_another() -> None:
    files: dict[str, bytes | Link] = {"bin": Link("bin")}
    files |= {f"@/{path}": content for path, content in linux_files().items()}
    from guestclock.disks.budget import Budget
    from guestclock.disks.systems.detect import systems
    from tests.disks.builders.memory import MemoryFiles
    from tests.disks.systems.asking import AT

    memory = MemoryFiles(files)
    memory.name = "btrfs"
    found = systems(memory, Budget(), AT)
    assert next(found)[0] == "@"
    with pytest.raises(Damaged):
        next(found)
