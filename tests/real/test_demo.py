"""The demo as a user plays it, and its report in a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from guestclock.lab.hypervisor.processes import living_in

pytestmark = pytest.mark.real


@pytest.mark.parametrize("hypervisor", ["libvirt", "qemu"])
def test_the_demo_plays_to_its_end_and_leaves_nothing(hypervisor: str, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    state = tmp_path / "state"
    played = subprocess.run(
        [
            *(sys.executable, "-m", "guestclock", "demo"),
            *(f"--hypervisor={hypervisor}", f"--report={report}"),
        ],
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert " 1  created               −8 h        right       −8 h " in played.stdout
    assert "6 of 6 clocks are right in the end; 30 of 30 cold starts" in played.stdout
    assert played.stderr == f"guestclock demo: the report is in {report}\n"
    assert list(living_in(state)) == []
    assert not (state / "guestclock" / "demo").exists()
    drawn = _rendered(report, tmp_path)
    assert drawn.count("<svg") == 6
    assert drawn.count('class="badge') > 60


def _rendered(report: Path, tmp_path: Path) -> str:
    """The page as a browser has understood it."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    shown = subprocess.run(
        ["chromium", *options, f"--user-data-dir={tmp_path / 'profile'}", report.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return shown.stdout
