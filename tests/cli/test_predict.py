from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run

VECTORS = Path(__file__).parents[1] / "golden" / "vectors.json"
FIELD_REPORT = (
    *("--guest", "windows", "--zone", "Asia/Shanghai", "--host-zone", "UTC"),
    *("--at", "2026-06-22T02:00:00Z", "--step", "start"),
    *("--step", "write-rtc@+10m rtc=2026-06-22T10:10:00", "--step", "reset@+50m"),
    *("--step", "cold-start@2026-06-22T04:00:00Z"),
)


def test_cases_give_ids_and_results_and_nothing_else(guestclock: Run) -> None:
    ran = guestclock("predict", "--cases", VECTORS, "-f", "json")
    expected = json.loads(VECTORS.read_text())
    assert ran.code == 0
    assert json.loads(ran.out) == [
        {"id": case["id"], "result": case["expected"]} for case in expected
    ]


def test_check_fails_where_a_case_expects_something_else(guestclock: Run, tmp_path: Path) -> None:
    cases = json.loads(VECTORS.read_text())[:2]
    cases[1]["expected"]["error_seconds"] = 1
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(cases))
    assert guestclock("predict", "--cases", file).code == 0
    ran = guestclock("predict", "--cases", file, "--check")
    assert ran.code == 1
    assert ran.out.count("not as expected") == 1


def test_one_case_that_is_wrong_does_not_lose_the_others(guestclock: Run, tmp_path: Path) -> None:
    cases = json.loads(VECTORS.read_text())[:3]
    cases[1]["input"]["steps"] = [{"do": "reset", "at": "2026-01-01T00:00:00Z"}]
    cases[2]["id"] = 7
    cases[2]["input"]["remark"] = "x"
    file = tmp_path / "cases.json"
    file.write_text(json.dumps([*cases, 5]))
    ran = guestclock("predict", "--cases", file, "-f", "json")
    assert ran.code == 3
    rows = json.loads(ran.out)
    assert [row["id"] for row in rows] == ["V01", "V02", 7, None]
    assert [row["result"] is None for row in rows] == [False, True, False, True]
    assert "case 2 (V02): reset needs a running machine" in ran.err
    assert "nothing reads the key 'remark'" in ran.err


@pytest.mark.parametrize("content", ["{}", "[", "[" * 100_000, "\xff"])
def test_a_file_that_holds_no_cases_is_one_line(
    guestclock: Run, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "cases.json"
    file.write_bytes(content.encode("latin-1"))
    ran = guestclock("predict", "--cases", file)
    assert ran.code in (2, 3)
    assert ran.err.startswith("guestclock: ")
    assert "Traceback" not in ran.err


def test_the_field_report_step_by_step(guestclock: Run) -> None:
    ran = guestclock("predict", "utc", *FIELD_REPORT, "-f", "json")
    rows = json.loads(ran.out)
    assert [(row["do"], row["error_seconds"]) for row in rows] == [
        ("start", -28800),
        ("write-rtc", 0),
        ("reset", 0),
        ("cold-start", -28800),
    ]
    assert rows[0]["evidence"]["error_seconds"]["how"] == "inferred"


def test_the_table_has_one_line_a_step_and_the_reasons_of_what_is_unknown(
    guestclock: Run,
) -> None:
    ran = guestclock("predict", "localtime", "--guest", "windows", "--at", "2026-06-22T02:00:00Z")
    lines = ran.out.splitlines()
    assert sum("start" in line for line in lines) == 1
    assert any("--host-zone" in line for line in lines)
    assert any("--zone" in line for line in lines)


@pytest.mark.parametrize(
    ("clock", "arguments"),
    [
        ("utc", "base=utc"),
        ("timezone=Asia/Tokyo", "base=localtime"),
        ("variable=+3600", "base=2026-06-22T03:00:00"),
        ("variable=3600,localtime", "base=2026-06-22T12:00:00"),
        ("absolute=2020-01-01T00:00:00Z", "base=2020-01-01T00:00:00"),
        ("absolute=0", "base=1970-01-01T00:00:00"),
        ("<clock offset='utc' adjustment='60'/>", "base=2026-06-22T02:01:00"),
        ("<domain><clock offset='localtime'/></domain>", "base=localtime"),
        ("base=2020-02-30,clock=vm", "base=2020-03-01T00:00:00,clock=vm"),
    ],
)
def test_a_clock_in_every_form(guestclock: Run, clock: str, arguments: str) -> None:
    ran = guestclock(
        *("predict", "--host-zone", "Asia/Tokyo", "--at", "2026-06-22T02:00:00Z"),
        *("-f", "json", "--", clock),
    )
    assert json.loads(ran.out)[0]["rtc_args"] == arguments


def test_rtc_arguments_may_be_one_word_or_two(guestclock: Run) -> None:
    one = guestclock("predict", "-rtc base=utc,clock=rt", "-f", "json")
    two = guestclock("predict", "-rtc", "base=utc,clock=rt", "-f", "json")
    assert json.loads(one.out)[0]["rtc_args"] == json.loads(two.out)[0]["rtc_args"]
    assert json.loads(one.out)[0]["rtc_args"] == "base=utc,clock=rt"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nonsense",), "is no clock"),
        (("utc", "--guest", "window"), "is not one of windows"),
        (("utc", "--guest", "windows", "--zone", "Europe/Berlni"), "did you mean Europe/Berlin"),
        (("utc", "--step", "reset"), "put a start before it"),
        (("utc", "--step", "jump"), "is not one of start"),
        (("utc", "--step", "start rtx=1"), "did you mean rtc?"),
        (("utc", "--step", "start", "--step", "reset@2001-01-01T00:00:00Z"), "back in time"),
        (("localtime", "--host-zone", "Europe/Berlni"), "did you mean Europe/Berlin"),
        (("utc", "--step", "write-rtc@+1h rtc=tomorrow"), "is not a reading"),
        (("utc", "--at", "2026-06-22T02:00:00"), "has no offset"),
        (("-rtc", "base=now"), "is not utc, localtime or a date"),
        ((), "give one clock"),
        (("utc", "--cases", str(VECTORS)), "brings its own clocks"),
    ],
)
def test_bad_input_gets_a_clear_line_and_exit_2(
    guestclock: Run, arguments: tuple[str, ...], says: str
) -> None:
    ran = guestclock("predict", *arguments)
    assert ran.code == 2
    assert says in ran.err
    assert not ran.out


def test_a_file_that_is_no_clock_is_exit_3(guestclock: Run, tmp_path: Path) -> None:
    file = tmp_path / "notes.xml"
    file.write_text("<notes/>")
    ran = guestclock("predict", file)
    assert ran.code == 3
    assert "<notes>" in ran.err


def test_output_goes_to_a_file_whole_or_not_at_all(guestclock: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    ran = guestclock("predict", "utc", "-f", "json", "-o", file)
    assert ran.out == ""
    assert json.loads(file.read_text())[0]["do"] == "start"
    before = file.read_text()
    assert guestclock("predict", "utc", "--step", "reset", "-o", file).code == 2
    assert file.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
