"""A lab's host after whatever was killed, and under several commands at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor import end_everything, processes
from guestclock.lab.hypervisor.interface import Hypervisor, Kind
from tests.real.labhost import HOUR, NAME, Lab, about, lab_in, offset

pytestmark = pytest.mark.real

ZONE = "Asia/Shanghai"
LOCALTIME = "<clock offset='localtime'/>"

# Does what the tests do, in a process that dies of SIGKILL before or after a call to one
# function: MODULE CLASS-or-"" FUNCTION WHEN HOSTS KIND DEFINITION ACTIONS...
VICTIM = """
import importlib, os, signal, sys
from pathlib import Path

module, owner, function, when, hosts, kind, xml, *actions = sys.argv[1:]
holder = importlib.import_module(module)
holder = getattr(holder, owner) if owner else holder
real = getattr(holder, function)

def deadly(*arguments, **named):
    if when == "after":
        real(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

from guestclock.lab.hypervisor import open_host

def host(name):
    return open_host(Path(hosts) / name, name, "Asia/Shanghai", None, kind)

setattr(holder, function, deadly)
here = host("a")
if xml:
    here.define(xml)
for action in actions:
    if action == "migrate":
        here.migrate("instance-00000001", host("b"))
    else:
        getattr(here, action)("instance-00000001")
"""

PACKAGE = "guestclock.lab.hypervisor"
FOLDER, LAUNCH = f"{PACKAGE}.folder", f"{PACKAGE}.launch"
MACHINE = f"{PACKAGE}.qemu_machine"


@pytest.fixture(params=["libvirt", "qemu"])
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def lab(kind: Kind, tmp_path: Path) -> Iterator[Lab]:
    with lab_in(tmp_path, kind) as lab:
        yield lab


def kill_command(lab: Lab, point: tuple[str, str, str, str], xml: str, *actions: str) -> None:
    victim = [sys.executable, "-c", VICTIM, *point]
    hosts = str(lab.folder / "hosts")
    done = subprocess.run([*victim, hosts, lab.kind, xml, *actions], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL


def machines(lab: Lab) -> list[int]:
    """The QEMUs of a lab that run, whoever knows of them."""
    pids = processes.living_in(lab.folder / "hosts")
    return [pid for pid in pids if processes.name_of(pid).startswith("qemu-")]


def daemons(lab: Lab, host: str = "a") -> list[int]:
    pids = processes.living_in(lab.folder / "hosts" / host)
    return [pid for pid in pids if processes.name_of(pid) in ("libvirtd", "virtqemud")]


def all_is_well(lab: Lab, host: Hypervisor) -> None:
    """A machine can be defined, started and read, and there is one of everything."""
    host.define(lab.definition(LOCALTIME))
    if not host.running(NAME):
        host.start(NAME)
    assert offset(host) == about(8 * HOUR)
    assert machines(lab) == [host.pid(NAME)]
    assert len(daemons(lab, host.name)) == (1 if lab.kind == "libvirt" else 0)


@pytest.mark.parametrize(
    "point",
    [
        (FOLDER, "HostFolder", "make", "after"),
        (FOLDER, "HostFolder", "new_settings", "after"),
        (FOLDER, "HostFolder", "keep", "before"),
        (FOLDER, "HostFolder", "keep", "after"),
        (f"{PACKAGE}.zone", "", "set_localtime", "before"),
        (f"{PACKAGE}.opening", "", "keep_zone", "after"),
    ],
    ids=" ".join,
)
def test_a_host_can_be_opened_after_its_maker_was_killed(
    lab: Lab, point: tuple[str, str, str, str]
) -> None:
    kill_command(lab, point, "")
    all_is_well(lab, lab.host("a", ZONE))


@pytest.mark.parametrize(
    "point",
    [
        ("subprocess", "Popen", "__init__", "before"),
        ("subprocess", "Popen", "__init__", "after"),
        (LAUNCH, "", "Answer", "before"),
    ],
    ids=" ".join,
)
def test_a_start_that_was_killed_leaves_a_whole_machine_or_none(
    lab: Lab, point: tuple[str, str, str, str]
) -> None:
    kill_command(lab, point, lab.definition(LOCALTIME), "start")
    host = lab.host("a", ZONE)
    all_is_well(lab, host)
    host.destroy(NAME)
    assert machines(lab) == []


def test_a_daemon_whose_starter_was_killed_serves_the_next(tmp_path: Path) -> None:
    with lab_in(tmp_path, "libvirt") as lab:
        kill_command(lab, (f"{PACKAGE}.daemon", "", "_open", "before"), "")
        before = daemons(lab)
        all_is_well(lab, lab.host("a", ZONE))
        assert daemons(lab) == before


@pytest.mark.parametrize(
    ("point", "saved"),
    [
        ((MACHINE, "QemuMachine", "save", "before"), False),
        ((MACHINE, "shutil", "copyfileobj", "after"), False),
        ((MACHINE, "QemuMachine", "save", "after"), True),
        ((MACHINE, "QemuMachine", "end", "before"), True),
    ],
    ids=str,
)
def test_a_save_that_was_killed_saved_it_all_or_nothing(
    tmp_path: Path, point: tuple[str, str, str, str], saved: bool
) -> None:
    with lab_in(tmp_path, "qemu") as lab:
        kill_command(lab, point, lab.definition(LOCALTIME), "start", "save")
        host = lab.host("a", ZONE)
        assert host.running(NAME) is not saved
        if saved:
            host.restore(NAME)
        lab.console().close()
        all_is_well(lab, host)


@pytest.mark.parametrize(
    "point",
    [
        (MACHINE, "QemuMachine", "load", "before"),
        (MACHINE, "QemuMachine", "arrive", "after"),
        (MACHINE, "QemuMachine", "wait_arrived", "after"),
    ],
    ids=" ".join,
)
def test_a_restore_that_was_killed_loses_nothing(
    tmp_path: Path, point: tuple[str, str, str, str]
) -> None:
    with lab_in(tmp_path, "qemu") as lab:
        kill_command(lab, point, lab.definition(LOCALTIME), "start", "save", "restore")
        host = lab.host("a", ZONE)
        if not host.running(NAME):
            host.restore(NAME)
        lab.console().close()
        # Taken up once: the next start is a cold one.
        host.destroy(NAME)
        with pytest.raises(LabError, match="no saved state"):
            host.restore(NAME)
        all_is_well(lab, host)


@pytest.mark.parametrize(
    "point",
    [
        (MACHINE, "QemuMachine", "arrive", "before"),
        (MACHINE, "QemuMachine", "arrive", "after"),
        (MACHINE, "QemuMachine", "send", "after"),
        (MACHINE, "QemuMachine", "wait_arrived", "after"),
        (MACHINE, "QemuMachine", "end", "before"),
        (MACHINE, "QemuMachine", "end", "after"),
    ],
    ids=" ".join,
)
def test_a_move_that_was_killed_leaves_the_machine_on_one_host(
    tmp_path: Path, point: tuple[str, str, str, str]
) -> None:
    with lab_in(tmp_path, "qemu") as lab:
        kill_command(lab, point, lab.definition(LOCALTIME), "start", "migrate")
        hosts = [lab.host("a", ZONE), lab.host("b", ZONE)]
        running = [host for host in hosts if host.running(NAME)]
        assert len(running) == 1
        assert [host for host in hosts if host.names() == [NAME]] == running
        lab.console().close()
        all_is_well(lab, running[0])


def test_a_move_whose_command_was_killed_is_finished_by_libvirt(tmp_path: Path) -> None:
    with lab_in(tmp_path, "libvirt") as lab:
        all_is_well(lab, lab.host("a", ZONE))
        point = (f"{PACKAGE}.libvirt", "LibvirtHost", "settle", "before")
        kill_command(lab, point, "", "migrate")
        here, there = lab.host("a", ZONE), lab.host("b", ZONE)
        assert (here.running(NAME), there.running(NAME)) == (False, True)
        assert (here.names(), there.names()) == ([], [NAME])
        lab.console().close()
        assert machines(lab) == [there.pid(NAME)]


def test_several_commands_open_a_new_host_at_once(lab: Lab) -> None:
    # Nothing is loaded, so that none of them dies.
    point = (MACHINE, "QemuMachine", "load", "before")
    command = [sys.executable, "-c", VICTIM, *point, str(lab.folder / "hosts"), lab.kind]
    xml = lab.definition(LOCALTIME)
    running = [subprocess.Popen([*command, xml, "definition"]) for _ in range(5)]
    assert [process.wait(120) for process in running] == [0] * 5
    all_is_well(lab, lab.host("a", ZONE))


def test_machines_run_on_when_their_daemon_dies(tmp_path: Path) -> None:
    with lab_in(tmp_path, "libvirt") as lab:
        host = lab.host("a", ZONE)
        all_is_well(lab, host)
        pid = host.pid(NAME)
        processes.end(daemons(lab), lab.folder / "hosts", 10, signal.SIGKILL)
        host = lab.host("a", ZONE)
        assert (host.running(NAME), host.pid(NAME)) == (True, pid)
        all_is_well(lab, host)


def test_the_same_handle_finds_a_daemon_again(tmp_path: Path) -> None:
    with lab_in(tmp_path, "libvirt") as lab:
        host = lab.host("a", ZONE)
        all_is_well(lab, host)
        processes.end(daemons(lab), lab.folder / "hosts", 10, signal.SIGKILL)
        all_is_well(lab, host)


def test_a_machine_whose_process_was_killed_is_off_and_starts_again(lab: Lab) -> None:
    host = lab.host("a", ZONE)
    all_is_well(lab, host)
    processes.end(machines(lab), lab.folder / "hosts", 10, signal.SIGKILL)
    assert host.wait_off(NAME, 60)
    assert not host.running(NAME)
    all_is_well(lab, host)


def test_everything_killed_and_its_sockets_gone_as_after_a_power_cut(lab: Lab) -> None:
    host = lab.host("a", ZONE)
    all_is_well(lab, host)
    hosts = lab.folder / "hosts"
    while living := list(processes.living_in(hosts)):
        processes.end(living, hosts, 10, signal.SIGKILL)
    for folder in runtimes(lab):
        shutil.rmtree(folder)
    host = lab.host("a", ZONE)
    assert host.names() == [NAME]
    assert not host.running(NAME)
    all_is_well(lab, host)


def test_a_machine_that_nobody_knows_any_more_is_ended_with_the_rest(lab: Lab) -> None:
    host = lab.host("a", ZONE)
    all_is_well(lab, host)
    sockets = runtimes(lab)
    shutil.rmtree(lab.folder / "hosts")
    assert machines(lab) != []
    assert end_everything(lab.folder) == []
    assert lab.processes() == []
    for folder in sockets:
        shutil.rmtree(folder)


def test_shutdown_ends_all_of_this_host_and_nothing_else(lab: Lab) -> None:
    here, there = lab.host("a", ZONE), lab.host("b", ZONE)
    all_is_well(lab, here)
    there.names()
    others = set(processes.living_in(lab.folder / "hosts" / "b"))
    here.shutdown()
    assert list(processes.living_in(lab.folder / "hosts" / "a")) == []
    assert set(processes.living_in(lab.folder / "hosts" / "b")) == others
    here.shutdown()
    assert here.names() == [NAME]
    assert not here.running(NAME)
    all_is_well(lab, lab.host("a", ZONE))


def test_the_daemon_is_nobodys_but_the_labs(tmp_path: Path) -> None:
    with lab_in(tmp_path, "libvirt") as lab:
        lab.host("a", ZONE).names()
        (pid,) = daemons(lab)
        assert os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/self/ns/user")
        inside, _, many = Path(f"/proc/{pid}/uid_map").read_text().split()
        # Never 0 inside, which is what makes a libvirtd the system's own.
        assert (inside != "0", many) == (True, "1")
        assert os.readlink(f"/proc/{pid}/root/etc/localtime").endswith(ZONE)
        assert not Path(f"/proc/{pid}/root/etc/libvirt").exists()


def runtimes(lab: Lab) -> list[str]:
    import json

    settings = (lab.folder / "hosts").glob("*/host.json")
    return [json.loads(path.read_text())["runtime"] for path in settings]
