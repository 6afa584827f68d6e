"""Life-cycle cases on a real cloud: what was foretold, what is known of Nova, what QEMU does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.real.openstack.cloud import Cloud
from tests.real.openstack.experiments import CASES, Case
from tests.real.openstack.foretelling import Foretelling, error_of
from tests.real.openstack.reader import Reader
from tests.real.openstack.running import Bed

pytestmark = pytest.mark.real

AT_ONCE = 4
TOLERANCE = 5
SHANGHAI = 8 * 3600


@pytest.fixture(scope="module")
def servers(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[dict[Case, Future[str]]]:
    """The servers of the cases that are run, made side by side while the first are looked at."""
    names = {item.name for item in request.session.items if item.path == request.path}
    wanted = [case for case in CASES if any(f"[{case.name}]" in name for name in names)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {case: pool.submit(case.made, cloud) for case in wanted}
        pool.shutdown(cancel_futures=True)
    cloud.clean()


@pytest.fixture
def foretelling(bed: Bed, reader: Reader, tmp_path: Path) -> Foretelling:
    return Foretelling(bed, tmp_path / "guests.toml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_clock_does_what_was_foretold(
    case: Case,
    servers: dict[Case, Future[str]],
    cloud: Cloud,
    foretelling: Foretelling,
    guestclock: Run,
) -> None:
    server = servers[case].result()
    foretelling.is_guest(server, case.guest)
    assumed = SHANGHAI if case.guest == "windows" else 0
    explained = foretelling.explained(guestclock, server)
    measured = cloud.rtc_offset(server)
    assert measured == pytest.approx(case.rtc, abs=TOLERANCE)
    assert error_of(explained, "now") == pytest.approx(measured - assumed, abs=TOLERANCE)
    for step in case.steps:
        step.operation(cloud, server)
        measured = cloud.rtc_offset(server)
        assert measured == pytest.approx(step.rtc, abs=TOLERANCE), step.foretold
        foretold = error_of(explained, step.foretold)
        expected = None if step.untold else pytest.approx(measured - assumed, abs=TOLERANCE)
        assert foretold == expected, step.foretold
        explained = foretelling.explained(guestclock, server)
        now = error_of(explained, "now")
        assert now == pytest.approx(measured - assumed, abs=TOLERANCE), step.foretold
