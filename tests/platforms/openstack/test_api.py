"""What is read of a cloud's lists, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from guestclock.errors import Unreadable, UsageProblem
from guestclock.evidence import Observed, Unknown
from guestclock.platforms.interface import Note, Unread
from guestclock.platforms.openstack.api import Api
from guestclock.platforms.openstack.records import Action, Host, Server
from tests.platforms.openstack.conftest import Connect
from tests.platforms.openstack.stand_in import Refusal, Request, StandIn
from tests.platforms.openstack.stand_in_items import (
    PROJECT,
    identity,
    image,
    images,
    server,
    servers,
)

HOSTILE = "\x1b[31m<b>=cmd|' /C calc'!A0\u202e \u00fcber-\u65f6\u949f " + "x" * 220


def notes(api: Api) -> str:
    return "\n".join(one.text for one in api.notes if isinstance(one, Note))


def test_nothing_is_asked_before_connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn() as cloud:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.clouds_yaml(tmp_path)))
        assert Api("stand-in").name == "stand-in"
        assert cloud.requests == []


def test_a_server_as_an_admin_sees_it(connect: Connect) -> None:
    with StandIn(servers=[server(7, **{"OS-EXT-STS:task_state": "rebooting"})]) as cloud:
        [found] = connect(cloud).servers()
    where = "cloud stand-in: the server's image.properties in Nova's API 2.98"
    assert found == Server(
        id=identity(1, 7),
        name="server-7",
        project=PROJECT,
        host="compute-7",
        node="compute-7.example.org",
        image=identity(2, 7),
        metadata=Observed("windows", where),
        copied={"os_distro": "windows", "hw_disk_bus": "virtio"},
        vm_state="active",
        task_state="rebooting",
        power_state="running",
        created_at=datetime(2026, 11, 1, 8, tzinfo=UTC),
        launched_at=datetime(2026, 11, 1, 8, 0, 20, tzinfo=UTC),
        source="cloud stand-in",
    )


def test_all_pages_are_read_and_each_when_it_is_needed(connect: Connect) -> None:
    with StandIn(servers=servers(2500)) as cloud:
        found = connect(cloud).servers()
        first = list(islice(found, 1000))
        assert len(cloud.paths("servers/detail")) == 1
        rest = list(found)
        assert len(cloud.paths("servers/detail")) == 3
    assert [one.id for one in first + rest] == [identity(1, place) for place in range(2500)]


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example.org:8774", "http://["])
def test_of_a_link_only_the_marker_counts(connect: Connect, elsewhere: str) -> None:
    with StandIn(servers=servers(5), page=2, links_from=elsewhere) as cloud:
        assert len(list(connect(cloud).servers())) == 5
        assert all("all_tenants" in one.query for one in cloud.paths("servers/detail"))


def test_pages_that_go_in_a_ring_end(connect: Connect) -> None:
    ring = b'{"servers": [], "servers_links": [{"rel": "next", "href": "http://x/?marker=m"}]}'

    def refuse(request: Request) -> Refusal | None:
        return Refusal(200, ring) if request.path.endswith("servers/detail") else None

    with StandIn(refuse=refuse) as cloud, pytest.raises(Unreadable, match="in a ring"):
        list(connect(cloud).servers())


def test_no_servers_are_none(connect: Connect) -> None:
    with StandIn() as cloud:
        assert list(connect(cloud).servers()) == []


def broken(status: int, body: bytes = b"") -> Callable[[Request], Refusal | None]:
    """Breaks each list's second page."""
    return lambda request: Refusal(status, body) if "marker" in request.query else None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b""),
        (404, b""),
        (500, b"<html>a proxy's own page"),
        (200, b"<html>a proxy's own page"),
        (200, b"[]"),
        (200, b'{"servers": {}}'),
        (200, b'{"servers": ["no server"]}'),
        (200, b'{"servers": [{"name": "no id"}]}'),
        (200, b'{"servers": [{"id": "1", "image": 1}]}'),
        (200, b"[" * 100_000),
    ],
)
def test_what_was_read_comes_before_the_error(connect: Connect, status: int, body: bytes) -> None:
    with StandIn(servers=servers(4), page=2, refuse=broken(status, body)) as cloud:
        api = connect(cloud)
        listed = api.servers()
        found = [next(listed).id, next(listed).id]
        with pytest.raises(Unreadable, match=r"^cloud stand-in: GET servers/detail: "):
            next(listed)
    assert found == [identity(1, 0), identity(1, 1)]


def test_a_token_that_runs_out_is_renewed(connect: Connect) -> None:
    with StandIn(servers=servers(4), page=2) as cloud:
        listed = connect(cloud).servers()
        next(listed)
        cloud.expire()
        assert len(list(listed)) == 3
        assert len(cloud.paths("auth/tokens")) == 2


