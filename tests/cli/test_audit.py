from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from tests.conftest import Ran, Run

DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>55f6c3cf-150f-406e-8302-de688ac747{number:02d}</uuid>
  <clock {clock}/>
</domain>
"""
AT = ("--at", "2026-11-23T12:00:00Z")
GUESTS = (
    "machine,guest,zone\nwin*,windows,Asia/Shanghai\nberlin,windows,Europe/Berlin\nweb,linux,\n"
)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """win10 is wrong, berlin is exposed to summer time, web is right, who is unknown."""
    clocks = {
        "win10": "offset='utc'",
        "berlin": "offset='timezone' timezone='Europe/Berlin'",
        "web": "offset='utc'",
        "who": "offset='utc'",
    }
    folder = tmp_path / "fleet"
    folder.mkdir()
    for number, (name, clock) in enumerate(clocks.items()):
        text = DOMAIN.format(name=name, number=number, clock=clock)
        (folder / f"{name}.xml").write_text(text)
    (tmp_path / "guests.csv").write_text(GUESTS)
    return folder


def audited(guestclock: Run, fleet: Path, *more: object) -> Ran:
    return guestclock("audit", fleet, "--guests", fleet.parent / "guests.csv", *AT, *more)


def report(ran: Ran) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(ran.out))


def rules(ran: Ran) -> list[tuple[str, str]]:
    return [(one["machine"]["name"], one["rule"]) for one in report(ran)["findings"]]


def test_the_field_report_is_an_error_with_its_cure(guestclock: Run, fleet: Path) -> None:
    ran = audited(guestclock, fleet, "-f", "json")
    assert ran.code == 1
    assert rules(ran) == [("berlin", "CLK401"), ("who", "CLK105"), ("win10", "CLK101")]
    wrong = report(ran)["findings"][2]
    assert wrong["error_seconds"]["after_cold_start"] == -28800
    assert "timezone='Asia/Shanghai'" in wrong["cure"]
    assert ran.err == ""


def test_the_table_is_for_people(guestclock: Run, fleet: Path) -> None:
    ran = audited(guestclock, fleet)
    assert ran.code == 1
    assert "4 machines: 1 error, 1 warning, 1 note" in ran.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--fail-on", "error"), 1),
        (("--fail-on", "never"), 0),
        (("--ignore", "CLK101"), 0),
        (("--ignore", "CLK101", "--fail-on", "warning"), 1),
        (("--select", "CLK105"), 0),
        (("--select", "CLK105", "--fail-on", "note"), 1),
        (("--select", "CLK2", "--fail-on", "note"), 0),
    ],
)
def test_the_exit_code_is_1_from_the_severity_that_fails(
    guestclock: Run, fleet: Path, options: tuple[str, ...], expected: int
) -> None:
    assert audited(guestclock, fleet, *options).code == expected


def test_rules_are_selected_and_ignored(guestclock: Run, fleet: Path) -> None:
    ran = audited(guestclock, fleet, "-f", "json", "--select", "CLK1", "--ignore", "guest-unknown")
    assert rules(ran) == [("win10", "CLK101")]


def test_several_rules_go_into_one_option(guestclock: Run, fleet: Path) -> None:
    both = audited(guestclock, fleet, "-f", "json", "--select", "CLK101,CLK105")
    assert rules(both) == [("who", "CLK105"), ("win10", "CLK101")]


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_rule_is_a_usage_error_with_near_names(
    guestclock: Run, fleet: Path, option: str
) -> None:
    ran = audited(guestclock, fleet, option, "CLK110")
    assert ran.code == 2
    assert "there is no rule 'CLK110'" in ran.err
    assert "did you mean CLK1" in ran.err


def test_nothing_to_audit_is_a_usage_error_that_says_what_to_give(guestclock: Run) -> None:
    ran = guestclock("audit")
    assert ran.code == 2
    assert "nothing to audit" in ran.err
    assert "-c URI" in ran.err


def test_a_baseline_leaves_out_what_was_known(guestclock: Run, fleet: Path) -> None:
    before = fleet.parent / "before.json"
    assert audited(guestclock, fleet, "-f", "json", "-o", before).code == 1
    text = DOMAIN.format(name="win11", number=50, clock="offset='utc'")
    (fleet / "win11.xml").write_text(text)
    ran = audited(guestclock, fleet, "-f", "json", "--baseline", before)
    assert ran.code == 1
    assert rules(ran) == [("win11", "CLK101")]
    assert report(ran)["summary"]["baseline"] == 3


def test_a_baseline_of_everything_is_clean(guestclock: Run, fleet: Path) -> None:
    before = fleet.parent / "before.json"
    audited(guestclock, fleet, "-f", "json", "-o", before)
    ran = audited(guestclock, fleet, "--baseline", before, "--fail-on", "note")
    assert (ran.code, ran.out) == (
        0,
        "the error after the next cold start is not known of 1 machine:\n"
        "  1: the guest's system is not known\n"
        "4 machines: nothing found; 3 findings of the baseline left out\n",
    )


@pytest.mark.parametrize(
    "content",
    [None, "", "{", "[]", "{}", '{"findings": [{"rule": "CLK101"}]}', "\udcff"],
)
def test_a_baseline_that_is_none_is_a_usage_error(
    guestclock: Run, fleet: Path, content: str | None
) -> None:
    before = fleet.parent / "before.json"
    if content is not None:
        before.write_bytes(content.encode("utf-8", "surrogateescape"))
    ran = audited(guestclock, fleet, "--baseline", before)
    assert ran.code == 2
    assert "before.json" in ran.err


def test_what_cannot_be_read_is_exit_3_and_the_others_are_judged(
    guestclock: Run, fleet: Path
) -> None:
    (fleet / "broken.xml").write_text("<domain")
    ran = audited(guestclock, fleet, "-f", "json", "--ignore", "CLK101")
    assert ran.code == 3
    assert report(ran)["summary"]["machines"] == 4
    [unread] = report(ran)["unread"]
    assert unread["source"].endswith("broken.xml")


def test_findings_beat_what_could_not_be_read(guestclock: Run, fleet: Path) -> None:
    (fleet / "broken.xml").write_text("<domain")
    assert audited(guestclock, fleet).code == 1


def test_the_output_file_appears_whole(guestclock: Run, fleet: Path) -> None:
    target = fleet.parent / "out.sarif"
    ran = audited(guestclock, fleet, "-f", "sarif", "-o", target)
    assert (ran.code, ran.out) == (1, "")
    assert json.loads(target.read_text())["version"] == "2.1.0"
    assert [path.name for path in fleet.parent.glob(".out*")] == []


def test_an_output_that_cannot_be_written_is_said(guestclock: Run, fleet: Path) -> None:
    ran = audited(guestclock, fleet, "-o", "/no/such/folder/x")
    assert ran.code == 3
    assert "cannot be written" in ran.err


@pytest.mark.parametrize("form", ["table", "json", "csv", "html", "sarif", "junit"])
def test_every_format_names_the_machine_that_is_wrong(
    guestclock: Run, fleet: Path, form: str
) -> None:
    ran = audited(guestclock, fleet, "-f", form)
    assert ran.code == 1
    assert "win10" in ran.out
    assert "CLK101" in ran.out


def test_the_tolerance_says_what_an_error_is(guestclock: Run, tmp_path: Path) -> None:
    text = DOMAIN.format(name="web", number=1, clock="offset='variable' adjustment='30'")
    (tmp_path / "web.xml").write_text(text)
    (tmp_path / "guests.csv").write_text("machine,guest\nweb,linux\n")
    given = ("audit", tmp_path, "--guests", tmp_path / "guests.csv")
    assert guestclock(*given).code == 1
    assert guestclock(*given, "--tolerance", "31").code == 0
    assert guestclock(*given, "--tolerance", "0").code == 2


def test_workers_and_one_process_print_the_same(guestclock: Run, fleet: Path) -> None:
    alone = audited(guestclock, fleet, "-f", "json", "--jobs", "1")
    assert audited(guestclock, fleet, "-f", "json", "--jobs", "2").out == alone.out


def test_a_host_zone_that_does_not_exist_is_a_usage_error(guestclock: Run, fleet: Path) -> None:
    ran = audited(guestclock, fleet, "--host-zone", "Asia/Shangai")
    assert ran.code == 2
    assert "Asia/Shanghai" in ran.err


def test_a_command_line_of_qemu_is_audited_too(guestclock: Run, tmp_path: Path) -> None:
    file = tmp_path / "vm.args"
    file.write_text("qemu-system-x86_64 -name dosbox -rtc base=2020-01-01T00:00:00\n")
    ran = guestclock("audit", file, "-f", "json", *AT)
    assert ran.code == 1
    assert [one["rule"] for one in report(ran)["findings"]] == ["CLK105", "CLK501"]
