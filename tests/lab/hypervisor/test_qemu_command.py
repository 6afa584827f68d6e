from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from guestclock.clock import Utc, Variable
from guestclock.lab.hypervisor.domainxml import read_machine
from guestclock.lab.hypervisor.qemu_command import Command, command

INSTANT = datetime(2027, 7, 15, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def a_qemu_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qemu = tmp_path / "qemu-system-x86_64"
    qemu.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def command_of(clock: str, disk: str = "/d.img") -> Command:
    xml = f"""<domain><name>m</name><memory unit='MiB'>16</memory>{clock}<devices>
        <disk device='disk'><source file='{disk}'/></disk></devices></domain>"""
    return command(read_machine(xml), "Asia/Shanghai", INSTANT, Path("/m.qmp"), Path("/m.pid"))


def rtc_of(command: Command) -> str:
    return command.arguments[command.arguments.index("-rtc") + 1]


@pytest.mark.parametrize(
    ("clock", "rtc", "environment"),
    [
        ("", "base=utc", ()),
        ("<clock offset='localtime'/>", "base=localtime", ()),
        (
            "<clock offset='timezone' timezone='Asia/Kolkata'/>",
            "base=localtime",
            (("TZ", "Asia/Kolkata"),),
        ),
        ("<clock offset='variable' adjustment='3600'/>", "base=2027-07-15T13:00:00", ()),
        (
            "<clock offset='variable' adjustment='0' basis='localtime'/>",
            "base=2027-07-15T20:00:00",
            (),
        ),
        ("<clock offset='absolute' start='0'/>", "base=1970-01-01T00:00:00", ()),
        (
            "<clock offset='utc'><timer name='rtc' track='guest' tickpolicy='catchup'/></clock>",
            "base=utc,clock=vm,driftfix=slew",
            (),
        ),
    ],
)
def test_the_clock_is_what_libvirt_would_give(
    clock: str, rtc: str, environment: tuple[tuple[str, str], ...]
) -> None:
    made = command_of(clock)
    assert (rtc_of(made), made.environment) == (rtc, environment)


def test_a_variable_clock_is_fixed_to_utc_from_its_start() -> None:
    made = command_of("<clock offset='variable' adjustment='60' basis='localtime'/>")
    assert made.base == Variable(8 * 3600 + 60)
    assert command_of("").base == Utc()


def test_a_comma_in_a_path_is_part_of_the_path() -> None:
    arguments = command_of("", "/a,b.img").arguments
    assert "file=/a,,b.img,format=raw,if=ide,index=0" in arguments