def test_a_service_that_is_busy_is_asked_again(connect: Connect) -> None:
    refused: list[Request] = []

    def refuse(request: Request) -> Refusal | None:
        if request.path.endswith("images") and not refused:
            refused.append(request)
            return Refusal(503)
        return None

    with StandIn(images=images(1), refuse=refuse) as cloud:
        assert len(list(connect(cloud).images())) == 1


def test_who_is_no_admin_gets_his_own_servers_and_a_note(connect: Connect) -> None:
    mine, other = server(1), server(2, tenant_id="b" * 32)
    with StandIn(servers=[mine, other], admin=False) as cloud:
        api = connect(cloud)
        [found] = api.servers()
        assert (found.id, found.host, found.node) == (identity(1, 1), "", "")
        assert list(api.hosts()) == []
        assert api.migrations(found.id) == ()
    assert "only see the servers of its own project" in notes(api)
    for hidden in ("hypervisors", "services", "aggregates", "migrations"):
        assert f"may not see its {hidden}" in notes(api)


def test_a_refusal_in_the_middle_does_not_begin_anew(connect: Connect) -> None:
    with StandIn(servers=servers(3), page=2, refuse=broken(403)) as cloud:
        listed = connect(cloud).servers()
        assert [next(listed).name, next(listed).name] == ["server-0", "server-1"]
        with pytest.raises(Unreadable, match="HTTP 403"):
            next(listed)


@pytest.mark.parametrize(
    ("offered", "asked", "complete"),
    [("2.104", "2.98", True), ("2.98", "2.98", True), ("2.93", "2.93", False), ("", "", False)],
)
def test_the_newest_microversion_of_use_is_asked_for(
    connect: Connect, offered: str, asked: str, complete: bool
) -> None:
    with StandIn(servers=servers(1), microversion=offered) as cloud:
        api = connect(cloud)
        [found] = api.servers()
        [request] = cloud.paths("servers/detail")
    assert (request.microversion, api.microversion) == (asked, asked)
    assert api.has_image_properties is complete
    assert isinstance(found.metadata, Observed) is complete
    assert ("--cell-db" in notes(api)) is not complete


def test_a_server_without_os_type_in_its_metadata_is_known_to_have_none(connect: Connect) -> None:
    with StandIn(servers=[server(1, image={"id": "i", "links": [], "properties": {}})]) as cloud:
        [found] = connect(cloud).servers()
    assert isinstance(found.metadata, Observed)
    assert found.metadata.value is None


def test_of_a_server_on_a_volume_the_metadata_are_unknown(connect: Connect) -> None:
    volumes = [{"id": "root", "delete_on_termination": False}, {"id": "data"}]
    one = server(1, image="", **{"os-extended-volumes:volumes_attached": volumes})
    with StandIn(servers=[one, server(2, image="")]) as cloud:
        on_volume, bare = connect(cloud).servers()
    assert on_volume.volume_backed
    assert (on_volume.volume, bare.volume) == ("root", "")
    assert isinstance(on_volume.metadata, Unknown)
    assert "volume" in on_volume.metadata.reason


def test_servers_of_a_cell_that_is_down_come_with_what_is_known(connect: Connect) -> None:
    lost = {
        "id": identity(9, 1),
        "status": "UNKNOWN",
        "tenant_id": PROJECT,
        "created": "2026-11-01T08:00:00Z",
        "links": [],
    }
    services = [
        {"binary": "nova-compute", "host": "far\x1b", "status": "UNKNOWN"},
        {"binary": "nova-compute", "host": "near", "status": "enabled"},
    ]
    with StandIn(servers=[server(1)], down=[lost], services=services) as cloud:
        api = connect(cloud)
        found, _ = api.servers()
        list(api.hosts())
    assert (found.id, found.name, found.vm_state, found.image) == (identity(9, 1), "", "", "")
    assert isinstance(found.metadata, Unknown)
    assert "cell is down" in found.metadata.reason
    assert "1 servers are in a cell that is down" in notes(api)
    [unread] = [one for one in api.notes if isinstance(one, Unread)]
    assert "servers of its 1 hosts may be missing: far\\x1b" in unread.reason


def test_a_server_that_is_being_deleted_is_none(connect: Connect) -> None:
    gone, back = server(1, status="DELETED"), server(2, status="SOFT_DELETED")
    with StandIn(servers=[gone, back]) as cloud:
        api = connect(cloud)
        assert [one.id for one in api.servers()] == [identity(1, 2)]
        for target in (identity(1, 1), "server-1"):
            with pytest.raises(UsageProblem):
                api.server(target)


