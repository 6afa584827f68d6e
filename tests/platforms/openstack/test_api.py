from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guestclock.errors import Unreadable, UsageProblem
from guestclock.evidence import Observed, Unknown
from guestclock.platforms.openstack.api import Api
from guestclock.platforms.openstack.api_session import Refused
from guestclock.platforms.openstack.records import Action
from tests.platforms.openstack.stand_in import PASSWORD, TOKEN, Made, StandIn

ID = "aaaaaaaa-0000-4000-8000-{:012d}"


def server(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": ID.format(number),
        "name": f"s{number}",
        "tenant_id": "p",
        "image": {"id": "i", "properties": {"os_type": "Windows", "os_distro": "windows"}},
        "OS-EXT-SRV-ATTR:host": "compute1",
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:power_state": 1,
        "created": "2026-11-01T09:00:00Z",
        "OS-SRV-USG:launched_at": "2026-11-01T09:00:05.000000",
        **more,
    }


@pytest.fixture
def cloud() -> Iterator[StandIn]:
    with StandIn(servers=[server(1), server(2)]).serving() as stand_in:
        yield stand_in


@pytest.fixture
def api(cloud: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.clouds_yaml(tmp_path)))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return Api("stand-in")


def test_a_server_has_what_the_api_shows(api: Api) -> None:
    api.connect()
    first = next(api.servers())
    assert (first.id, first.name, first.host, first.image) == (ID.format(1), "s1", "compute1", "i")
    assert first.metadata == Observed("Windows", "API, image.properties of the server")
    assert first.copied == {"os_distro": "windows"}
    assert first.created_at == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert first.launched_at == datetime(2026, 11, 1, 9, 0, 5, tzinfo=UTC)
    assert (first.vm_state, first.power_state, first.source) == (
        "active",
        "running",
        "cloud stand-in",
    )
    assert isinstance(first.column, Unknown)
    assert api.notes == [] or "Cinder" in api.notes[0].text


def test_pages_are_asked_for_one_by_one_and_followed_to_the_end(cloud: StandIn, api: Api) -> None:
    cloud.servers = Made(7, server)
    cloud.largest_page = 3
    api.connect()
    listed = api.servers()
    assert [next(listed).name for _ in range(3)] == ["s0", "s1", "s2"]
    assert len([path for path in cloud.paths() if "/servers/detail" in path]) == 1
    assert [one.name for one in listed] == ["s3", "s4", "s5", "s6"]
    assert len([path for path in cloud.paths() if "/servers/detail" in path]) == 3


def test_nothing_but_get_is_sent_beside_the_login(cloud: StandIn, api: Api) -> None:
    cloud.volumes = [{"id": "v", "volume_image_metadata": {"os_type": "windows"}}]
    cloud.actions = {ID.format(1): []}
    api.connect()
    for listing in (
        api.images,
        api.servers,
        api.volumes,
        api.volume_snapshots,
        api.hosts,
    ):
        list(listing())
    api.server("s1")
    api.actions(ID.format(1))
    posts = [path for method, path in cloud.requests if method != "GET"]
    assert posts == ["/v3/auth/tokens"]


def test_before_2_98_metadata_are_unknown_and_a_note_says_why(cloud: StandIn, api: Api) -> None:
    cloud.newest = "2.93"
    cloud.servers = [server(1, image={"id": "i"})]
    api.connect()
    [only] = api.servers()
    assert isinstance(only.metadata, Unknown)
    assert "2.93" in api.notes[0].text
    assert not api.has_image_properties


def test_a_server_of_a_volume_shows_no_metadata(cloud: StandIn, api: Api) -> None:
    attached = {"os-extended-volumes:volumes_attached": [{"id": "v"}]}
    cloud.servers = [server(1, image="", **attached)]
    api.connect()
    [only] = api.servers()
    assert only.volume_backed
    assert only.volume == "v"
    assert isinstance(only.metadata, Unknown)
    assert "volume" in only.metadata.reason


def test_a_server_in_a_cell_that_is_down_has_what_is_left(cloud: StandIn, api: Api) -> None:
    cloud.servers = [{"id": ID.format(1), "status": "UNKNOWN", "tenant_id": "p", "links": []}]
    api.connect()
    [only] = api.servers()
    assert only.name == only.id == ID.format(1)
    assert isinstance(only.metadata, Unknown)


def test_without_the_right_to_all_projects_ones_own_are_read(cloud: StandIn, api: Api) -> None:
    cloud.refuses = ("all_tenants",)
    api.connect()
    assert [one.name for one in api.servers()] == ["s1", "s2"]
    assert any("one project alone" in note.text for note in api.notes)
    list(api.servers())
    assert len([note for note in api.notes if "one project" in note.text]) == 1


def test_hosts_that_are_not_shown_are_a_note(cloud: StandIn, api: Api) -> None:
    cloud.refuses = ("os-hypervisors",)
    api.connect()
    assert list(api.hosts()) == []
    assert any("hosts" in note.text for note in api.notes)


def test_hosts_come_with_their_aggregates(cloud: StandIn, api: Api) -> None:
    cloud.aggregates = [
        {"name": "a", "hosts": ["compute1", "compute2"]},
        {"name": "b", "hosts": ["compute1"]},
    ]
    cloud.hypervisors = [
        {"hypervisor_hostname": "node1", "service": {"host": "compute1"}, "status": "enabled"},
        {"hypervisor_hostname": "node2", "service": {"host": "compute2"}, "status": "disabled"},
    ]
    api.connect()
    first, second = api.hosts()
    assert (first.name, first.node, first.aggregates) == ("compute1", "node1", ("a", "b"))
    assert (first.enabled, second.enabled) == (True, False)


