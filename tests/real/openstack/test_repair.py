"""The field report on a real Nova: a plan for a wrong server, applied, verified, put back."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Run
from tests.real.openstack import operations as do
from tests.real.openstack.cloud import Cloud
from tests.real.openstack.documented_rights import rights_to_repair
from tests.real.openstack.foretelling import guests_list
from tests.real.openstack.reader import OPTIONS, Reader
from tests.real.openstack.running import Bed

pytestmark = pytest.mark.real

SHANGHAI = 8 * 3600
TOLERANCE = 5
WRITING = ("--cell-db", "env:SUITE_WRITER_CELL", "--api-db", "env:SUITE_WRITER_API")


@pytest.fixture
def writer(bed: Bed, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Variables with the databases for a user with the documented rights, and no more."""
    where, name, password = urlsplit(bed.cell_url), f"writer_{os.getpid()}", secrets.token_hex(16)
    account = f"'{name}'@'127.0.0.1'"
    bed.sql(f"CREATE OR REPLACE USER {account} IDENTIFIED BY '{password}'")
    for right in rights_to_repair("MariaDB, MySQL", account):
        bed.sql(right)
    server = f"mysql+pymysql://{name}:{password}@{where.hostname}:{where.port}"
    monkeypatch.setenv("SUITE_WRITER_CELL", f"{server}/nova?charset=utf8")
    monkeypatch.setenv("SUITE_WRITER_API", f"{server}/nova_api?charset=utf8")
    yield
    bed.sql(f"DROP USER {account}")


def planned(guestclock: Run, cloud: Cloud, folder: Path, server: str, *more: str) -> dict[str, Any]:
    """A plan for one server, in which a Windows is, and its image; others are taken out."""
    guests, plan = folder / "guests.toml", folder / "plan.toml"
    guests.write_text(guests_list({server: "windows"}))
    sources = ("--os-cloud", "bed", *OPTIONS, "-c", cloud.bed.uri)
    made = guestclock("plan", *sources, "--guests", str(guests), *more, "-o", str(plan))
    assert made.code == 0, made.err
    ours = {
        server,
        str(cloud.api.compute.get(f"/servers/{server}").json()["server"]["image"]["id"]),
    }
    text = plan.read_text()
    others = [one["id"] for one in tomllib.loads(text)["step"] if one["machine"] not in ours]
    plan.write_text(without(text, others))
    return tomllib.loads(plan.read_text())


def options(cloud: Cloud, folder: Path) -> tuple[str, ...]:
    """What apply and rollback are given of sources."""
    sources = ("--os-cloud", "bed", *WRITING, "-c", cloud.bed.uri)
    return (*sources, "--journal", str(folder / "journals"), "--yes")


@pytest.mark.usefixtures("writer")
def test_a_wrong_server_is_planned_cured_verified_and_put_back(
    guestclock: Run, cloud: Cloud, tmp_path: Path
) -> None:
    image = cloud.image("broken")
    server = cloud.create("repair", image)
    assert cloud.rtc_offset(server) == pytest.approx(0, abs=TOLERANCE)
    steps = planned(guestclock, cloud, tmp_path, server)["step"]
    assert [(one["lever"], one["machine"], one["old"], one["new"]) for one in steps] == [
        ("glance-os-type", image, "os_type=", "os_type=windows"),
        ("nova-os-type", server, "column= copy=", "column=windows copy=windows"),
        ("nova-request-spec", server, "os_type=", "os_type=windows"),
    ]
    assert "rebuild would undo" not in steps[1]["why"]

    common, plan = options(cloud, tmp_path), str(tmp_path / "plan.toml")
    done = guestclock("apply", plan, *common, "--restart", "hard")
    assert done.code == 0, (done.out, done.err)
    assert done.out.count(": verified") == 3
    assert cloud.rtc_offset(server) == pytest.approx(SHANGHAI, abs=TOLERANCE)
    assert places(cloud, server, image) == ("windows", "windows", "windows", "windows")
    again = guestclock("apply", plan, *common, "--restart", "hard")
    assert (again.code, again.out.splitlines()[-1]) == (
        0,
        "nothing to do: the plan was carried out",
    )
    do.stop_start(cloud, server)
    assert cloud.rtc_offset(server) == pytest.approx(SHANGHAI, abs=TOLERANCE)
    # The image was corrected first, so a rebuild keeps the cure.
    do.rebuild(cloud, server)
    assert cloud.rtc_offset(server) == pytest.approx(SHANGHAI, abs=TOLERANCE)

    back = guestclock("rollback", *common, "--restart", "hard")
    assert (back.code, back.out.count(": undone")) == (0, 3), (back.out, back.err)
    assert cloud.rtc_offset(server) == pytest.approx(0, abs=TOLERANCE)
    assert places(cloud, server, image) == (None, None, None, None)
    nothing = guestclock("rollback", *common, "--restart", "hard")
    assert (nothing.code, "has anything to do" in nothing.err) == (2, True)


@pytest.mark.usefixtures("writer")
def test_an_image_whose_servers_differ_is_left_and_the_plan_says_what_that_means(
    guestclock: Run, cloud: Cloud, tmp_path: Path
) -> None:
    image = cloud.image("shared")
    server, other = cloud.create("shared-w", image), cloud.create("shared-l", image)
    (tmp_path / "both.toml").write_text(guests_list({server: "windows", other: "linux"}))
    plan = planned(
        guestclock,
        cloud,
        tmp_path,
        server,
        "--guests",
        str(tmp_path / "both.toml"),
    )
    assert [one["lever"] for one in plan["step"]] == ["nova-os-type", "nova-request-spec"]
    assert "a rebuild would undo this" in plan["step"][0]["why"]
    assert any("in different ways" in one["what"] for one in plan["open"])


def places(cloud: Cloud, server: str, image: str) -> tuple[object, ...]:
    """The four places of an os_type: the column, its copy, the request spec and the image."""
    column = cloud.bed.sql("SELECT os_type FROM nova.instances WHERE uuid = :id", id=server)
    copy = cloud.bed.sql(
        "SELECT value FROM nova.instance_system_metadata WHERE instance_uuid = :id "
        "AND `key` = 'image_os_type' AND deleted = 0",
        id=server,
    )
    path = '$."nova_object.data".image."nova_object.data".properties."nova_object.data".os_type'
    spec = cloud.bed.sql(
        "SELECT JSON_VALUE(spec, :path) FROM nova_api.request_specs WHERE instance_uuid = :id",
        path=path,
        id=server,
    )
    found = cloud.api.image.get(f"/images/{image}").json()
    return column[0][0], copy[0][0] if copy else None, spec[0][0], found.get("os_type")


def without(plan: str, ids: list[str]) -> str:
    """A plan's text without the steps of these ids."""
    head, *tables = plan.split("\n[[")
    kept = [one for one in tables if not any(f'\nid = "{name}"' in one for name in ids)]
    return "\n[[".join([head, *kept])
