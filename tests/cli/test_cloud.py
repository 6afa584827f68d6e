"""`audit` and `explain` of a cloud, over loopback HTTP."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran, Run
from tests.disks.builders.hive import dword
from tests.disks.builders.ntfs import make_ntfs
from tests.disks.builders.windows import windows_files
from tests.platforms.openstack.stand_in import Refusal, Request, StandIn

ID = "aaaaaaaa-0000-4000-8000-{:012d}"
HOSTILE = "=cmd|'/c x'!A1\x1b[31m<script>alert(1)</script>\u202e" + "x" * 190
FORMATS = ("table", "json", "csv", "html", "sarif", "junit")


def image(number: int, name: str, **properties: str) -> dict[str, Any]:
    return {
        "id": f"image-{number}",
        "name": name,
        "status": "active",
        "visibility": "public",
        "os_hidden": False,
        "created_at": "2026-11-01T09:00:00Z",
        "updated_at": "2026-11-01T09:00:00Z",
        **properties,
    }


def server(number: int, name: str, made_of: str, os_type: str | None) -> dict[str, Any]:
    properties = {} if os_type is None else {"os_type": os_type}
    return {
        "id": ID.format(number),
        "name": name,
        "tenant_id": "p",
        "image": {"id": made_of, "properties": properties},
        "OS-EXT-SRV-ATTR:host": "compute1",
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "created": "2026-11-02T09:00:00Z",
    }


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    stand_in = StandIn(
        images=[
            image(1, "windows-server-2022"),
            image(2, "win-right", os_type="windows"),
            image(3, "debian-12", os_type="linux", os_distro="debian"),
            image(4, HOSTILE, os_type="WINDOWS", title=HOSTILE),
        ],
        servers=[
            server(1, "forgotten", "image-1", None),
            server(2, "right", "image-2", "windows"),
            server(3, "linux", "image-3", "linux"),
            server(4, HOSTILE, "image-4", "WINDOWS"),
        ],
        hypervisors=[{"hypervisor_hostname": "compute1", "service": {"host": "compute1"}}],
    )
    with stand_in:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(stand_in.clouds_yaml(tmp_path)))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.delenv("OS_CLOUD", raising=False)
        monkeypatch.setenv("GUESTS", str(tmp_path / "guests.csv"))
        (tmp_path / "guests.csv").write_text(
            "machine,guest,zone\nforgotten,windows,Asia/Shanghai\nright,windows,Asia/Shanghai\n"
            "linux,linux,\n*,windows,Asia/Shanghai\n"
        )
        yield stand_in


def audited(guestclock: Run, *more: str) -> Ran:
    return guestclock(
        "audit",
        *("--os-cloud", "stand-in"),
        *("--guests", os.environ["GUESTS"], "--host-zone", "Asia/Shanghai"),
        *more,
    )


def found(ran: Ran) -> list[tuple[str, str, str, str]]:
    return [
        (one["severity"], one["rule"], one["machine"]["kind"], one["machine"]["name"])
        for one in json.loads(ran.out)["findings"]
    ]


def test_each_fault_is_found_once_and_what_is_right_is_left_alone(
    guestclock: Run, cloud: StandIn
) -> None:
    ran = audited(guestclock, "-f", "json")
    assert ran.code == 1, ran.err
    assert found(ran) == [
        ("error", "CLK601", "server", "forgotten"),
        ("error", "CLK602", "server", HOSTILE),
        ("warning", "CLK601", "image", "windows-server-2022"),
        ("warning", "CLK602", "image", HOSTILE),
    ]
    summary = json.loads(ran.out)["summary"]
    assert summary["machines"] == 4
    assert summary["objects"] == {"host": 1, "image": 4}
    assert [note["text"] for note in summary["notes"]] == [
        "its catalogue has no block-storage service"
    ]
    first = json.loads(ran.out)["findings"][0]
    assert first["machine"]["id"] == ID.format(1)
    assert first["error_seconds"]["after_cold_start"] == -28800


def test_an_image_is_judged_by_the_system_that_is_in_its_file(
    guestclock: Run, cloud: StandIn, tmp_path: Path
) -> None:
    local = make_ntfs(tmp_path / "local.raw", windows_files())
    universal = windows_files(universal=dword("RealTimeIsUniversal", 1))
    utc = make_ntfs(tmp_path / "utc.raw", universal)
    named = (f"debian-12={local}", f"image-2={utc}", f"nothing={local}")
    ran = audited(guestclock, *(f"--disks={one}" for one in named), "-f", "json")
    images = [one for one in found(ran) if one[2] == "image"]
    assert images == [
        ("warning", "CLK601", "image", "windows-server-2022"),
        ("warning", "CLK610", "image", "win-right"),
        ("warning", "CLK601", "image", "debian-12"),
        ("warning", "CLK602", "image", HOSTILE),
    ]
    told = {one["machine"]["name"]: one for one in json.loads(ran.out)["findings"]}
    seen = told["debian-12"]["evidence"][-1]
    assert seen["how"] == "observed"
    assert "RealTimeIsUniversal" in seen["where"]
    assert "openstack image unset --property os_type image-2" in told["win-right"]["cure"]
    assert "no machine or image is called 'nothing'" in ran.err


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_and_values_come_out_harmless(
    guestclock: Run, cloud: StandIn, form: str
) -> None:
    ran = audited(guestclock, "-f", form)
    assert ran.code == 1
    if form != "json":
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
    assert "\x1b" not in ran.err
    if form == "html":
        assert "<script>alert" not in ran.out
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(ran.out)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("locked", [False, True])
def test_no_secret_is_in_any_output(
    guestclock: Run, cloud: StandIn, form: str, locked: bool
) -> None:
    if locked:
        cloud.refuse = lambda asked: Refusal(401) if asked.method == "POST" else None
    ran = audited(guestclock, "-f", form)
    assert ran.code == (3 if locked else 1)
    assert cloud.password not in ran.out + ran.err


def test_an_empty_cloud_is_clean(guestclock: Run, cloud: StandIn) -> None:
    cloud.servers = cloud.images = ()
    ran = audited(guestclock)
    assert ran.code == 0
    assert "0 machines, 1 host: nothing found" in ran.out


def _without_images(asked: Request) -> Refusal | None:
    return Refusal(500) if asked.path.endswith("/images") else None


def test_a_listing_that_fails_is_unread_and_the_rest_goes_on(
    guestclock: Run, cloud: StandIn
) -> None:
    cloud.refuse = _without_images
    ran = audited(guestclock, "-f", "json")
    report = json.loads(ran.out)
    assert [one["source"] for one in report["unread"]] == ["cloud stand-in, images"]
    assert "HTTP 500" in report["unread"][0]["reason"]
    assert report["summary"]["machines"] == 4
    cloud.servers = [server(3, "linux", "image-3", "linux")]
    assert audited(guestclock).code == 3


def test_a_wrong_name_of_a_cloud_is_a_usage_error(guestclock: Run, cloud: StandIn) -> None:
    ran = guestclock("audit", "--os-cloud", "stand-off")
    assert ran.code == 2
    assert "stand-in" in ran.err


def test_the_environment_names_the_cloud_where_nothing_else_is_given(
    guestclock: Run, cloud: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OS_CLOUD", "stand-in")
    assert "4 machines" in guestclock("audit").out
    (tmp_path / "d").mkdir()
    assert "0 machines" in guestclock("audit", tmp_path / "d").out


def test_what_adds_to_servers_needs_servers(guestclock: Run, cloud: StandIn) -> None:
    ran = guestclock("audit", "--glance-db", "sqlite://")
    assert ran.code == 2
    assert "--os-cloud" in ran.err
    assert guestclock("audit", "--os-cloud", "stand-in", "x.xml").code == 2


def test_explain_takes_a_server_by_name_or_id(guestclock: Run, cloud: StandIn) -> None:
    cloud.actions = {
        ID.format(1): [{"action": "create", "start_time": "2026-11-02T09:00:00", "message": None}]
    }
    for target in ("forgotten", ID.format(1)):
        ran = guestclock(
            "explain", target, "--os-cloud", "stand-in", "--zone", "Asia/Shanghai", "-f", "json"
        )
        assert ran.code == 0, ran.err
        told = json.loads(ran.out)
        assert told["machine"]["kind"] == "server"
        errors = told["error_seconds"]
        assert errors["after_hard_reboot"] == errors["after_cold_start"] == -28800
        assert errors["after_stop_start"] == errors["after_rebuild"] == -28800
        assert errors["after_soft_reboot"] is None
        assert told["history"][0].startswith("the server was created at 2026-11-02T09:00:00Z")
        operations = {one["operation"]: one for one in told["life"]}
        assert operations["hard reboot"]["regenerates"] is True
        assert "power button" in operations["soft reboot"]["hangs_on"]
    assert "note: cloud stand-in: its catalogue has no block-storage" in ran.err


def test_explain_of_a_name_that_two_servers_have_lists_their_ids(
    guestclock: Run, cloud: StandIn
) -> None:
    cloud.servers = [server(1, "twin", "image-1", None), server(2, "twin", "image-1", None)]
    ran = guestclock("explain", "twin", "--os-cloud", "stand-in")
    assert ran.code == 2
    assert ID.format(1) in ran.err
    assert ID.format(2) in ran.err


def test_a_baseline_of_a_cloud_leaves_out_what_it_had(
    guestclock: Run, cloud: StandIn, tmp_path: Path
) -> None:
    report = tmp_path / "then.json"
    report.write_text(audited(guestclock, "-f", "json").out)
    ran = audited(guestclock, "--baseline", str(report))
    assert ran.code == 0
    assert "4 findings of the baseline left out" in ran.out


def test_rules_of_openstack_are_chosen_as_all_others(guestclock: Run, cloud: StandIn) -> None:
    assert found(audited(guestclock, "-f", "json", "--select", "os-type-case"))[0][1] == "CLK602"
    assert audited(guestclock, "--ignore", "CLK6").code == 0
