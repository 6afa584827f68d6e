"""A Debian from Debian's own packages, as images for clouds have it: mmdebstrap makes the tree."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from guestclock.lab.linux import SAY
from tests.disks.builders.volumes import make_disk

_SUITE = "bookworm"
_PACKAGES = "linux-image-cloud-amd64,initramfs-tools,systemd-sysv,tzdata"
_SIZE = "1G"


@dataclass(frozen=True)
class Debian:
    """A raw disk with a GPT, and what starts the system on it."""

    disk: Path
    kernel: Path
    initrd: Path
    append: str


def make_debian(folder: Path, zone: str, adjtime: str) -> Debian:
    """A Debian whose /etc/adjtime has that third line; at boot it tells its clock."""
    tree, packed = folder / "tree", folder / "tree.tar"
    tree.mkdir()
    make = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", _SUITE]
    subprocess.run([*make, str(packed)], check=True, capture_output=True)
    # Whose the files are is kept in one run: as another user they are only said to be root's.
    with (folder / "finish").open("w") as script:
        script.write(_FINISH.format(tree=tree, packed=packed, zone=zone, root=folder / "root"))
    (folder / "adjtime").write_text(f"0.0 0 0.0\n0\n{adjtime}\n")
    (folder / "say.service").write_text(_SERVICE.format(say=SAY.replace("%", "%%")))
    as_root = [] if os.geteuid() == 0 else ["fakeroot"]
    subprocess.run([*as_root, "sh", "-e", "finish"], cwd=folder, check=True, capture_output=True)
    packed.unlink()
    disk = make_disk(folder / "disk", [folder / "root"])
    (folder / "root").unlink()
    (kernel,), (initrd,) = (
        list((tree / "boot").glob(f"{one}-*")) for one in ("vmlinuz", "initrd.img")
    )
    return Debian(disk, kernel, initrd, "root=/dev/vda1 ro systemd.unit=say.service")


_FINISH = f"""\
tar -C {{tree}} -xf {{packed}} --exclude='./dev/*'
cp adjtime {{tree}}/etc/adjtime
ln -sf ../usr/share/zoneinfo/{{zone}} {{tree}}/etc/localtime
echo {{zone}} >{{tree}}/etc/timezone
cp say.service {{tree}}/etc/systemd/system/say.service
truncate -s {_SIZE} {{root}}
mke2fs -q -t ext4 -d {{tree}} {{root}}
"""

_SERVICE = """\
[Unit]
Description=tells the clock

[Service]
Type=oneshot
ExecStart=/bin/sh -c '{say}'
"""
