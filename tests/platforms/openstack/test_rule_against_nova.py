"""Our rule against what real releases of Nova did, as scripts/nova-truth recorded it."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from guestclock.platforms.libvirt.dialect import parse_clock
from guestclock.platforms.openstack.rule import BadOsType, check_os_type, nova_clock

ROOT = Path(__file__).parents[3]
RECORD = json.loads((ROOT / "tests/golden/nova-clocks.json").read_text("utf-8"))
GRID = RECORD["grid"]
RELEASES = [release for part in RECORD["clocks"] for release in part["releases"]]

Row = dict[str, Any]


def rows_of(table: str, release: str) -> list[Row]:
    """What a table says of a release; more than one part of it would say it twice."""
    (rows,) = (part["rows"] for part in RECORD[table] if release in part["releases"])
    assert isinstance(rows, list)
    return rows


def points(row: Row) -> itertools.product[tuple[Any, ...]]:
    """The points of the grid for which a row holds."""
    return itertools.product(*(row.get(name, values) for name, values in GRID.items()))


def clocks() -> list[Any]:
    return [
        pytest.param(row, id=f"{release}-{number}")
        for release in RELEASES
        for number, row in enumerate(rows_of("clocks", release))
    ]


def os_types() -> list[Any]:
    return [
        pytest.param(row, id=f"{release}-{row['image']!r}")
        for release in RELEASES
        for row in rows_of("os_types", release)
    ]


@pytest.mark.parametrize("row", clocks())
def test_the_clock_is_the_one_that_nova_wrote(row: Row) -> None:
    domain = etree.fromstring(f"<domain>{row['clock']}</domain>")
    written = parse_clock(domain)
    for os_type, virt_type, arch, hpet in points(row):
        assert nova_clock(os_type, virt_type, arch, hpet) == written, (os_type, virt_type, arch)


@pytest.mark.parametrize("row", os_types())
def test_an_os_type_is_refused_or_copied_as_nova_did(row: Row) -> None:
    if "status" in row:
        assert row["status"] == 400
        with pytest.raises(BadOsType):
            check_os_type(row["image"])
    else:
        assert check_os_type(row["image"]) == row["server"]


@pytest.mark.parametrize("release", RELEASES)
def test_nova_checks_the_word_in_lower_case_but_hands_it_on_as_written(release: str) -> None:
    accepted = [row for row in rows_of("os_types", release) if row.get("server")]
    assert {"windows", "Windows", "WINDOWS"} <= {row["server"] for row in accepted}
    for row in accepted:
        assert (row["read_as"], row["server"]) == (row["image"].lower(), row["image"])


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("table", ["clocks", "hyperv"])
def test_a_release_has_one_answer_for_each_point(table: str, release: str) -> None:
    answered = [point for row in rows_of(table, release) for point in points(row)]
    assert sorted(answered, key=repr) == sorted(itertools.product(*GRID.values()), key=repr)


@pytest.mark.parametrize("release", RELEASES)
def test_hyperv_features_come_with_windows_alone(release: str) -> None:
    for row in rows_of("hyperv", release):
        windows = row.get("os_type") == ["windows"]
        emulated = row.get("virt_type") == ["kvm", "qemu"]
        assert bool(row["features"]) == (windows and emulated)


def test_old_and_new_releases_are_recorded() -> None:
    series = {int(release.split(".")[0]) for release in RELEASES}
    assert {34, 29, 26} <= series
    assert {None, "windows", "Windows", " windows", "linux", "bsd"} <= set(GRID["os_type"])


def test_the_page_has_what_the_record_says() -> None:
    command = [sys.executable, str(ROOT / "tools" / "make_nova_page.py"), "--check"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
