"""The field report on a real Nova: a plan for a wrong server, applied, verified, put back."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Run
from tests.real.openstack import operations as do
from tests.real.openstack.cloud import Cloud
from tests.real.openstack.foretelling import guests_list
from tests.real.openstack.running import Bed

pytestmark = pytest.mark.real

SHANGHAI = 8 * 3600
TOLERANCE = 5
RIGHTS = {
    "instances": (
        "SELECT (id, uuid, os_type, image_ref, deleted, vm_state, task_state, power_state, host, "
        "node, display_name, project_id, created_at, launched_at), UPDATE (os_type, updated_at)"
    ),
    "instance_system_metadata": (
        "SELECT (id, instance_uuid, `key`, value, deleted), "
        "INSERT (created_at, instance_uuid, `key`, value, deleted), "
        "UPDATE (value, updated_at, deleted, deleted_at)"
    ),
}


@pytest.fixture
def writer(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The cell's database for a user with the rights that the lever needs, and no more."""
    where, name, password = urlsplit(bed.cell_url), f"writer_{os.getpid()}", secrets.token_hex(16)
    account = f"'{name}'@'127.0.0.1'"
    bed.sql(f"CREATE OR REPLACE USER {account} IDENTIFIED BY '{password}'")
    for table, rights in RIGHTS.items():
        bed.sql(f"GRANT {rights} ON nova.{table} TO {account}")
    url = f"mysql+pymysql://{name}:{password}@{where.hostname}:{where.port}/nova?charset=utf8"
    monkeypatch.setenv("SUITE_WRITER", url)
    yield "env:SUITE_WRITER"
    bed.sql(f"DROP USER {account}")


def test_a_wrong_server_is_planned_cured_verified_and_put_back(
    guestclock: Run, cloud: Cloud, writer: str, tmp_path: Path
) -> None:
    server = cloud.create("repair", cloud.public_images["plain"])
    assert cloud.rtc_offset(server) == pytest.approx(0, abs=TOLERANCE)
    guests, plan = tmp_path / "guests.toml", tmp_path / "plan.toml"
    guests.write_text(guests_list({server: "windows"}))
    sources = ("--os-cloud", "bed", "--cell-db", writer, "-c", cloud.bed.uri)
    made = guestclock("plan", *sources, "--guests", str(guests), "-o", str(plan))
    assert made.code == 0, made.err
    text = plan.read_text()
    steps = [one for one in tomllib.loads(text)["step"] if one["machine"] == server]
    assert [(one["old"], one["new"]) for one in steps] == [
        ("column= copy=", "column=windows copy=windows")
    ]
    # Others may have wrong servers here meanwhile.
    others = [one["id"] for one in tomllib.loads(text)["step"] if one["machine"] != server]
    plan.write_text(without(text, others))

    common = (str(plan), *sources, "--journal", str(tmp_path / "journals"), "--yes")
    done = guestclock("apply", *common, "--restart", "hard")
    assert done.code == 0, (done.out, done.err)
    assert f"{steps[0]['name']}: verified" in done.out
    assert cloud.rtc_offset(server) == pytest.approx(SHANGHAI, abs=TOLERANCE)
    assert "nothing to do" in guestclock("apply", *common, "--restart", "hard").out
    do.stop_start(cloud, server)
    assert cloud.rtc_offset(server) == pytest.approx(SHANGHAI, abs=TOLERANCE)

    back = guestclock("rollback", *common, "--restart", "hard")
    assert (back.code, back.out) == (0, f"{steps[0]['id']} {steps[0]['name']}: undone\n")
    assert cloud.rtc_offset(server) == pytest.approx(0, abs=TOLERANCE)


def without(plan: str, ids: list[str]) -> str:
    """A plan's text without the steps of these ids."""
    head, *tables = plan.split("\n[[")
    kept = [one for one in tables if not any(f'id = "{name}"' in one for name in ids)]
    return "\n[[".join([head, *kept])