def test_each_image_comes_once_with_all_its_properties(connect: Connect) -> None:
    given = [
        image(1, os_type="Windows", os_admin_user="\u65f6", hostile=HOSTILE),
        image(2, visibility="community"),
        image(3, os_hidden=True, visibility="shared"),
        image(4, is_protected=True, number=3, nothing=None, name=None),
    ]
    with StandIn(images=given, page=1) as cloud:
        found = {one.id: one for one in connect(cloud).images()}
        assert len(cloud.paths("images")) == 6
    assert list(found) == [identity(2, place) for place in (1, 2, 4, 3)]
    first, _, odd, hidden = found.values()
    assert first.properties == {"os_type": "Windows", "os_admin_user": "\u65f6", "hostile": HOSTILE}
    assert first.created_at == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert (first.visibility, first.owner, first.hidden) == ("public", PROJECT, False)
    assert odd.properties == {"is_protected": "true", "number": "3"}
    assert odd.name == ""
    assert hidden.hidden


def test_volumes_come_with_what_their_image_left(connect: Connect) -> None:
    volume = {
        "id": "v1",
        "name": None,
        "bootable": "true",
        "created_at": "2026-11-01T08:00:00.000000",
        "attachments": [{"server_id": "s1"}],
        "volume_image_metadata": {"image_id": "i1", "os_type": "windows", "size": 12},
    }
    snapshot = {"id": "p1", "name": "before", "volume_id": "v1", "created_at": "no time"}
    plain = {"id": "v2", "name": "data", "bootable": "false", "created_at": None}
    with StandIn(volumes=[volume, plain], snapshots=[snapshot], page=1) as cloud:
        api = connect(cloud)
        first, second = api.volumes()
        [kept] = api.volume_snapshots()
    assert first.properties == {"image_id": "i1", "os_type": "windows", "size": "12"}
    assert (first.image, first.name, first.bootable, first.servers) == ("i1", "", True, ("s1",))
    assert first.created_at == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert (second.properties, second.bootable, second.servers) == ({}, False, ())
    assert (kept.volume, kept.created_at) == ("v1", None)
    assert notes(api) == ""


def test_a_cloud_without_cinder_has_no_volumes_and_a_note(connect: Connect) -> None:
    with StandIn() as cloud:
        api = connect(cloud)
        assert [*api.volumes(), *api.volume_snapshots()] == []
    assert notes(api) == "its catalogue has no block-storage service"


def test_hosts_come_with_their_aggregates(connect: Connect) -> None:
    hypervisors = [
        {
            "id": f"h{place}",
            "hypervisor_hostname": f"{name}.example.org",
            "hypervisor_type": "QEMU",
            "status": "enabled",
            "service": {"host": name, "id": place},
        }
        for place, name in enumerate(("one", "two"))
    ]
    services = [
        {"binary": "nova-compute", "host": "one", "status": "disabled"},
        {"binary": "nova-scheduler", "host": "controller", "status": "enabled"},
    ]
    aggregates = [{"name": "east", "hosts": ["one", "two"]}, {"name": "\u5feb", "hosts": ["one"]}]
    with StandIn(
        hypervisors=hypervisors, services=services, aggregates=aggregates, page=1
    ) as cloud:
        found = list(connect(cloud).hosts())
    source = "cloud stand-in"
    assert found == [
        Host("one", "one.example.org", "", ("east", "\u5feb"), enabled=False, source=source),
        Host("two", "two.example.org", "", ("east",), source=source),
    ]


def test_actions_and_migrations_come_oldest_first(connect: Connect) -> None:
    actions = [
        {"id": 2, "action": "rebuild", "start_time": "2026-11-02T08:00:00.000000"},
        {"id": 1, "action": "create", "start_time": "2026-11-01T08:00:00.000000"},
    ]
    migrations = [{"id": 1, "migration_type": "evacuation", "created_at": "2026-11-03T08:00:00"}]
    with StandIn(actions={"s": actions}, migrations=migrations, page=1) as cloud:
        api = connect(cloud)
        assert api.actions("s") == (
            Action("create", datetime(2026, 11, 1, 8, tzinfo=UTC)),
            Action("rebuild", datetime(2026, 11, 2, 8, tzinfo=UTC)),
        )
        [moved] = api.migrations("s")
        with pytest.raises(Unreadable, match="HTTP 404"):
            api.actions("gone")
    assert moved == Action("evacuation", datetime(2026, 11, 3, 8, tzinfo=UTC))


def test_nothing_is_sent_but_get_and_the_sign_in(connect: Connect) -> None:
    with StandIn(servers=[server(1)], images=images(1), volumes=(), actions={"s": []}) as cloud:
        api = connect(cloud)
        everything: list[Iterator[object]] = [
            api.images(),
            api.servers(),
            api.volumes(),
            api.volume_snapshots(),
            api.hosts(),
        ]
        for one in everything:
            list(one)
        api.server("server-1")
        api.actions("s")
        api.migrations("s")
        assert cloud.not_gets() == [("POST", "/identity/v3/auth/tokens")]
