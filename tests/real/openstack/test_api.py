"""What is read of a real cloud's API: as its administrator, and as a project's reader."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guestclock.errors import Unreadable, UsageProblem
from guestclock.evidence import Unknown
from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.api import Api
from tests.real.openstack.cloud import Cloud
from tests.real.openstack.recording import recorded_requests

pytestmark = pytest.mark.real

ODD = "w.e[b*(1) \u65f6\u949f"
LONG = "\u00fc" * 255


@pytest.fixture
def api(cloud: Cloud) -> Api:
    """The API as the cloud's administrator."""
    api = Api("bed")
    api.connect()
    return api


@contextmanager
def reading_user(
    cloud: Cloud, folder: Path, patch: pytest.MonkeyPatch, project: str | None = None
) -> Iterator[tuple[Api, str]]:
    """The API as a user who is `reader` and no more, and his project: a new one, or the given."""
    identity, name = cloud.api.identity, f"{cloud.prefix}reader"
    made = [] if project else [identity.create_project(name=name, domain_id="default")]
    where = project or str(made[0].id)
    password = secrets.token_hex(16)
    user = identity.create_user(name=name, password=password, domain_id="default")
    role = identity.find_role("reader", ignore_missing=False)
    identity.assign_project_role_to_user(where, user, role)
    auth = {
        "auth_url": cloud.api.config.auth["auth_url"],
        "user_id": user.id,
        "password": password,
        "project_id": where,
    }
    (folder / "clouds.yaml").write_text(json.dumps({"clouds": {"mine": {"auth": auth}}}))
    patch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "clouds.yaml"))
    try:
        api = Api("mine")
        api.connect()
        yield api, where
    finally:
        identity.delete_user(user)
        for one in made:
            identity.delete_project(one)


@contextmanager
def empty_images(cloud: Cloud, **attributes: dict[str, object]) -> Iterator[dict[str, str]]:
    """Images without data, and their ids by name."""
    ids = {}
    for name, more in attributes.items():
        body = {"name": cloud.prefix + name, "disk_format": "raw", "container_format": "bare"}
        made = cloud.api.image.post("/images", json=body | more)
        made.raise_for_status()
        ids[name] = made.json()["id"]
    try:
        yield ids
    finally:
        for one in ids.values():
            cloud.api.image.delete(f"/images/{one}")


def notes(api: Api) -> list[str]:
    return [one.text for one in api.notes if isinstance(one, Note)]


def test_a_server_its_host_and_its_actions(cloud: Cloud, api: Api) -> None:
    image = cloud.image("api-image", {"os_type": "Windows", "os_distro": LONG})
    made = cloud.created("api-server", image)
    [server] = [one for one in api.servers() if one.id == made]
    assert (server.name, server.image) == (f"{cloud.prefix}api-server", image)
    assert (server.vm_state, server.task_state, server.power_state) == ("active", "", "running")
    assert (server.volume, server.project) == ("", cloud.api.current_project_id)
    assert server.created_at is not None
    assert datetime.now(UTC) - server.created_at < timedelta(minutes=10)
    assert server.launched_at is not None
    # Nova 26 offers 2.93.
    assert isinstance(server.metadata, Unknown)
    assert not api.has_image_properties
    assert any("2.98" in note for note in notes(api))
    [host] = api.hosts()
    assert (host.name, host.node, host.enabled, host.virt) == (server.host, server.node, True, "")

    cloud.act(made, "reboot", "ACTIVE", type="HARD")
    assert [one.name for one in api.actions(made)] == ["create", "reboot"]
    assert api.migrations(made) == ()
    assert api.server(made).id == made
    [shown] = [one for one in api.images() if one.id == image]
    assert shown.properties == {"os_type": "Windows", "os_distro": LONG}


def test_names_are_compared_letter_by_letter(cloud: Cloud, api: Api) -> None:
    image = cloud.public_images["plain"]
    odd, upper = (cloud.created(name, image) for name in (ODD, ODD.upper()))
    twins = {cloud.created("api-twin", image) for _ in range(2)}
    assert api.server(cloud.prefix + ODD).id == odd
    assert api.server(cloud.prefix + ODD.upper()).id == upper
    with pytest.raises(UsageProblem, match="2 servers are called") as told:
        api.server(f"{cloud.prefix}api-twin")
    assert all(one in str(told.value.hint) for one in twins)
    with pytest.raises(UsageProblem) as told:
        api.server(f"{cloud.prefix}Api-Twin")
    assert told.value.hint == f"did you mean {cloud.prefix}api-twin?"


