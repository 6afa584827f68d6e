"""Waves, the window and the longest downtime of a plan, and a journal without its plan's file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.errors import UsageProblem
from guestclock.platforms.lever import About, Acts, Restart, Target
from guestclock.repair.begun import begin, is_to_go_back, is_to_go_on, newest, plan_of
from guestclock.repair.journal import opened, path_of
from guestclock.repair.plan import Limits, Step
from guestclock.repair.steps import Outcome, State, Wishes, Work, work_of
from guestclock.repair.waves import Held, Waves, apply_in_waves
from tests.repair.levers import (
    HARD,
    NEW,
    OLD,
    SOURCE,
    FileLever,
    apply_all,
    lever_in,
    levers_in,
    made_plan,
    roll_back_all,
)

COUNT = 5


class Passive(FileLever):
    """A lever on what is no machine."""

    about = About("a text", Acts.LATER, "none", "none", "none", "the old", "the text")


def in_waves(folder: Path, waves: Waves, wishes: Wishes = HARD) -> tuple[list[Outcome], str]:
    """The outcomes, and what held the rest back."""
    plan = made_plan(COUNT)
    outcomes: list[Outcome] = []
    with opened(folder, plan.id) as journal:
        begin(plan, journal)
        work = work_of(plan.steps, levers_in(folder))
        try:
            outcomes.extend(apply_in_waves(work, waves, journal, wishes))
        except Held as held:
            return outcomes, held.message
    return outcomes, ""


@given(
    st.lists(st.booleans(), min_size=1, max_size=30),
    st.none() | st.integers(1, 9),
    st.none() | st.integers(1, 9),
)
def test_waves_have_all_steps_in_order_and_no_more_machines_than_they_may(
    clocks: list[bool], first: int | None, each: int | None
) -> None:
    levers = (Passive(Path("none")), FileLever(Path("none")))
    work: Work = tuple(
        (Step(str(at), "lever", Target("m", "m", SOURCE), OLD, NEW), levers[clock])
        for at, clock in enumerate(clocks)
    )
    waves = list(Waves(first, each).of(work))
    assert tuple(one for wave in waves for one in wave) == work
    sizes = [sum(lever.about.has_clock for _, lever in wave) for wave in waves]
    most = [first or each or len(work), *[each or len(work)] * len(waves)]
    assert all(size <= most[at] for at, size in enumerate(sizes))
    # Only the last may have fewer.
    assert all(size == most[at] for at, size in enumerate(sizes[:-1]))


def test_what_is_no_machine_goes_with_the_machine_before_it() -> None:
    passive, active = Passive(Path("none")), FileLever(Path("none"))
    steps = [Step(str(at), "lever", Target("m", "m", SOURCE), OLD, NEW) for at in range(4)]
    work: Work = tuple(zip(steps, (passive, active, passive, active), strict=True))
    assert [len(wave) for wave in Waves(1, 1).of(work)] == [3, 1]


def test_a_wave_that_is_not_verified_holds_the_rest_back(tmp_path: Path) -> None:
    lever = lever_in(tmp_path, COUNT)
    lever.put("m1", defined="absolute")
    outcomes, held = in_waves(tmp_path, Waves(1, 2))
    assert [one.state for one in outcomes] == [State.CURED, State.REFUSED, State.CURED]
    assert held == "1 of this wave were not verified: 2 steps are left alone"
    assert [lever.machines[f"m{one}"]["defined"] for one in (3, 4)] == [OLD, OLD]
    lever.put("m1", defined=OLD)
    outcomes, held = in_waves(tmp_path, Waves(each=2))
    assert ({one.state for one in outcomes}, held) == ({State.CURED}, "")


def test_outside_its_window_a_plan_changes_nothing(tmp_path: Path) -> None:
    lever_in(tmp_path, COUNT)
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    closed = replace(HARD, limits=Limits((now + hour, now + 2 * hour)))
    before = lever_in(tmp_path).machines
    outcomes = apply_all(tmp_path, made_plan(COUNT), closed)
    assert {one.state for one in outcomes} == {State.REFUSED}
    assert lever_in(tmp_path).machines == before
    opened_now = replace(HARD, limits=Limits((now - hour, now + hour)))
    outcomes = apply_all(tmp_path, made_plan(COUNT), opened_now)
    assert {one.state for one in outcomes} == {State.CURED}


def test_after_a_slow_restart_nothing_else_is_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lever_in(tmp_path, COUNT)
    ticks = iter(range(0, 1000, 90))
    monkeypatch.setattr("guestclock.repair.steps.monotonic", lambda: float(next(ticks)))
    outcomes = apply_all(tmp_path, made_plan(COUNT), replace(HARD, limits=Limits(None, 60)))
    assert [one.state for one in outcomes] == [State.CURED] + [State.WAITING] * (COUNT - 1)
    assert "took 90 s" in outcomes[0].why
    machines = lever_in(tmp_path).machines
    assert [machines[f"m{one}"]["runs"] for one in range(COUNT)] == [NEW] + [OLD] * (COUNT - 1)


def test_a_journal_has_its_plan_in_it(tmp_path: Path) -> None:
    lever_in(tmp_path, COUNT)
    plan = made_plan(COUNT)
    apply_all(tmp_path, plan)
    found = plan_of(path_of(tmp_path, plan.id))
    assert (found.id, found.digest) == (plan.id, plan.digest)


def test_the_newest_journal_with_something_to_do_is_found(tmp_path: Path) -> None:
    lever_in(tmp_path, COUNT)
    plan = made_plan(COUNT)
    apply_all(tmp_path, plan, Wishes(Restart.NEVER))
    (tmp_path / "damaged.journal").write_text("{}\n")
    where = path_of(tmp_path, plan.id)
    assert newest(tmp_path, is_to_go_on) == newest(tmp_path, is_to_go_back) == where
    apply_all(tmp_path, plan)
    with pytest.raises(UsageProblem, match="has anything to do"):
        newest(tmp_path, is_to_go_on)
    assert newest(tmp_path, is_to_go_back) == where
    roll_back_all(tmp_path, plan)
    with pytest.raises(UsageProblem, match="has anything to do"):
        newest(tmp_path, is_to_go_back)
