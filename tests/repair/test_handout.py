from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from guestclock.repair.handout import HANDOUTS, Form, handout
from tests.conftest import Run
from tests.disks.builders.hive import Value, dword
from tests.disks.builders.windows import system_hive
from tests.disks.registry.reading import opened

KEY = "Control\\TimeZoneInformation"
NAME = "RealTimeIsUniversal"


def universal(hive: bytes) -> bytes | None:
    """What a SYSTEM hive has under that name."""
    key = opened(hive).key(f"ControlSet001\\{KEY}")
    assert key is not None
    value = key.value(NAME)
    return None if value is None else value.data


@pytest.mark.parametrize(
    ("before", "undo", "after"),
    [
        (None, False, b"\1\0\0\0"),
        (dword(NAME, 0), False, b"\1\0\0\0"),
        (dword(NAME, 1), True, None),
    ],
)
def test_hivex_takes_the_reg_file(
    tmp_path: Path, before: Value | None, undo: bool, after: bytes | None
) -> None:
    hive, reg = tmp_path / "SYSTEM", tmp_path / "keep-utc.reg"
    hive.write_bytes(system_hive(universal=before))
    text = handout("windows-utc", Form.REG, undo)
    # A Windows that runs has this as a link to the control set that it runs with.
    reg.write_bytes(text.replace("CurrentControlSet", "ControlSet001").encode())
    prefix = "HKEY_LOCAL_MACHINE\\SYSTEM"
    subprocess.run(["hivexregedit", "--merge", "--prefix", prefix, hive, reg], check=True)
    assert universal(hive.read_bytes()) == after


def test_every_form_is_given_and_taken_back(guestclock: Run) -> None:
    for what, forms in HANDOUTS.items():
        for form in forms:
            given = guestclock("handout", what, "-f", form.value)
            undone = guestclock("handout", what, "-f", form.value, "--undo")
            assert (given.code, undone.code) == (0, 0)
            assert given.out != undone.out
    wrong = guestclock("handout", "linux-utc", "-f", "reg")
    assert (wrong.code, "-f shell or cloud-init" in wrong.err) == (2, True)


def test_the_reg_file_is_written_as_windows_wants_it(guestclock: Run, tmp_path: Path) -> None:
    file = tmp_path / "keep-utc.reg"
    assert guestclock("handout", "windows-utc", "-o", str(file)).code == 0
    lines = file.read_bytes().split(b"\r\n")
    assert lines[0] == b"Windows Registry Editor Version 5.00"
    assert b"\n" not in b"".join(lines)
