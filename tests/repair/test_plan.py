from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.errors import UsageProblem
from guestclock.platforms.lever import Target
from guestclock.repair.plan import Open, Plan, Step, load, text_of

MADE = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
UUID = "8b0ae4a5-6d0e-4f64-9f6a-6a0ef2a3c1d2"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
STEPS = st.builds(
    Step,
    st.just("1"),
    st.just("libvirt-clock"),
    st.builds(Target, st.uuids().map(str), TEXTS, TEXTS),
    TEXTS,
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    TEXTS,
)
OPEN = st.builds(Open, TEXTS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple), TEXTS)


def step(number: int = 1, **fields: str) -> str:
    values = {
        "id": str(number),
        "name": "desk7",
        "machine": UUID,
        "source": "qemu:///system",
        "lever": "libvirt-clock",
        "old": "a",
        "new": "b",
    } | fields
    return "[[step]]\n" + "".join(f"{key} = '{value}'\n" for key, value in values.items())


HEAD = "version = 1\nid = 'p1'\nmade = 2026-11-24T00:00:00Z\n"


@given(STEPS, OPEN)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, one: Step, left: Open
) -> None:
    plan = Plan("20261124-010203-ab12", MADE, (one,), (left,))
    file = tmp_path_factory.mktemp("plan") / "plan.toml"
    file.write_text(text_of(plan), encoding="utf-8", newline="")
    assert load(file) == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 2\n", "reads plans of version 1"),
        (HEAD.replace("p1", "../p1"), "id is '../p1', which it cannot be"),
        (HEAD.replace("2026-11-24T00:00:00Z", "'now'"), "made is no instant"),
        (HEAD + "step = 1\n", r"write each step as \[\[step\]\]"),
        (HEAD + "[[steps]]\n", "'steps' is no part of a plan"),
        (HEAD + step(machine="desk7"), "step 1: machine is 'desk7', which it cannot be"),
        (HEAD + step(lever="rm -rf"), "lever is 'rm -rf', which it cannot be"),
        (HEAD + step(command="reboot"), "'command' is no part of a plan"),
        (HEAD + step() + step(), "two steps have one id"),
        (HEAD + step(new="x" * 2000), "new is no text, or a very long one"),
        ("version = \n", "is no plan"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text)
    with pytest.raises(UsageProblem, match=said):
        load(file)


def test_another_value_is_another_plan_and_another_reason_is_not(tmp_path: Path) -> None:
    digests = []
    for text in (step(), step(why="because"), step(new="c"), step(machine=UUID[:-1] + "3")):
        file = tmp_path / "plan.toml"
        file.write_text(HEAD + text)
        digests.append(load(file).digest)
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
