from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tzlocal.windows_tz import tz_win, win_tz

from guestclock import databases
from guestclock.databases import (
    UNKNOWN_RELEASE,
    FolderDatabase,
    newest,
    packaged_database,
    system_database,
    windows_zone_map,
    zones_at_hand,
)
from guestclock.errors import Unreadable
from guestclock.zones import UnknownZone, WindowsMap, offset_at

MOMENT = datetime(2026, 11, 23, tzinfo=UTC)


def packaged_file(name: str) -> Path:
    import tzdata

    return Path(tzdata.__file__).parent / "zoneinfo" / name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small database with everything odd that a folder can hold."""
    folder = tmp_path / "zoneinfo"
    (folder / "Europe").mkdir(parents=True)
    (folder / "posix" / "Europe").mkdir(parents=True)
    shutil.copy(packaged_file("Europe/Berlin"), folder / "Europe" / "Berlin")
    shutil.copy(packaged_file("Europe/Berlin"), folder / "posix" / "Europe" / "Berlin")
    shutil.copy(packaged_file("America/New_York"), folder / "posixrules")
    shutil.copy(packaged_file("Europe/Berlin"), tmp_path / "outside")
    (folder / "escape").symlink_to(tmp_path / "outside")
    (folder / "inside").symlink_to("Europe/Berlin")
    (folder / "zone.tab").write_text("no zone\n")
    (folder / "broken").write_bytes(b"TZif2" + b"\xff" * 60)
    (folder / "empty").write_bytes(b"")
    os.mkfifo(folder / "fifo")
    (folder / "tzdata.zi").write_text("# version 2031c\nR d 1916 o - Jun 14 23s 1 S\n")
    return folder


def database(root: Path) -> FolderDatabase:
    found = system_database(root)
    assert isinstance(found, FolderDatabase)
    return found


def test_a_zone_is_read_with_its_name(root: Path) -> None:
    zone = database(root).get("Europe/Berlin")
    assert zone is not None
    assert zone.key == "Europe/Berlin"
    assert offset_at(zone, MOMENT) == 3600


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../outside",
        "/etc/passwd",
        "Europe",
        "Europe/",
        "europe/berlin",
        "EUROPE/BERLIN",
        "Europe/Berlin/x",
        "escape",
        "fifo",
        "empty",
        "broken",
        "zone.tab",
        "tzdata.zi",
        "a\0b",
        "\udcff",
        "x" * 5000,
        "Europe/Berlin ",
        "CST-8",
    ],
)
def test_what_is_no_zone_file_inside_the_folder_is_none(root: Path, key: str) -> None:
    assert database(root).get(key) is None


@given(st.text(max_size=40))
def test_no_name_raises(key: str) -> None:
    zone = packaged_database().get(key)
    assert zone is None or zone.key == key


@given(st.binary(max_size=200))
def test_no_content_raises(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Zone").write_bytes(b"TZif" + data)
        database(Path(folder)).get("Zone")


def test_posixrules_is_a_zone_as_for_glibc_but_proposed_to_nobody(root: Path) -> None:
    found = database(root)
    assert found.get("posixrules") is not None
    assert found.names() == {"Europe/Berlin", "inside", "broken"}


def test_the_release_comes_from_the_source_text_else_from_the_version_file(root: Path) -> None:
    assert database(root).release == "2031c"
    (root / "tzdata.zi").unlink()
    (root / "+VERSION").write_text("2030a\n")
    assert database(root).release == "2030a"
    (root / "+VERSION").unlink()
    assert database(root).release == UNKNOWN_RELEASE


def test_no_folder_is_no_database(tmp_path: Path) -> None:
    assert system_database(tmp_path / "none") is None


def test_the_packaged_database_has_every_name_it_lists() -> None:
    import tzdata

    packaged = packaged_database()
    listed = (Path(tzdata.__file__).parent / "zones").read_text().split()
    assert packaged.release == tzdata.IANA_VERSION
    assert packaged.names() == set(listed)
    assert all(packaged.get(name) is not None for name in listed)


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_a_zone_agrees_with_the_standard_library(name: str) -> None:
    ours = packaged_database().get(name)
    theirs = ZoneInfo.no_cache(name)
    assert ours is not None
    for day in range(0, 3650, 17):
        moment = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=day)
        assert offset_at(ours, moment) == offset_at(theirs, moment)


@dataclass(frozen=True)
class Release:
    release: str
    name: str = "test"

    def get(self, key: str) -> ZoneInfo | None:
        return None

    def names(self) -> frozenset[str]:
        return frozenset()


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2025b", "2026a"),
        ("2026", "2026a"),
        ("2026e", "2026f"),
        ("2026z", "2026za"),
        (UNKNOWN_RELEASE, "1996a"),
    ],
)
def test_the_newest_release_wins_in_either_order(older: str, newer: str) -> None:
    assert newest([Release(older), Release(newer)]).release == newer
    assert newest([Release(newer), Release(older)]).release == newer


def test_the_first_of_equal_releases_wins() -> None:
    assert newest([Release("2026f", "first"), Release("2026f", "second")]).name == "first"


def test_a_host_without_a_database_is_given_the_packaged_one(tmp_path: Path) -> None:
    zones = zones_at_hand(tmp_path / "none")
    assert zones.host is packaged_database()


def test_without_the_package_the_systems_database_has_every_part(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "packaged_database", not_installed)
    zones = zones_at_hand.__wrapped__(root)
    assert zones.host is zones.truth is zones.guest
    assert zones.host.release == "2031c"


def test_without_any_database_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "packaged_database", not_installed)
    with pytest.raises(Unreadable, match="there is no zone database"):
        zones_at_hand.__wrapped__(tmp_path / "none")


def not_installed() -> None:
    raise ModuleNotFoundError("No module named 'tzdata'", name="tzdata")


def test_truth_follows_the_newest_database(root: Path) -> None:
    zones = zones_at_hand(root)
    assert zones.host.release == zones.truth.release == zones.guest.release == "2031c"


# The Windows map


@pytest.fixture(scope="module")
def windows() -> WindowsMap:
    return WindowsMap(windows_zone_map())


def test_every_iana_name_of_the_map_exists() -> None:
    assert {row.iana for row in windows_zone_map()} <= packaged_database().names()


def test_each_row_names_its_source_with_a_release() -> None:
    assert all(
        row.source.startswith(("CLDR ", "tzlocal ")) and row.source.split()[1][0].isdigit()
        for row in windows_zone_map()
    )


def test_each_row_is_there_once() -> None:
    keys = [(row.windows, row.territory, row.iana) for row in windows_zone_map()]
    assert len(keys) == len(set(keys))


def test_every_windows_zone_has_a_default(windows: WindowsMap) -> None:
    defaults = {row.windows for row in windows_zone_map() if row.territory == "001"}
    assert defaults == set(windows.ids())


def test_the_ids_are_those_of_tzlocal(windows: WindowsMap) -> None:
    assert set(windows.ids()) == set(win_tz)


@pytest.mark.parametrize("name", sorted(win_tz))
def test_a_windows_zone_is_the_zone_it_is_for_tzlocal(windows: WindowsMap, name: str) -> None:
    ours, theirs = (
        packaged_database().get(one) for one in (windows.to_iana(name).name, win_tz[name])
    )
    assert ours is not None
    assert theirs is not None
    # tzlocal keeps names that IANA has renamed, so it is the clocks that have to agree.
    for day in range(0, 365 * 30, 30):
        moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=day)
        assert offset_at(ours, moment) == offset_at(theirs, moment)


def test_an_iana_zone_has_the_windows_name_it_has_for_tzlocal(windows: WindowsMap) -> None:
    named = {iana: id_ for iana, id_ in tz_win.items() if iana}
    assert {iana: windows.to_windows(iana).name for iana in named} == named


@pytest.mark.parametrize(
    ("iana", "name"),
    [
        ("Asia/Calcutta", "India Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("US/Eastern", "Eastern Standard Time"),
        ("Europe/Kiev", "FLE Standard Time"),
        ("Europe/Kyiv", "FLE Standard Time"),
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("America/Edmonton", "Alberta Standard Time"),
        ("America/Yellowknife", "Alberta Standard Time"),
        ("America/Vancouver", "British Columbia Standard Time"),
        ("America/Winnipeg", "Manitoba Standard Time"),
        ("America/Denver", "Mountain Standard Time"),
    ],
)
def test_old_and_new_names_have_a_windows_name(windows: WindowsMap, iana: str, name: str) -> None:
    assert windows.to_windows(iana).name == name


@pytest.mark.parametrize(
    ("name", "territory", "iana"),
    [
        ("India Standard Time", "001", "Asia/Kolkata"),
        ("FLE Standard Time", "001", "Europe/Kyiv"),
        ("FLE Standard Time", "FI", "Europe/Helsinki"),
        ("SA Pacific Standard Time", "CA", "America/Atikokan"),
        ("Argentina Standard Time", "001", "America/Argentina/Buenos_Aires"),
        ("Alberta Standard Time", "001", "America/Edmonton"),
        ("Mountain Standard Time", "CA", "America/Cambridge_Bay"),
        ("w. europe standard time", "AT", "Europe/Vienna"),
    ],
)
def test_a_windows_zone_gets_its_name_of_today(
    windows: WindowsMap, name: str, territory: str, iana: str
) -> None:
    assert windows.to_iana(name, territory).name == iana


def test_newer_ids_name_tzlocal_as_their_source(windows: WindowsMap) -> None:
    assert windows.to_iana("Manitoba Standard Time").source.startswith("tzlocal ")
    assert windows.to_windows("Canada/Central").source.startswith("tzlocal ")


def test_an_unknown_zone_proposes_near_ones(windows: WindowsMap) -> None:
    with pytest.raises(UnknownZone, match="Alberta Standard Time"):
        windows.to_iana("Albrta Standard Time")
