from __future__ import annotations

import pytest

from guestclock.evidence import Inferred, Unknown
from guestclock.osc.cells import Cells

HOSTILE = "=1+1\x1b[31m\u202e`id` $(id) \\ \ud800"


@pytest.mark.parametrize("form", ["table", "value", "csv", "shell", "a form of later"])
def test_a_text_for_people_has_nothing_that_a_terminal_obeys(form: str) -> None:
    shown = Cells(form).text(HOSTILE)
    assert shown.isprintable()
    assert "\\x1b[31m" in shown


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_text_for_programs_is_as_it_was_but_for_half_a_character(form: str) -> None:
    assert Cells(form).text(HOSTILE) == HOSTILE.replace("\ud800", "\\ud800")


@pytest.mark.parametrize("sign", "=+-@")
def test_no_cell_of_csv_is_a_formula(sign: str) -> None:
    assert Cells("csv").text(f"{sign}1") == f"'{sign}1"
    assert Cells("table").text(f"{sign}1") == f"{sign}1"


def test_a_shell_expands_nothing_in_a_text() -> None:
    assert Cells("shell").text("$(id) `id` \\") == "\\$(id) \\`id\\` \\\\"


def test_lines_stay_lines() -> None:
    assert Cells("table").lines(["a", "b\x07"]) == "a\nb\\x07"
    assert Cells("json").lines(["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("form", "cell"),
    [("json", -28800), ("csv", -28800), ("value", -28800), ("table", "8 h behind")],
)
def test_an_error_is_in_words_for_people_and_in_seconds_for_programs(
    form: str, cell: object
) -> None:
    assert Cells(form).error(Inferred(-28800, "a rule")) == cell


def test_an_error_below_the_tolerance_is_right() -> None:
    assert Cells("table", tolerance=9).error(Inferred(8, "a rule")) == "right"
    assert Cells("table", tolerance=8).error(Inferred(8, "a rule")) == "8 s ahead"


def test_what_is_not_known_is_null_or_says_why() -> None:
    assert Cells("json").error(Unknown("nobody looked")) is None
    assert Cells("table").error(Unknown("nobody looked")) == "unknown: nobody looked"
    assert Cells("json").maybe(None) is None
    assert Cells("csv").maybe(None) == ""
