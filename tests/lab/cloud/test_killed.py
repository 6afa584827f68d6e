"""What a command leaves that is killed (SIGKILL) at any point.

What a killed command leaves changes only with its effects: a commit, a file written, renamed or
removed. Each operation is run in a child process that kills itself just before its k-th effect,
for all k until it comes through; then the next command opens the lab. Nothing may be lost, stray
or half done.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guestclock.lab.cloud import Lab, rows
from tests.lab.cloud.fake import FakeGear

Operation = Callable[[Lab], object]


def new_server(lab: Lab) -> None:
    lab.servers.create("desk8", "win", "host2")


OPERATIONS: dict[str, Operation] = {
    "image create": lambda lab: lab.images.create_guest("new", lab.images.guest_setup("utc")),
    "image delete": lambda lab: lab.images.delete("lin"),
    "server create": new_server,
    "soft reboot": lambda lab: lab.servers.reboot("desk7"),
    "soft reboot of a deaf guest": lambda lab: lab.servers.reboot("deaf"),
    "hard reboot": lambda lab: lab.servers.reboot("desk7", hard=True),
    "hard reboot of a stopped server": lambda lab: lab.servers.reboot("off", hard=True),
    "stop": lambda lab: lab.servers.stop("desk7"),
    "start": lambda lab: lab.servers.start("off"),
    "rebuild": lambda lab: lab.servers.rebuild("desk7"),
    "rebuild of a stopped server": lambda lab: lab.servers.rebuild("off", "lin"),
    "snapshot": lambda lab: lab.servers.snapshot("desk7", "snap"),
    "pause": lambda lab: lab.servers.pause("desk7"),
    "unpause": lambda lab: lab.servers.unpause("paused"),
    "live migration": lambda lab: lab.servers.migrate("desk7", "host2", live=True),
    "cold migration": lambda lab: lab.servers.migrate("desk7", "host2"),
    "cold migration of a stopped server": lambda lab: lab.servers.migrate("off", "host2"),
    "server delete": lambda lab: lab.servers.delete("desk7"),
    "host delete": lambda lab: lab.hosts.delete("host3"),
    "down": lambda lab: lab.down(),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with a server in each state, to be copied for each kill."""
    folder = tmp_path_factory.mktemp("template") / "lab"
    with Lab(folder, gear=FakeGear(folder)) as lab:
        lab.hosts.set_zone("host1", "Asia/Shanghai")
        lab.hosts.create("host2", "America/New_York")
        lab.hosts.create("host3", "UTC")
        for name, deaf in (("win", False), ("lin", False), ("deaf", True)):
            lab.images.create_guest(name, lab.images.guest_setup("windows", deaf=deaf))
        for name, image in (("desk7", "win"), ("off", "win"), ("paused", "lin"), ("deaf", "deaf")):
            lab.servers.create(name, image)
        lab.servers.stop("off")
        lab.servers.pause("paused")
        lab.images.set("win", {"os_type": "windows"})
    return folder


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_next_command_finishes_or_takes_back_what_a_killed_one_left(
    name: str, template: Path, tmp_path: Path
) -> None:
    operation = OPERATIONS[name]
    before, after = outcome_of(template, tmp_path, None), outcome_of(template, tmp_path, operation)
    kills = 0
    while True:
        folder = copy_of(template, tmp_path)
        if not killed(folder, operation, kills):
            break
        said: list[str] = []
        with Lab(folder, gear=FakeGear(folder), tell=said.append) as lab:
            found = outcome(lab)
            assert found in (before, after), f"killed before effect {kills}: {said}"
            check_nothing_stray(lab)
        kills += 1
    assert kills > 10


def test_a_destroy_that_was_killed_is_finished(template: Path, tmp_path: Path) -> None:
    kills = 0
    while True:
        folder = copy_of(template, tmp_path)
        if not killed(folder, lambda lab: lab.destroy(), kills):
            break
        with Lab(folder, gear=FakeGear(folder)) as lab:
            names = [image.name for image in lab.images.list()]
            assert names in ([], ["deaf", "lin", "win"])
            check_nothing_stray(lab)
        kills += 1
    assert kills > 10
    assert not folder.exists()


