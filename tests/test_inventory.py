from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.errors import Unreadable, UsageProblem
from guestclock.inventory import NO_INVENTORY, Inventory, Row, load_inventory
from guestclock.zones import Zones

UUID = "0f6f3f6e-6c0c-4f49-9d8a-0a2f4f7a9b01"


def load(tmp_path: Path, zones: Zones, text: str, name: str = "guests.csv") -> Inventory:
    path = tmp_path / name
    path.write_text(text)
    return load_inventory(path, zones)


def found(inventory: Inventory, name: str, identity: str = "") -> Row:
    row = inventory.guest_for(name, identity)
    assert row is not None
    return row


def test_a_csv_file(tmp_path: Path, zones: Zones) -> None:
    text = (
        "# what the desk knows\n"
        "machine, guest, zone, active_time_bias_minutes, utc_offset_minutes\n"
        "win-*,windows,Asia/Shanghai,-480,\n"
        "\n"
        "db1,linux\n"
        "fw,openbsd,,,-300\n"
    )
    inventory = load(tmp_path, zones, text)
    where = f"{tmp_path}/guests.csv"
    assert found(inventory, "win-7") == Row(
        "win-*", "windows", "Asia/Shanghai", -480, None, f"{where}:3"
    )
    assert found(inventory, "db1") == Row("db1", "linux", where=f"{where}:5")
    assert found(inventory, "fw").utc_offset_minutes == -300
    assert inventory.guest_for("other", "") is None


def test_what_a_spreadsheet_writes(tmp_path: Path, zones: Zones) -> None:
    inventory = load(tmp_path, zones, '\ufeffmachine;guest\r\n"a;b";dos\r\n')
    assert found(inventory, "a;b").guest == "dos"


@pytest.mark.parametrize("name", ["guests.toml", "fd63"])
def test_a_toml_file_of_tables(tmp_path: Path, zones: Zones, name: str) -> None:
    text = (
        "# the desk's\n[[guest]]\nmachine = 'win-*'\nguest = 'windows'\n"
        "active_time_bias_minutes = -480\n\n[[guest]]\nmachine = 'db1'\nzone = 'Asia/Tokyo'\n"
    )
    inventory = load(tmp_path, zones, text, name)
    assert found(inventory, "win-x").bias_minutes == -480
    assert found(inventory, "db1") == Row("db1", zone="Asia/Tokyo", where=f"{tmp_path}/{name}:7")


def test_a_short_toml_file(tmp_path: Path, zones: Zones) -> None:
    text = '[machines]\n"db*" = "linux"\nwin = { guest = "windows", zone = "Europe/Berlin" }\n'
    inventory = load(tmp_path, zones, text, "g.toml")
    assert found(inventory, "db7") == Row("db*", "linux", where=f"{tmp_path}/g.toml:2")
    assert found(inventory, "win").zone == "Europe/Berlin"
    assert found(inventory, "win").where.endswith("g.toml:3")


def test_a_windows_zone_is_mapped(tmp_path: Path, zones: Zones) -> None:
    inventory = load(tmp_path, zones, "machine,zone\nx,W. Europe Standard Time\n")
    assert found(inventory, "x").zone == "Europe/Berlin"


def test_id_beats_name_beats_globs_of_which_the_first_counts() -> None:
    rows = [Row("*"), Row("web*"), Row("web1"), Row("*1"), Row(UUID)]
    inventory = Inventory(rows)
    assert found(inventory, "web1", UUID).machine == UUID
    assert found(inventory, "web1").machine == "web1"
    assert found(inventory, "web2").machine == "*"
    assert found(Inventory(rows[1:]), "web21").machine == "web*"
    assert found(Inventory(rows[3:] + rows[:2]), "web21").machine == "*1"


def test_a_uuid_is_the_same_in_any_spelling() -> None:
    inventory = Inventory([Row(UUID.upper().replace("-", ""))])
    assert inventory.guest_for("x", UUID) is not None


def test_a_glob_may_name_an_id() -> None:
    assert found(Inventory([Row("0f6f3f6e-*")]), "x", UUID)


def test_names_count_as_they_are_written() -> None:
    assert Inventory([Row("Web"), Row("DB*")]).guest_for("web", "") is None


def test_an_empty_inventory_knows_nothing() -> None:
    assert not NO_INVENTORY
    assert NO_INVENTORY.guest_for("x", UUID) is None
    assert Inventory([Row("x")])
    assert Inventory([Row("x*")])


