from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from guestclock.lab import cpio


def test_busybox_unpacks_an_archive_to_what_went_in(tmp_path: Path) -> None:
    archive = cpio.archive(
        [
            cpio.file("/init", b"#!/bin/sh\n", executable=True),
            cpio.file("/etc/deep/er/file", b"odd"),
            cpio.file("/etc/empty", b""),
            cpio.folder("/sys"),
        ]
    )
    subprocess.run(["busybox", "cpio", "-i"], input=archive, cwd=tmp_path, check=True)
    assert (tmp_path / "init").read_bytes() == b"#!/bin/sh\n"
    assert os.access(tmp_path / "init", os.X_OK)
    assert (tmp_path / "etc/deep/er/file").read_bytes() == b"odd"
    assert (tmp_path / "etc/empty").read_bytes() == b""
    assert list((tmp_path / "sys").iterdir()) == []


def test_a_device_has_its_numbers_and_kind() -> None:
    archive = cpio.archive([cpio.character_device("/dev/console", 5, 1)])
    # The header of /dev comes first; each has 13 fields of 8 digits.
    header = archive[archive.index(b"070701", 6) :]
    fields = [int(header[6 + 8 * n : 14 + 8 * n], 16) for n in range(13)]
    assert stat.S_ISCHR(fields[1])
    assert fields[9:11] == [5, 1]
    assert header[110:].startswith(b"dev/console\0")
