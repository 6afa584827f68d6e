"""The HTML report in a real browser: its policy lets its own script run, and that works."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.reports.samples import endless, written

pytestmark = pytest.mark.real


def dumped(page: Path, fragment: str = "") -> str:
    """The page as the browser has it once its script has run."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    assert browser, "chromium is not installed"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={page.parent / 'profile'}", f"{page.as_uri()}{fragment}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def shown(dom: str) -> tuple[str, int]:
    """What the page says it shows, and how many rows it does show."""
    count = re.search(r'id="count" role="status">([^<]*)<', dom)
    assert count
    body = dom.partition("<tbody>")[2].partition("</tbody>")[0]
    return count[1], sum('hidden=""' not in row for row in re.findall(r"<tr [^>]*>", body))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(written("html")[0], encoding="utf-8")
    return file


def test_all_findings_are_shown_at_first(page: Path) -> None:
    assert shown(dumped(page)) == ("4 findings", 4)


def test_a_search_shows_the_rows_that_have_all_words(page: Path) -> None:
    assert shown(dumped(page, "#CLK101%20WIN10")) == ("1 finding", 1)
    assert shown(dumped(page, "#nowhere")) == ("0 findings", 0)


def test_a_long_page_shows_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "long.html"
    file.write_text(written("html", endless(700))[0], encoding="utf-8")
    assert shown(dumped(file)) == ("300 of 700 findings", 300)