patterns = st.text("ab*?[]-!", min_size=1, max_size=6)


@given(st.lists(patterns, max_size=8), st.text("ab-]", max_size=6))
def test_the_index_of_globs_finds_what_trying_each_in_turn_finds(
    globs: list[str], name: str
) -> None:
    import fnmatch

    globs = [glob for glob in dict.fromkeys(globs) if any(sign in glob for sign in "*?[")]
    expected = next((glob for glob in globs if fnmatch.fnmatchcase(name, glob)), None)
    row = Inventory([Row(glob) for glob in globs]).guest_for(name, "")
    assert (row.machine if row else None) == expected


def test_many_globs_are_not_tried_one_by_one() -> None:
    globs = [f"host{number:05}-*" for number in range(20_000)] + ["*-tail", "*.example", "host*"]
    inventory = Inventory([Row(glob) for glob in globs])
    assert found(inventory, "host00777-web").machine == "host00777-*"
    assert len(list(inventory._globs._candidates("host00777-web"))) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty: the first line names the columns machine, guest"),
        ("name,guest\nx,linux\n", "guests.csv:1: unknown column 'name'"),
        ("machine,gest\n", "guests.csv:1: unknown column 'gest': did you mean guest?"),
        ("guest\nlinux\n", "guests.csv:1: no column is called machine"),
        ("machine,guest,guest\n", "a column is there twice"),
        ("machine,guest\nx,linus\n", "guests.csv:2: unknown guest 'linus': did you mean linux"),
        ("machine,guest\nx,amiga\n", "unknown guest 'amiga'; the kinds are windows, "),
        ("machine,zone\nx,Europe/Berlim\n", "guests.csv:2: no zone is called 'Europe/Berlim'"),
        ("machine,zone\nx,Europe/Berlim\n", "did you mean Europe/Berlin"),
        ("machine,guest\n,linux\n", "guests.csv:2: no machine"),
        ("machine,guest\nx,linux,y\n", "guests.csv:2: 3 cells under 2 headings"),
        ("machine,guest\nx,linux\nx,dos\n", "guests.csv:3: machine 'x' was given at "),
        ("machine,active_time_bias_minutes\nx,8h\n", "'8h' is not a number of minutes"),
        ("machine,active_time_bias_minutes\nx,-28800\n", "'-28800' is not a number of minutes"),
        ("machine,active_time_bias_minutes\nx,2880\n", "2880 is more than a day"),
        ("machine,guest,active_time_bias_minutes\nx,linux,-480\n", "only Windows has"),
        ("machine,guest,utc_offset_minutes\nx,linux,60\n", "only guest openbsd has"),
        ('machine,guest\n"x,linux\n', "not CSV"),
        ("machine,guest\nx\xe4,linux\n", "not UTF-8"),
    ],
)
def test_a_wrong_csv_file_says_where_and_what(
    tmp_path: Path, zones: Zones, text: str, message: str
) -> None:
    path = tmp_path / "guests.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageProblem) as raised:
        load_inventory(path, zones)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[guest]\n", "not TOML"),
        ("[[guests]]\nmachine = 'x'\n", "g.toml:1: unknown table 'guests'"),
        ("guest = 5\n", "guest is not a list of tables"),
        ("machines = 5\n", "machines is not a table"),
        ("\n[[guest]]\nmachine = 5\n", "g.toml:2: machine is not a text"),
        ("[[guest]]\nguest = 'linux'\n", "g.toml:1: no machine"),
        ("[[guest]]\nmachine = 'x'\nos = 'linux'\n", "g.toml:1: unknown column 'os'"),
        ("[[guest]]\nmachine = 'x'\nactive_time_bias_minutes = true\n", "'True' is not a number"),
        ("[[guest]]\nmachine = 'x'\nactive_time_bias_minutes = 1.5\n", "'1.5' is not a number"),
        ("[machines]\nx = 5\n", 'g.toml:2: write "x" = "windows"'),
        ("[machines]\nx = 'windws'\n", "g.toml:2: unknown guest 'windws': did you mean windows"),
        ("[machines]\nx = { machine = 'y' }\n", "g.toml:2: write"),
    ],
)
def test_a_wrong_toml_file_says_where_and_what(
    tmp_path: Path, zones: Zones, text: str, message: str
) -> None:
    with pytest.raises(UsageProblem) as raised:
        load(tmp_path, zones, text, "g.toml")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_inventory_that_is_not_there(tmp_path: Path, zones: Zones) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        load_inventory(tmp_path / "none.csv", zones)
