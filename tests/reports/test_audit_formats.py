from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from junitparser import Error, Failure, JUnitXml, TestSuite
from lxml import etree

from guestclock.clock import Utc
from guestclock.reports.audit.csv import COLUMNS
from guestclock.reports.audit.interface import FORMATS
from guestclock.reports.audit.text import inert, visible
from guestclock.rules import RULES
from tests.findings.build import facts
from tests.reports.samples import FLEET, HOSTILE, endless, machine, written


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_counts_all_results(form: str) -> None:
    _, tally = written(form)
    assert (tally.machines, tally.unread, tally.severities.total()) == (5, 1, 4)


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_lets_a_machine_write_to_the_terminal(form: str) -> None:
    text, _ = written(form)
    assert "\x1b" not in text
    assert "win10" in text


def test_a_row_of_the_table_is_one_line_without_a_terminal() -> None:
    text, _ = written("table")
    lines = text.splitlines()
    assert lines[0].split() == ["severity", "rule", "machine", "cold", "start", "found"]
    assert lines[1].startswith("error     CLK101  win10")
    assert "8 h behind" in lines[1]
    assert sum(line.startswith(("error", "warning", "note")) for line in lines) == 4
    assert "not read: broken.xml: not well-formed XML" in lines
    assert lines[-1] == "5 machines: 2 errors, 1 warning, 1 note; 1 could not be read"


def test_a_clean_table_is_its_sum() -> None:
    text, _ = written("table", FLEET[4:5])
    assert text == "1 machine: nothing found\n"


def test_a_long_table_has_one_heading_and_columns_that_stay() -> None:
    text, _ = written("table", endless(450))
    lines = text.splitlines()
    assert sum(line.startswith("severity") for line in lines) == 1
    assert sum(line.startswith("error") for line in lines) == 450


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours_and_lines_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    from guestclock.audit import Judge, audit
    from guestclock.reports.audit.interface import Scope, report_in
    from tests.findings.build import AT, ZONES

    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = _Screen()
    report_in("table")(audit(FLEET, Judge(AT, ZONES)), Scope(AT, 5, RULES), screen)
    text = screen.getvalue()
    assert "\x1b[1;31merror" in text
    assert "\x1b[31m\n" not in text


def test_control_characters_are_made_visible() -> None:
    assert visible("plain\u00e4") == "plain\u00e4"
    assert visible("\x1b[2J\u202e\n") == "\\x1b[2J\\u202e\\x0a"


TRICKY = "a\u202eb\u00a0c\u3000d\u200d\U000e0041"


@pytest.mark.parametrize("form", FORMATS)
def test_what_nobody_sees_in_a_name_is_shown_and_kept_in_json(form: str) -> None:
    text, _ = written(form, [machine(1, TRICKY, facts(Utc()))])
    if form == "json":
        assert TRICKY in text
        return
    shown = "a\\u202eb\\xa0c\\u3000d\\u200d\\U000e0041"
    assert (json.dumps(shown)[1:-1] if form == "sarif" else shown) in text
    assert not any(one in text for one in TRICKY if not one.isprintable())


def test_csv_has_a_row_for_each_finding_and_each_unread() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv")[0])))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["severity"] for row in rows] == ["error", "warning", "unread", "note", "error"]
    assert rows[0]["error_after_cold_start"] == "-28800"
    assert rows[2]["source"] == "broken.xml"


def test_csv_gives_a_spreadsheet_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv")[0])))
    assert rows[4]["machine"] == f"'{visible(HOSTILE)}"
    assert [inert(text) for text in ("=1", "+1", "-1", "@x", "a=1")] == [
        "'=1",
        "'+1",
        "'-1",
        "'@x",
        "a=1",
    ]


def suites() -> dict[str, TestSuite]:
    return {str(suite.name): suite for suite in JUnitXml.fromstring(written("junit")[0].encode())}


def test_junit_has_a_suite_for_each_rule_and_a_case_for_each_machine() -> None:
    found = suites()
    assert list(found) == [f"{rule.id} {rule.name}" for rule in RULES] + ["unread"]
    for name, suite in found.items():
        assert suite.tests == len(list(suite)) == (1 if name == "unread" else 5)


def test_junit_fails_errors_and_warnings_and_passes_notes() -> None:
    found = suites()

    def failures(name: str) -> list[str]:
        [suite] = [suite for key, suite in found.items() if key.startswith(name)]
        failing = [case for case in suite if case.result]
        assert suite.failures == sum(isinstance(case.result[0], Failure) for case in failing)
        return [type(case.result[0]).__name__ for case in failing]

    assert failures("CLK101") == ["Failure"]
    assert failures("CLK401") == ["Failure"]
    assert failures("CLK105") == []
    [case] = list(found["unread"])
    assert isinstance(case.result[0], Error)


def test_junit_is_well_formed_whatever_a_machine_is_called() -> None:
    root = etree.fromstring(written("junit")[0].encode())
    assert root.get("failures") == "3"
    assert root.get("errors") == "1"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(text: str) -> _Page:
    parsed = _Page()
    parsed.feed(text)
    parsed.close()
    assert parsed.open == []
    return parsed


def test_the_page_is_self_contained() -> None:
    text, _ = written("html")
    assert page(text).links == []
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_escapes_what_machines_say() -> None:
    parsed = page(written("html")[0])
    assert "b" not in parsed.tags
    assert any("<b>&" in text for text in parsed.texts)
    assert parsed.tags.count("tr") == 1 + 4


def test_the_page_allows_its_own_script_and_style_alone() -> None:
    text, _ = written("html")
    assert text.count("'sha256-") == 2
    assert "unsafe-inline" not in text
    assert " style=" not in text
    assert " onclick=" not in text


def test_a_clean_page_says_so() -> None:
    assert "Nothing was found." in written("html", FLEET[4:5])[0]