def test_a_second_kill_in_the_middle_of_the_repair_does_no_harm(
    template: Path, tmp_path: Path
) -> None:
    after = outcome_of(template, tmp_path, OPERATIONS["rebuild"])
    folder = copy_of(template, tmp_path)
    at = 0
    while killed(copy_of(template, tmp_path), OPERATIONS["rebuild"], at):
        at += 1
    assert killed(copy_of(template, tmp_path), OPERATIONS["rebuild"], at * 2 // 3)
    left = tmp_path / "left"
    shutil.copytree(folder, left)
    for again in range(40):
        folder = copy_of(left, tmp_path)
        killed(folder, None, again)
        with Lab(folder, gear=FakeGear(folder)) as lab:
            assert outcome(lab) == after
            check_nothing_stray(lab)


def copy_of(template: Path, tmp_path: Path) -> Path:
    """The template at a path that stays the same, as definitions hold paths."""
    folder = tmp_path / "lab"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    for file in (folder / "hosts").glob("*/fake.json"):
        file.write_text(file.read_text().replace(str(template), str(folder)))
    return folder


def killed(folder: Path, operation: Operation | None, at: int) -> bool:
    """Whether a child that runs the operation was killed before its effect number `at`."""
    child = os.fork()
    if child == 0:
        try:
            kill_before_effect(at)
            lab = Lab(folder, gear=FakeGear(folder))
            if operation is not None:
                operation(lab)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def kill_before_effect(at: int) -> None:
    """Let this process be killed just before its effect number `at`."""
    seen = 0

    def effect() -> None:
        nonlocal seen
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir"):
            effect()
        if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            effect()

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real_connect(*arguments, **options)
        connection.set_trace_callback(lambda sql: effect() if sql == "COMMIT" else None)
        return connection

    real_connect = sqlite3.connect
    setattr(sqlite3, "connect", connect)  # noqa: B010 - mypy knows better than to assign
    sys.addaudithook(audit)


def outcome_of(template: Path, tmp_path: Path, operation: Operation | None) -> object:
    folder = copy_of(template, tmp_path)
    with Lab(folder, gear=FakeGear(folder)) as lab:
        if operation is not None:
            operation(lab)
        return outcome(lab)


def outcome(lab: Lab) -> object:
    """What a user can see: servers with their hosts, os_type and state, images, hosts."""
    servers = [
        (v.server.name, v.server.host.name, v.server.os_type, v.status, v.server.fault)
        for v in lab.servers.list()
    ]
    images = [(i.name, i.status, tuple(sorted(i.properties))) for i in lab.images.list()]
    return servers, images, [host.name for host in lab.hosts.list()]


def check_nothing_stray(lab: Lab) -> None:
    """Every machine, definition and file belongs to a row, and the other way round."""
    with lab._site.store.reading() as connection:
        assert rows.tasks(connection) == []
        servers, images = rows.servers(connection), rows.images(connection)
    hosts = FakeGear(lab.folder).hosts()
    running = {(host.name, name) for host in hosts for name in host.state()["running"]}
    on = [server for server in servers if server.vm_state in ("active", "paused")]
    assert running == {(server.host.name, server.domain) for server in on}
    defined = {(host.name, name) for host in hosts for name in host.names()}
    assert defined == {(server.host.name, server.domain) for server in servers}
    paused = {
        name
        for host in hosts
        for name, machine in host.state()["running"].items()
        if machine["paused"]
    }
    assert paused == {server.domain for server in on if server.vm_state == "paused"}
    disks = {path.name for path in (lab.folder / "servers").iterdir()}
    assert disks == {server.uuid for server in servers}
    files = {path.name for path in (lab.folder / "images").iterdir()}
    assert files == {image.uuid for image in images}
