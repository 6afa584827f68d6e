from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from guestclock.lab.errors import LabError, MissingToolError
from guestclock.lab.guests import build


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A package folder and a cache folder of this test's own."""
    for pattern in ("*.asm", "*.inc"):
        for source in build._HERE.glob(pattern):
            (tmp_path / source.name).write_text(source.read_text())
    monkeypatch.setattr(build, "_HERE", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    build.guest_image.cache_clear()
    build.guest_file.cache_clear()
    yield tmp_path
    build.guest_image.cache_clear()
    build.guest_file.cache_clear()


@pytest.mark.parametrize(("program", "sectors"), [("guest", 8), ("cmos", 1)])
def test_a_guest_fills_its_sectors_and_can_be_booted(program: build.Program, sectors: int) -> None:
    image = build.guest_image(program)
    assert len(image) == sectors * 512
    assert image[510:512] == b"\x55\xaa"


def test_what_came_with_the_package_is_taken_as_it_is(place: Path) -> None:
    (place / "guest.bin").write_bytes(b"from the wheel")
    assert build.guest_image() == b"from the wheel"


@pytest.mark.parametrize("changed", ["cmos.asm", "calendar.inc"])
def test_nasm_is_asked_once_for_each_state_of_the_source(
    place: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    image = build.guest_image("cmos")
    monkeypatch.setenv("PATH", str(place))
    build.guest_image.cache_clear()
    assert build.guest_image("cmos") == image
    source = place / changed
    source.write_text(source.read_text() + "; another state\n")
    build.guest_image.cache_clear()
    with pytest.raises(MissingToolError) as caught:
        build.guest_image("cmos")
    assert "nasm" in (caught.value.hint or "")


def test_a_source_that_nasm_refuses_is_an_error_with_its_words(place: Path) -> None:
    (place / "cmos.asm").write_text("no such instruction at all\n")
    with pytest.raises(LabError, match=r"could not assemble .*cmos\.asm"):
        build.guest_image("cmos")
    assert list((place / "cache").rglob("*cmos*")) == []


def test_a_guest_s_file_is_the_user_s_own(place: Path) -> None:
    file = build.guest_file("cmos")
    assert file.read_bytes() == build.guest_image("cmos")
    assert file.is_relative_to(place / "cache")
