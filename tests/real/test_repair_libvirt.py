"""A plan on a real libvirt: written, applied, verified by the RTC, put back."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from guestclock.lab.hypervisor.daemon import Daemon
from guestclock.lab.hypervisor.folder import HostFolder
from guestclock.lab.hypervisor.interface import Hypervisor
from guestclock.repair.journal import Event, read
from tests.conftest import Run
from tests.real.labhost import NAME, Lab, lab_in

pytestmark = pytest.mark.real

SHANGHAI = "Asia/Shanghai"
INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
OFF = ("offset='utc'", "offset='timezone' timezone='Asia/Shanghai'")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with lab_in(tmp_path, "libvirt") as lab:
        yield lab


@pytest.fixture
def host(lab: Lab) -> Hypervisor:
    host = lab.host("node1", SHANGHAI)
    host.define(
        lab.definition("<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/></clock>")
    )
    return host


@pytest.fixture
def uri(lab: Lab, host: Hypervisor) -> str:
    return Daemon(HostFolder((lab.folder / "hosts/node1").resolve(), "node1"), None).uri


@pytest.fixture
def plan(guestclock: Run, uri: str, tmp_path: Path) -> Path:
    guests = tmp_path / "guests.toml"
    guests.write_text(f'[[guest]]\nmachine = "{NAME}"\nguest = "windows"\nzone = "{SHANGHAI}"\n')
    file = tmp_path / "plan.toml"
    made = guestclock("plan", "-c", uri, "--guests", str(guests), "-o", str(file))
    assert (made.code, made.err) == (0, "")
    return file


def definition(uri: str) -> str:
    connection = libvirt.open(uri)
    try:
        return str(connection.lookupByName(NAME).XMLDesc(INACTIVE))
    finally:
        connection.close()


def test_a_wrong_clock_is_planned_cured_verified_and_put_back(
    guestclock: Run, host: Hypervisor, uri: str, plan: Path, tmp_path: Path
) -> None:
    host.start(NAME)
    before = definition(uri)
    [step] = tomllib.loads(plan.read_text())["step"]
    assert (step["old"], step["new"]) == OFF
    journals = tmp_path / "journals"
    common = (str(plan), "-c", uri, "--journal", str(journals))

    dry = guestclock("apply", *common, "--dry-run")
    assert (dry.code, dry.out) == (0, f"1 {NAME}: to do\n")
    assert not journals.exists()
    assert definition(uri) == before

    done = guestclock("apply", *common, "--yes", "--restart", "hard")
    assert (done.code, done.out, done.err) == (0, f"1 {NAME}: verified\n", "")
    assert definition(uri) == before.replace(*OFF)
    pid = host.pid(NAME)

    again = guestclock("apply", *common, "--yes", "--restart", "hard")
    assert again.code == 0
    assert "nothing to do: the plan was carried out" in again.out
    assert host.pid(NAME) == pid
    [journal] = journals.iterdir()
    told = [entry.event for entry in read(journal)]
    assert told == [
        Event.BEGUN,
        Event.INTENT,
        Event.DONE,
        Event.RESTARTING,
        Event.RESTARTED,
        Event.VERIFIED,
    ]

    back = guestclock("rollback", *common, "--yes", "--restart", "hard")
    assert (back.code, back.out) == (0, f"1 {NAME}: undone\n")
    assert definition(uri) == before
    assert host.pid(NAME) != pid


@pytest.mark.parametrize("after", ["resume", "rollback"])
def test_killed_at_each_point_it_goes_on_or_back(
    guestclock: Run, host: Hypervisor, uri: str, plan: Path, after: str, tmp_path: Path
) -> None:
    host.start(NAME)
    old = definition(uri)
    new = old.replace(*OFF)
    deaths = 0
    while True:
        journals = tmp_path / f"journals{deaths}"
        common = (str(plan), "-c", uri, "--journal", str(journals), "--yes", "--restart", "hard")
        if not killed("apply", *common, point=deaths):
            break
        assert definition(uri) in (old, new)
        begun = journals.exists() and any(read(one) for one in journals.iterdir())
        done = guestclock(after if begun or after == "rollback" else "apply", *common)
        assert done.code == 0, done
        assert definition(uri) == (old if after == "rollback" else new)
        assert running(uri) == definition_clock(definition(uri))
        # Back to the beginning for the next death.
        assert guestclock("rollback", *common).code == 0
        assert (definition(uri), running(uri)) == (old, definition_clock(old))
        deaths += 1
    assert deaths > 12


def killed(*arguments: str, point: int) -> bool:
    """Whether the command came to its point of that number, and died there."""
    script = (
        "import libvirt\n"
        "from guestclock.cli.main import main\n"
        "from guestclock.platforms.libvirt.lever import ClockLever\n"
        "from tests.repair.levers import count_down\n"
        "methods = [(ClockLever, 'write'), (ClockLever, 'restart')]\n"
        "methods += [(libvirt.virDomain, 'destroy'), (libvirt.virConnect, 'defineXML')]\n"
        f"count_down({point}, *methods)\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done
    return done.returncode != 0


def running(uri: str) -> str:
    """The clock that the running machine was made from."""
    connection = libvirt.open(uri)
    try:
        return definition_clock(str(connection.lookupByName(NAME).XMLDesc(0)))
    finally:
        connection.close()


def definition_clock(xml: str) -> str:
    [tag] = [line for line in xml.splitlines() if line.startswith("  <clock ")]
    return tag


def test_what_was_changed_since_is_refused_and_left(
    guestclock: Run, host: Hypervisor, uri: str, plan: Path, lab: Lab, tmp_path: Path
) -> None:
    host.define(lab.definition("<clock offset='localtime'/>"))
    before = definition(uri)
    common = (str(plan), "-c", uri, "--journal", str(tmp_path / "journals"), "--yes")
    done = guestclock("apply", *common)
    assert done.code == 1
    assert f"1 {NAME}: refused: it is offset='localtime' now, not offset='utc'" in done.out
    assert (
        guestclock("rollback", *common).out
        == f"1 {NAME}: left as it is: this plan has not changed it\n"
    )
    assert definition(uri) == before


def test_a_machine_that_runs_waits_for_its_restart(
    guestclock: Run, host: Hypervisor, uri: str, plan: Path, tmp_path: Path
) -> None:
    host.start(NAME)
    common = (str(plan), "-c", uri, "--journal", str(tmp_path / "journals"), "--yes")
    done = guestclock("apply", *common)
    assert done.code == 0
    assert "written, waits for a restart: it still runs with offset='utc'" in done.out
    assert "nothing to do" in guestclock("apply", *common).out
    assert guestclock("resume", *common, "--restart", "hard").out == f"1 {NAME}: verified\n"
