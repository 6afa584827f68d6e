from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guestclock.lab.cloud import Lab
from guestclock.lab.guests.disk import Kind
from tests.lab.cloud.fake import FakeGear

Opener = Callable[[], Lab]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def opened(tmp_path: Path, said: list[str]) -> Opener:
    """Opens the same lab each time, as each command does."""
    folder = tmp_path / "lab"
    return lambda: Lab(folder, tell=said.append, gear=FakeGear(folder))


@pytest.fixture
def lab(opened: Opener) -> Iterator[Lab]:
    """A lab with a Windows and a Linux image without os_type, on a host in Shanghai."""
    with opened() as lab:
        lab.hosts.set_zone("host1", "Asia/Shanghai")
        kinds: dict[str, Kind] = {"win": "windows", "lin": "utc"}
        for name, kind in kinds.items():
            setup = lab.images.guest_setup(kind, "Asia/Shanghai")
            lab.images.create_guest(name, setup, "Asia/Shanghai")
        yield lab