def test_a_page_that_fails_comes_after_what_was_read(cloud: StandIn, api: Api) -> None:
    cloud.servers = Made(4, server)
    cloud.largest_page = 2
    cloud.fails = ("marker=",)
    api.connect()
    listed = api.servers()
    assert [next(listed).name, next(listed).name] == ["s0", "s1"]
    with pytest.raises(Unreadable, match=r"Nova /servers/detail: HTTP 500"):
        next(listed)


def test_images_are_all_there_with_their_properties_as_they_are_written(
    cloud: StandIn, api: Api
) -> None:
    base = {
        "status": "active",
        "visibility": "public",
        "os_hidden": False,
        "created_at": "2026-11-01T09:00:00Z",
        "updated_at": "2026-11-02T09:00:00Z",
        "min_ram": 0,
        "tags": [],
    }
    cloud.images = [
        {"id": "1", "name": "ä\u202e", "os_type": "Windows", "hw_time_hpet": "True", **base},
        {"id": "2", "name": None, **base},
    ]
    cloud.hidden = [{"id": "3", "name": "old", **base, "os_hidden": True}, cloud.images[0]]
    api.connect()
    first, second, third = api.images()
    assert first.properties == {"os_type": "Windows", "hw_time_hpet": "True"}
    assert first.name == "ä\u202e"
    assert first.updated_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert (second.name, dict(second.properties)) == ("", {})
    assert (third.id, third.hidden) == ("3", True)


def test_volumes_and_their_snapshots(cloud: StandIn, api: Api) -> None:
    cloud.volumes = [
        {
            "id": "v",
            "name": "disk",
            "bootable": "true",
            "volume_image_metadata": {"os_type": "windows", "image_id": "i"},
            "attachments": [{"server_id": ID.format(1)}],
            "created_at": "2026-11-01T09:00:00.000000",
        }
    ]
    cloud.snapshots = [{"id": "s", "name": "snap", "volume_id": "v"}]
    api.connect()
    [volume] = api.volumes()
    assert volume.properties["os_type"] == "windows"
    assert (volume.image, volume.servers, volume.bootable) == ("i", (ID.format(1),), True)
    [snapshot] = api.volume_snapshots()
    assert snapshot.volume == "v"


def test_without_cinder_there_are_no_volumes_and_a_note(api: Api) -> None:
    api.connect()
    assert list(api.volumes()) == list(api.volume_snapshots()) == []
    assert [note.text for note in api.notes] == ["it has no Cinder: no volumes were read"]


def test_actions_are_sorted_and_those_that_failed_left_out(cloud: StandIn, api: Api) -> None:
    cloud.actions = {
        ID.format(1): [
            {"action": "rebuild", "start_time": "2026-11-03T09:00:00.000000", "message": None},
            {"action": "rebuild", "start_time": "2026-11-04T09:00:00.000000", "message": "Error"},
            {"action": "create", "start_time": "2026-11-01T09:00:00.000000", "message": None},
        ]
    }
    api.connect()
    assert api.actions(ID.format(1)) == (
        Action("create", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        Action("rebuild", datetime(2026, 11, 3, 9, tzinfo=UTC)),
    )
    assert api.actions(ID.format(9)) == ()


def test_a_server_is_found_by_id_and_by_its_exact_name(cloud: StandIn, api: Api) -> None:
    cloud.servers = [server(1, name="web"), server(2, name="WEB"), server(3, name="web.*")]
    api.connect()
    assert api.server(ID.format(2)).name == "WEB"
    assert api.server("web").id == ID.format(1)
    assert api.server("web.*").id == ID.format(3)


def test_a_name_that_two_have_is_refused_with_their_ids(cloud: StandIn, api: Api) -> None:
    cloud.servers = [server(1, name="web"), server(2, name="web")]
    api.connect()
    with pytest.raises(UsageProblem, match="2 servers are called web") as problem:
        api.server("web")
    assert ID.format(2) in (problem.value.hint or "")


def test_a_name_that_none_has_proposes_others(api: Api) -> None:
    api.connect()
    with pytest.raises(UsageProblem, match="no server s11") as problem:
        api.server("s11")
    assert "did you mean" in (problem.value.hint or "")


def test_a_refused_login_is_said_without_the_password(cloud: StandIn, api: Api) -> None:
    cloud.locked = True
    with pytest.raises(Unreadable, match="refuses the login") as problem:
        api.connect()
    assert PASSWORD not in f"{problem.value}{problem.value.hint}"
    assert TOKEN not in f"{problem.value}{problem.value.hint}"


def test_a_cloud_that_does_not_answer_is_said_so(
    cloud: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = replace(cloud, url="http://127.0.0.1:1")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(silent.clouds_yaml(tmp_path)))
    with pytest.raises(Unreadable, match="does not answer") as problem:
        Api("stand-in").connect()
    assert PASSWORD not in str(problem.value)


def test_a_cloud_that_is_not_configured_proposes_those_that_are(api: Api) -> None:
    with pytest.raises(UsageProblem, match="cloud stand-on is not configured") as problem:
        Api("stand-on").connect()
    assert "stand-in" in (problem.value.hint or "")


def test_a_refusal_is_an_error_of_its_own(cloud: StandIn, api: Api) -> None:
    cloud.refuses = ("/images",)
    api.connect()
    with pytest.raises(Refused, match="Glance refuses /images"):
        list(api.images())
