from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from guestclock.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["hops", "law", "life", "summer"])
def test_a_picture_is_what_the_law_draws(name: str) -> None:
    draw = runpy.run_path(str(ROOT / "tools" / "draw_theory.py"))[name]
    assert (DOCS / "img" / f"{name}.svg").read_text("utf-8") == draw().svg()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_has_a_page_with_its_help(name: str) -> None:
    assert f"<!-- help: {name} -->" in (DOCS / "guide" / f"{name}.md").read_text("utf-8")


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "Usage: guestclock audit" in (tmp_path / "guide/audit/index.html").read_text("utf-8")


def test_the_built_pages_fetch_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link)[^>]*(?:src|href)=\"?(https?://[^\" >]+)", page.read_text("utf-8")
        )
        assert loaded == [], page


def test_there_is_a_manual_page_for_each_command(tmp_path: Path) -> None:
    script = str(ROOT / "tools" / "make_man.py")
    subprocess.run([sys.executable, script, str(tmp_path)], cwd=ROOT, check=True)
    pages = {path.name for path in tmp_path.iterdir()}
    assert {"guestclock.1", *(f"guestclock-{name}.1" for name in COMMANDS)} <= pages
    for path in tmp_path.iterdir():
        text = path.read_text("utf-8")
        assert text.startswith('.TH "GUESTCLOCK'), path.name
        assert ".SH NAME\nguestclock" in text, path.name
