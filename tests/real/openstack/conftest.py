"""A real OpenStack for the tests of this folder, once per run (see bed/README.md)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.openstack.cloud import Cloud
from tests.real.openstack.filled_databases import filled, new_user
from tests.real.openstack.reader import Reader, reading
from tests.real.openstack.running import NO_PROXY, Bed, running
from tests.real.openstack.servers_of_sql import SqlServer, mariadb, postgresql

HERE = Path(__file__).parent
PATIENCE = 900
"""Seconds for one test: the first waits for the whole cloud, and perhaps beside other tests."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.timeout(PATIENCE))
    if ours and os.geteuid() != 0:
        why = f"{len(ours)} tests of {HERE.name} are left out: it takes root to start a cloud"
        warnings.warn(pytest.PytestWarning(why), stacklevel=1)
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    """A cloud that is up, and this process as its administrator sees the world."""
    with running() as bed, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("OS_")]:
            patch.delenv(name)
        for name, value in (bed.environment | NO_PROXY).items():
            patch.setenv(name, value)
        yield bed


@pytest.fixture(scope="session")
def reader(bed: Bed) -> Iterator[Reader]:
    """A user of the databases with the least rights, whose URLs are in the environment."""
    with reading(bed, f"suite_{os.getpid()}") as reader, pytest.MonkeyPatch.context() as patch:
        for variable, value in reader.environment.items():
            patch.setenv(variable, value)
        yield reader


@pytest.fixture(scope="session")
def cloud(bed: Bed) -> Iterator[Cloud]:
    """Servers and images of this process's own, all gone in the end."""
    cloud = Cloud(bed, f"suite-{os.getpid()}-")
    cloud.lift_quota()
    try:
        yield cloud
    finally:
        cloud.clean()


@pytest.fixture(scope="module", params=[mariadb, postgresql], ids=lambda one: str(one.__name__))
def sql(request: pytest.FixtureRequest) -> Iterator[SqlServer]:
    """A server of each kind with the databases of a small cloud."""
    with filled(request.param()) as server:
        yield server


@pytest.fixture
def user() -> str:
    """The name of a user that nobody has yet."""
    return new_user()
