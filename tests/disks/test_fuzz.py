"""A little of `make fuzz`: broken images through the whole of the reading process."""

from __future__ import annotations

from pathlib import Path

from tests.disks.fuzz import run


def test_broken_images_are_answered(tmp_path: Path) -> None:
    answers = run(tmp_path, count=600, seconds=60, number=1)
    assert answers.total() == 600
    assert answers["system"] > 100
    assert answers["damaged"] > 0
