"""A lever on a file that stands for a platform, and crashes at any point of a plan's life."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from guestclock.platforms.lever import About, Acts, Reading, Refused, Restart, Target
from guestclock.repair import apply, begun, rollback
from guestclock.repair.journal import Entry, Event, Journal, opened
from guestclock.repair.plan import Plan, Step
from guestclock.repair.steps import Levers, Outcome, Wishes, work_of

SOURCE = "file"
OLD, NEW, OTHER = "utc", "localtime", "absolute"
HARD = Wishes(Restart.HARD)


class FileLever:
    """Machines as lines of a JSON file: their definition, and what they run with."""

    about = About("a file", Acts.COLD_START, "none", "none", "none", "the old", "the file")

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def machines(self) -> dict[str, dict[str, str | None]]:
        found: dict[str, dict[str, str | None]] = json.loads(self._file.read_text())
        return found

    def put(self, name: str, **values: str | None) -> None:
        changed = self.machines
        changed.setdefault(name, {}).update(values)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(changed))
        new.replace(self._file)

    def checked(self, value: str) -> str:
        assert value in (OLD, NEW, OTHER)
        return value

    def read(self, target: Target) -> str:
        machine = self.machines.get(target.name)
        if machine is None:
            raise Refused("it is gone")
        return str(machine["defined"])

    def write(self, target: Target, old: str, new: str) -> None:
        if self.read(target) != old:
            raise Refused("it was changed")
        self.put(target.name, defined=new)

    def restart(self, target: Target, how: Restart) -> None:
        self.stop(target.name)
        self.put(target.name, runs=self.read(target))

    def stop(self, name: str) -> None:
        self.put(name, runs=None)

    def reading(self, target: Target) -> Reading:
        self.read(target)
        runs = self.machines[target.name]["runs"]
        if runs == "hidden":
            raise Refused("nobody sees it")
        return Reading(runs, 0)


def made_plan(count: int) -> Plan:
    steps = tuple(
        Step(
            str(number), "file-clock", Target(str(UUID(int=number)), f"m{number}", SOURCE), OLD, NEW
        )
        for number in range(count)
    )
    return Plan("plan", datetime(2026, 11, 24, tzinfo=UTC), steps)


def lever_in(folder: Path, count: int = 0) -> FileLever:
    file = folder / "machines.json"
    if not file.exists():
        machines = {f"m{number}": {"defined": OLD, "runs": OLD} for number in range(count)}
        # One that no plan names.
        file.write_text(json.dumps({**machines, "bystander": {"defined": OLD, "runs": OLD}}))
    return FileLever(file)


def levers_in(folder: Path) -> Levers:
    return {("file-clock", SOURCE): lever_in(folder)}


def apply_all(folder: Path, plan: Plan, wishes: Wishes = HARD) -> list[Outcome]:
    with opened(folder, plan.id) as journal:
        begun.begin(plan, journal)
        return list(apply.apply(work_of(plan.steps, levers_in(folder)), journal, wishes))


def roll_back_all(folder: Path, plan: Plan) -> list[Outcome]:
    with opened(folder, plan.id) as journal:
        return list(rollback.rollback(work_of(plan.steps, levers_in(folder)), journal, HARD))


def killed_at(point: int, do: Callable[[], Any]) -> bool:
    """Whether doing it in a process of its own came to its point of that number, and died there.

    The points lie before and after each line of the journal, each write and each restart; a
    writing is also cut in the middle of its line.
    """
    child = os.fork()
    if child == 0:
        count_down(point, *((FileLever, name) for name in ("write", "restart", "stop")))
        do()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return os.WIFSIGNALED(status)


def count_down(point: int, *methods: tuple[type, str]) -> None:
    """Has this process kill itself at its point of that number: before and after each method."""
    left = [point]

    def here() -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def around(kind: type, name: str) -> None:
        real = getattr(kind, name)

        def wrapped(*args: Any, **more: Any) -> Any:
            here()
            done = real(*args, **more)
            here()
            return done

        setattr(kind, name, wrapped)

    def torn(self: Journal, event: Event, step: str = "", **told: Any) -> Entry:
        if left[0] == 0:
            descriptor = self._descriptor
            os.lseek(descriptor, 0, os.SEEK_END)
            os.write(descriptor, b'{"event": "in')
        here()
        return real_write(self, event, step, **told)

    real_write = Journal.write
    Journal.write = torn  # type: ignore[method-assign]
    around(Journal, "write")
    for kind, name in methods:
        around(kind, name)
