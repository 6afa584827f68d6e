"""A way into the stand-in of a cloud, for tests of what reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from guestclock.platforms.openstack.api import Api
from tests.platforms.openstack.stand_in import StandIn

Connect: TypeAlias = Callable[[StandIn], Api]


@pytest.fixture
def no_cloud_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the only clouds.yaml may lie."""
    for name in ("OS_CLOUD", "OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    path = tmp_path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return path


@pytest.fixture
def connect(no_cloud_of_the_user: Path) -> Connect:
    """Signs in to a stand-in."""

    def connected(cloud: StandIn) -> Api:
        cloud.clouds_yaml(no_cloud_of_the_user.parent)
        api = Api("stand-in")
        api.connect()
        return api

    return connected
