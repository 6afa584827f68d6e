from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from guestclock.cli import main as program
from guestclock.databases import packaged_database, windows_zone_map
from guestclock.zones import WindowsMap, Zones

# How fast a machine is under load says nothing about what it runs.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


class OneCloud(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Every test to the next free worker, but those on OpenStack all to one: they share a cloud."""

    def _split_scope(self, nodeid: str) -> str:
        return "openstack" if nodeid.startswith("tests/real/openstack/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneCloud:
    # Not --dist loadgroup: pytest 9.2 and pytest-xdist 3.8 together take no notice of the groups.
    return OneCloud(config, log)


@pytest.fixture(scope="session")
def zones() -> Zones:
    """One database in every part, so that a test says nothing about this machine's own."""
    database = packaged_database()
    return Zones(database, database, database, WindowsMap(windows_zone_map()))


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def guestclock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The whole command in this process, as `main` runs it, with its exit code."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["guestclock", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            program.main()
        captured = capsys.readouterr()
        return Ran(int(left.value.code or 0), captured.out, captured.err)

    return run