def test_images_of_every_kind_are_listed_once(cloud: Cloud, api: Api) -> None:
    with empty_images(
        cloud,
        community={"visibility": "community"},
        private={"visibility": "private"},
        hidden={"visibility": "public", "os_hidden": True},
        odd={"visibility": "shared", "os_type": "windows", "hw_time_hpet": "true", "x\u65f6": LONG},
    ) as ids:
        found = [one for one in api.images() if one.id in ids.values()]
    assert sorted(one.id for one in found) == sorted(ids.values())
    by_id = {one.id: one for one in found}
    assert by_id[ids["odd"]].properties == {
        "os_type": "windows",
        "hw_time_hpet": "true",
        "x\u65f6": LONG,
    }
    assert by_id[ids["hidden"]].hidden
    assert by_id[ids["community"]].properties == {}


def test_a_reader_gets_what_is_his(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = cloud.public_images["plain"]
    made = cloud.created("api-of-admin", image)
    with reading_user(cloud, tmp_path, monkeypatch) as (api, project):
        assert list(api.servers()) == []
        with pytest.raises(UsageProblem):
            api.server(made)
        with empty_images(
            cloud,
            community={"visibility": "community"},
            private={"visibility": "private"},
            offered={"visibility": "shared"},
        ) as ids:
            offered = ids["offered"]
            cloud.api.image.post(f"/images/{offered}/members", json={"member": project})
            found = {one.id for one in api.images()}
        assert found & {*ids.values(), image} == {ids["community"], offered, image}
        assert list(api.hosts()) == []
        assert [*api.volumes(), *api.volume_snapshots()] == []
    told = notes(api)
    assert "this user may only see the servers of its own project: all takes an admin" in told
    assert "this user may not see its hypervisors: that takes an admin" in told
    assert "its catalogue has no block-storage service" in told


def test_a_reader_of_the_project_is_not_shown_the_host(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cloud.created("api-of-reader", cloud.public_images["plain"])
    mine = cloud.api.current_project_id
    with reading_user(cloud, tmp_path, monkeypatch, mine) as (api, _):
        server = api.server(made)
        assert [one.name for one in api.actions(made)] == ["create"]
        assert api.migrations(made) == ()
    assert (server.host, server.node, server.vm_state) == ("", "", "active")
    assert "this user may not see its migrations: that takes an admin" in notes(api)


def test_pages_of_a_real_cloud(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one image each, so that Glance's own links are followed."""
    monkeypatch.setattr("guestclock.platforms.openstack.api._PAGE", (("limit", "1"),))
    api = Api("bed")
    api.connect()
    with recorded_requests() as requests, pytest.MonkeyPatch.context() as patch:
        for name, value in requests.environment.items():
            patch.setenv(name, value)
        found = [one.id for one in api.images()]
    assert len(requests.seen) > len(found) > 2
    assert len(found) == len(set(found))


def test_nothing_is_sent_but_get_and_the_sign_in(cloud: Cloud) -> None:
    with recorded_requests() as requests, pytest.MonkeyPatch.context() as patch:
        for name, value in requests.environment.items():
            patch.setenv(name, value)
        api = Api("bed")
        api.connect()
        for one in (api.images(), api.servers(), api.volumes(), api.hosts()):
            list(one)
        with pytest.raises(UsageProblem):
            api.server(f"{cloud.prefix}no-such-server")
    others = [one for one in requests.seen if one[0] != "GET"]
    assert others == [("POST", "/v3/auth/tokens")]


def test_a_wrong_password_is_refused_and_not_shown(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = {**cloud.api.config.auth, "password": "s3ntinel"}
    (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": {"mine": {"auth": auth}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with pytest.raises(Unreadable, match="HTTP 401") as told:
        Api("mine").connect()
    assert "s3ntinel" not in f"{told.value} {told.value.hint}"
