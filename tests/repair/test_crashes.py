"""A plan that is killed at each point, and then resumed or rolled back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.repair.journal import Event, path_of, read
from guestclock.repair.plan import Plan
from guestclock.repair.steps import State, Wishes
from tests.repair.levers import (
    NEW,
    OLD,
    apply_all,
    killed_at,
    lever_in,
    made_plan,
    roll_back_all,
)

COUNT = 3
PLAN = made_plan(COUNT)
DO: dict[str, Callable[[Path, Plan], object]] = {"apply": apply_all, "rollback": roll_back_all}


def check(folder: Path, value: str) -> None:
    """All machines of the plan have and run with the value, and nothing else was changed."""
    machines = lever_in(folder).machines
    assert machines.pop("bystander") == {"defined": OLD, "runs": OLD}
    assert machines == {f"m{one}": {"defined": value, "runs": value} for one in range(COUNT)}


def check_half(folder: Path) -> None:
    """Each machine is fully old or fully new, and what is new was announced before."""
    machines = lever_in(folder).machines
    journal = path_of(folder, PLAN.id)
    announced = {
        one.step for one in (read(journal) if journal.exists() else []) if one.event is Event.INTENT
    }
    for step in PLAN.steps:
        machine = machines[step.target.name]
        assert machine["defined"] in (OLD, NEW)
        assert machine["defined"] == OLD or step.id in announced


@pytest.mark.parametrize("after", DO)
@pytest.mark.parametrize("first", DO)
def test_killed_at_each_point_it_goes_on_or_back(tmp_path: Path, first: str, after: str) -> None:
    deaths = 0
    while True:
        folder = tmp_path / str(deaths)
        folder.mkdir()
        lever_in(folder, COUNT)
        if first == "rollback":
            apply_all(folder, PLAN)
        if not killed_at(deaths, lambda: DO[first](folder, PLAN)):  # noqa: B023 - done at once
            break
        check_half(folder)
        DO[after](folder, PLAN)
        check(folder, NEW if after == "apply" else OLD)
        deaths += 1
    # Before, in and after each line, before and after each write and each restart.
    assert deaths > COUNT * 12


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(DO)), st.integers(0, 70)), max_size=6),
    st.sampled_from(sorted(DO)),
)
def test_killed_again_and_again(
    tmp_path_factory: pytest.TempPathFactory, lives: list[tuple[str, int]], last: str
) -> None:
    folder = tmp_path_factory.mktemp("lives")
    lever_in(folder, COUNT)
    for what, point in lives:
        killed_at(point, lambda: DO[what](folder, PLAN))  # noqa: B023 - done at once
        check_half(folder)
    DO[last](folder, PLAN)
    check(folder, NEW if last == "apply" else OLD)


def test_a_second_apply_changes_and_starts_nothing(tmp_path: Path) -> None:
    lever = lever_in(tmp_path, COUNT)
    assert {one.state for one in apply_all(tmp_path, PLAN)} == {State.CURED}
    before = (path_of(tmp_path, PLAN.id).read_bytes(), lever.machines)
    assert {one.state for one in apply_all(tmp_path, PLAN)} == {State.CURED}
    assert (path_of(tmp_path, PLAN.id).read_bytes(), lever.machines) == before


def test_what_somebody_else_did_is_neither_taken_for_ours_nor_put_back(tmp_path: Path) -> None:
    lever = lever_in(tmp_path, COUNT)
    lever.put("m0", defined=NEW, runs=NEW)
    lever.put("m1", defined="absolute")
    states = [one.state for one in apply_all(tmp_path, PLAN)]
    assert states == [State.ALREADY, State.REFUSED, State.CURED]
    lever.put("m2", defined="absolute")
    states = [one.state for one in roll_back_all(tmp_path, PLAN)]
    assert states == [State.LEFT] * 3
    assert [lever.machines[f"m{one}"]["defined"] for one in range(COUNT)] == [
        NEW,
        "absolute",
        "absolute",
    ]


def test_a_machine_that_is_gone_stops_no_other(tmp_path: Path) -> None:
    lever_in(tmp_path, COUNT - 1)
    states = [one.state for one in apply_all(tmp_path, PLAN)]
    assert states == [State.CURED, State.CURED, State.REFUSED]


def test_what_cannot_be_verified_is_not_begun(tmp_path: Path) -> None:
    lever = lever_in(tmp_path, 1)
    lever.put("m0", runs="hidden")
    plan = made_plan(1)
    assert [one.state for one in apply_all(tmp_path, plan)] == [State.REFUSED]
    assert lever.machines["m0"]["defined"] == OLD
    told = [one.event for one in read(path_of(tmp_path, plan.id))]
    assert told == [Event.BEGUN, Event.REFUSED]
    outcomes = apply_all(tmp_path, plan, Wishes(unverified=True))
    assert [one.state for one in outcomes] == [State.WAITING]
    assert lever.machines["m0"]["defined"] == NEW
