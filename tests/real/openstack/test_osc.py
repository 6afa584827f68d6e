"""The commands in the system's own openstack client: its Python, its packages, its login."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.conftest import Ran
from tests.real.openstack.cloud import Cloud
from tests.real.openstack.reader import Reader
from tests.real.openstack.running import NO_PROXY, Bed

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[3]
SYSTEM = "/usr/bin/python3"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BEHIND = -8 * 3600
# What our own program brings along, and the client's Python need not have.
OURS_ALONE = {"guestclock.cli", "msgspec", "rich", "tzdata", "tzlocal"}
VERSION = "from importlib.metadata import version; print(version({!r}))"
WITH_MODULES = (
    "import sys; from openstackclient.shell import main; code = main(sys.argv[1:]);"
    "print(*sys.modules, file=open('modules', 'w')); sys.exit(code)"
)


@dataclass(frozen=True)
class Client:
    """The system's client, with the plugin beside it; a command runs in `folder`."""

    python: Path
    folder: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str) -> Ran:
        """`openstack ...`, as its users type it."""
        return self.run("-m", "openstackclient.shell", *arguments)

    def run(self, *arguments: str) -> Ran:
        """The client's Python."""
        ran = subprocess.run(
            [str(self.python), *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """The rows of a list in JSON."""
        ran = self("clock", *arguments, "-f", "json")
        assert ran.code in (0, 1), ran.err
        rows: list[dict[str, Any]] = json.loads(ran.out)
        return rows


@pytest.fixture(scope="module")
def client(bed: Bed, reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The system's Python with our source on its path and our entry points, and nothing else.

    As `pip install --no-deps` leaves it, and without asking anyone for a package.
    """
    folder = tmp_path_factory.mktemp("osc")
    subprocess.run(
        [SYSTEM, "-m", "venv", "--without-pip", "--system-site-packages", folder / "venv"],
        check=True,
    )
    (packages,) = (folder / "venv/lib").glob("python3.*/site-packages")
    (packages / "guestclock.pth").write_text(f"{ROOT}\n")
    installed = packages / "guestclock-0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: guestclock\nVersion: 0\n")
    groups = PROJECT["entry-points"]
    with (installed / "entry_points.txt").open("w") as file:
        for group, points in groups.items():
            file.write(f"[{group}]\n")
            file.writelines(f"{name} = {target}\n" for name, target in points.items())
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        **bed.environment,
        **reader.environment,
        **NO_PROXY,
    }
    return Client(folder / "venv/bin/python", folder, environment)


@pytest.fixture(scope="module")
def servers(cloud: Cloud) -> Iterator[dict[str, str]]:
    """A server whose os_type has no effect, and one that is right: their ids by a word."""
    images = cloud.public_images
    yield {
        "upper": cloud.create("osc upper", images["Windows-wrong-case"]),
        "right": cloud.create("osc right", images["windows"]),
    }
    cloud.clean()


@pytest.fixture(scope="module")
def known(bed: Bed, client: Client, servers: dict[str, str]) -> tuple[str, ...]:
    """The options that say what no source does."""
    guests = client.folder / "guests.csv"
    rows = "".join(f"{server},windows,{bed.zone}\n" for server in servers.values())
    guests.write_text(f"machine,guest,zone\n{rows}")
    return ("--host-zone", bed.zone, "--guests", str(guests))


def test_the_audit_finds_the_defect_and_leaves_the_right_server_alone(
    client: Client, servers: dict[str, str], known: tuple[str, ...]
) -> None:
    ran = client("clock", "audit", *known, "--cell-db", "env:SUITE_CELL_DB", "-f", "json")
    assert ran.code == 1, ran.err
    found = [row for row in json.loads(ran.out) if row["ID"] in servers.values()]
    assert [(row["ID"], row["Rule"], row["Severity"]) for row in found] == [
        (servers["upper"], "CLK602", "error")
    ]
    assert found[0]["After Hard Reboot"] == BEHIND


def test_the_list_of_servers_foretells_what_a_hard_reboot_makes_of_the_clock(
    cloud: Cloud, bed: Bed, client: Client, servers: dict[str, str], known: tuple[str, ...]
) -> None:
    rows = client.rows("server", "list", *known, "--cell-db", "env:SUITE_CELL_DB")
    found = {row["ID"]: row for row in rows}
    upper, right = found[servers["upper"]], found[servers["right"]]
    assert (upper["OS Type"], upper["After Hard Reboot"]) == ("Windows", BEHIND)
    assert (right["OS Type"], right["After Hard Reboot"]) == ("windows", 0)
    assert upper["Known By"].startswith("observed: ")
    for row in (upper, right):
        cloud.act(row["ID"], "reboot", "ACTIVE", type="HARD")
        local = -BEHIND
        assert cloud.rtc_offset(row["ID"]) - local == pytest.approx(row["After Hard Reboot"], abs=5)


def test_by_the_api_alone_the_os_type_is_inferred_and_nothing_fails(
    client: Client, servers: dict[str, str], known: tuple[str, ...]
) -> None:
    rows = client.rows("server", "list", *known)
    found = {row["ID"]: row["Known By"] for row in rows}
    assert found[servers["upper"]].startswith("inferred: its image")


def test_a_server_is_explained_with_the_hosts_definition(
    bed: Bed, client: Client, servers: dict[str, str], known: tuple[str, ...]
) -> None:
    ran = client(
        *("clock", "explain", servers["upper"], *known, "--connect", bed.uri),
        *("--cell-db", "env:SUITE_CELL_DB", "--api-db", "env:SUITE_API_DB", "-f", "json"),
    )
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["after_soft_reboot"] == found["after_hard_reboot"] == BEHIND
    assert found["after_rebuild"] == BEHIND
    hops = {hop["name"]: hop for hop in found["hops"]}
    assert hops["image"]["says"] == "os_type=Windows"
    assert hops["image"]["should"] == "os_type=windows"


@pytest.mark.parametrize("form", ["table", "csv", "yaml", "value"])
def test_images_are_listed_in_every_form_of_the_client(client: Client, form: str) -> None:
    ran = client("clock", "image", "list", "-f", form)
    assert ran.code == 0, ran.err
    assert "Windows-wrong-case" in ran.out
    assert "CLK602" in ran.out
    if form == "csv":
        rows = {row["Name"]: row["Should Be"] for row in csv.DictReader(io.StringIO(ran.out))}
        assert rows["Windows-wrong-case"] == "windows"


def test_nothing_is_imported_that_the_client_and_the_services_have_not(
    client: Client, known: tuple[str, ...]
) -> None:
    own = imported(client, "image", "list")
    sources = ("--cell-db", "env:SUITE_CELL_DB", "--glance-db", "env:SUITE_GLANCE_DB")
    found = imported(client, "clock", "audit", *known, *sources, "--fail-on", "never")
    assert "guestclock.platforms.openstack.database.cell" in found - own
    assert not OURS_ALONE & found
    packages = {name.partition(".")[0] for name in found - own}
    assert packages - sys.stdlib_module_names <= {"guestclock", "pymysql", "sqlalchemy"}


def imported(client: Client, *arguments: str) -> set[str]:
    """The modules that the client has at the end of a command."""
    ran = client.run("-c", WITH_MODULES, *arguments)
    assert ran.code == 0, ran.err
    return set((client.folder / "modules").read_text().split())


def test_the_clients_own_commands_are_as_they_were(bed: Bed, client: Client) -> None:
    with_plugin = client("image", "list", "-f", "json")
    assert with_plugin.code == 0, with_plugin.err
    assert with_plugin.out == bed.openstack("image", "list", "-f", "json")
    assert with_plugin.err == ""
    listed = client("command", "list", "--group", "clock", "-f", "json")
    assert "clock server list" in listed.out


def test_no_secret_is_in_what_it_says(
    bed: Bed, client: Client, reader: Reader, known: tuple[str, ...]
) -> None:
    # Who gives the URL itself, and a password that is wrong.
    wrong = reader.url("nova").replace(reader.password, f"{reader.password}x")
    ran = client("clock", "audit", *known, "--cell-db", wrong, "--fail-on", "never")
    assert ran.code == 3
    assert "not read: " in ran.err
    for secret in (reader.password, *bed.secrets()):
        assert secret not in ran.out + ran.err


@pytest.mark.parametrize(
    "text", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["openstack"]]
)
def test_an_installation_replaces_no_package_of_the_client(client: Client, text: str) -> None:
    needed = Requirement(text)
    ran = client.run("-c", VERSION.format(needed.name))
    if ran.code:
        assert PackageNotFoundError.__name__ in ran.err
    else:
        assert needed.specifier.contains(ran.out.strip())
