"""Life-cycle cases on a real cloud: what was foretold, what is known of Nova, what QEMU does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.real.openstack.cloud import Cloud
from tests.real.openstack.experiments import CASES, Case
from tests.real.openstack.foretelling import error_of, explained
from tests.real.openstack.reader import Reader

pytestmark = pytest.mark.real

AT_ONCE = 4
TOLERANCE = 5
SHANGHAI = 8 * 3600
WRONG = re.compile("will be [^;]*(behind|ahead) after its next cold start")


@dataclass(frozen=True)
class Lived:
    """A server's life: its RTC at first and after each step, and what was said before each."""

    measured: tuple[float, ...]
    explanations: tuple[Any, ...]


def live(case: Case, cloud: Cloud) -> Lived:
    """Makes the server, and asks, acts and measures by turns."""
    server = case.made(cloud)
    measured, explanations = [cloud.rtc_offset(server)], []
    for step in case.steps:
        explanations.append(explained(cloud.bed, server, case.guest))
        step.operation(cloud, server)
        measured.append(cloud.rtc_offset(server))
    return Lived(tuple(measured), tuple(explanations))


@pytest.fixture(scope="module")
def lives(
    cloud: Cloud, reader: Reader, request: pytest.FixtureRequest
) -> Iterator[dict[Case, Future[Lived]]]:
    """The lives of the cases that are run, side by side: most of each is waiting."""
    names = {item.name for item in request.session.items if item.path == request.path}
    wanted = [case for case in CASES if any(f"[{case.name}]" in name for name in names)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {case: pool.submit(live, case, cloud) for case in wanted}
        pool.shutdown(cancel_futures=True)
    cloud.clean()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_clock_does_what_was_foretold(case: Case, lives: dict[Case, Future[Lived]]) -> None:
    lived = lives[case].result()
    known = [case.rtc, *(step.rtc for step in case.steps)]
    assert list(lived.measured) == pytest.approx(known, abs=TOLERANCE)
    errors = [
        measured - (SHANGHAI if case.guest == "windows" else 0) for measured in lived.measured
    ]
    now = [error_of(explanation, "now") for explanation in lived.explanations]
    assert now == pytest.approx(errors[:-1], abs=TOLERANCE)
    for step, told, error in zip(case.steps, lived.explanations, errors[1:], strict=True):
        expected = None if step.untold else pytest.approx(error, abs=TOLERANCE)
        assert error_of(told, step.foretold) == expected, step.foretold


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict_is_that_of_the_next_hard_reboot(
    case: Case, lives: dict[Case, Future[Lived]]
) -> None:
    for told in lives[case].result().explanations:
        after = error_of(told, "after_hard_reboot")
        assert after is not None
        assert after == error_of(told, "after_cold_start") == error_of(told, "after_stop_start")
        right = abs(after) < TOLERANCE
        assert told["fault"] == (None if right else "whole-zone step")
        assert bool(WRONG.search(told["verdict"])) != right
        wrong = [hop["name"] for hop in told["hops"] if hop["should"] not in (None, hop["says"])]
        assert right or wrong
