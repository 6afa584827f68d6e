from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from guestclock.lab import faketime
from guestclock.lab.probe import Probe, ProbeError, cmos_reading, command_line, run_probe


@pytest.fixture(autouse=True)
def libfaketime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faketime, "library", lambda: Path("/lib/faketime.so"))


@pytest.mark.parametrize(
    ("registers", "reading"),
    [
        ("2026112319000102", datetime(2026, 11, 23, 19, 0, 1)),
        ("141A0B1713000106", datetime(2026, 11, 23, 19, 0, 1)),
        ("2026112387000100", datetime(2026, 11, 23, 19, 0, 1)),
        ("2026112312000100", datetime(2026, 11, 23, 0, 0, 1)),
        ("2026112392000100", datetime(2026, 11, 23, 12, 0, 1)),
        ("1999123123595902", datetime(1999, 12, 31, 23, 59, 59)),
    ],
)
def test_registers_are_read_as_status_b_says(registers: str, reading: datetime) -> None:
    assert cmos_reading(f"warning: something\n{registers}\n".encode()) == reading


@pytest.mark.parametrize("line", ["", "hello", "2026", "2026132319000102", "2A26112319000102"])
def test_registers_that_hold_no_date_are_an_error(line: str) -> None:
    with pytest.raises(ProbeError, match="no date"):
        cmos_reading(line.encode())


def test_the_environment_is_exactly_the_probe_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("FAKETIME", "@1")
    _, environment = command_line(Probe("base=utc"))
    assert set(environment) == {"PATH", "LC_ALL"}
    _, environment = command_line(Probe("base=utc", "", 5, zoneinfo=Path("/zones")))
    assert environment["TZ"] == ""
    assert environment["TZDIR"] == "/zones"
    assert environment["FAKETIME"] == "@5"


def test_a_host_s_own_localtime_file_is_given_as_a_path(tmp_path: Path) -> None:
    _, environment = command_line(Probe("base=localtime", localtime_file=tmp_path / "localtime"))
    assert environment["TZ"] == f":{tmp_path / 'localtime'}"
    with pytest.raises(ValueError, match="one of them"):
        Probe("base=localtime", "UTC", localtime_file=tmp_path)


def test_arguments_are_given_to_qemu_as_they_are() -> None:
    arguments, _ = command_line(Probe("base=localtime,clock=vm"))
    assert arguments[arguments.index("-rtc") + 1] == "base=localtime,clock=vm"
    assert arguments[arguments.index("-M") + 1] == "pc,accel=tcg"
    assert "-rtc" not in command_line(Probe(""))[0]


def test_a_qemu_that_does_not_end_is_given_up_and_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waits = tmp_path / "waits"
    waits.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    waits.chmod(0o755)
    monkeypatch.setattr("guestclock.lab.probe.qemu", lambda: str(waits))
    with pytest.raises(ProbeError, match=r"did not end within 0\.1 s"):
        run_probe(Probe("base=utc"), 0.1)
