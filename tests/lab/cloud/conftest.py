from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guestclock.lab.cloud import Lab
from guestclock.lab.guests.disk import Kind
from tests.lab.cloud.fake import FakeGear


@pytest.fixture(scope="session", autouse=True)
def short_folders() -> Iterator[None]:
    """A folder for the sockets' folders of all labs here, most of which nobody destroys."""
    with (
        tempfile.TemporaryDirectory(prefix="gct-", dir="/tmp") as folder,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("XDG_RUNTIME_DIR", folder)
        yield


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
