"""One server of a cloud, by its id or its name."""

from __future__ import annotations

import pytest

from guestclock.errors import UsageProblem
from tests.platforms.openstack.conftest import Connect
from tests.platforms.openstack.stand_in import StandIn
from tests.platforms.openstack.stand_in_items import identity, server

HOSTILE = "\x1b[31m<b>=cmd|' /C calc'!A0\u202e \u00fcber-\u65f6\u949f " + "x" * 220


def test_a_server_is_found_by_its_id(connect: Connect) -> None:
    with StandIn(servers=[server(1), server(2)]) as cloud:
        assert connect(cloud).server(identity(1, 2)).name == "server-2"


@pytest.mark.parametrize(
    "name", ["web.(1)", "web*[x", "\u65f6\u949f \u00e9", HOSTILE, identity(5, 5)]
)
def test_a_server_is_found_by_its_name_as_it_is_written(connect: Connect, name: str) -> None:
    others = [server(1, name="web-(1)"), server(2, name=name.upper()), server(3, name=f"{name}x")]
    wanted = server(4, name=name)
    fits = [*others, wanted] if name.upper() != name else [others[0], others[2], wanted]
    with StandIn(servers=fits) as cloud:
        assert connect(cloud).server(name).id == wanted["id"]


def test_a_name_of_several_servers_is_not_chosen_from(connect: Connect) -> None:
    with (
        StandIn(servers=[server(place, name="web") for place in range(25)]) as cloud,
        pytest.raises(UsageProblem, match="25 servers are called web") as told,
    ):
        connect(cloud).server("web")
    assert told.value.hint is not None
    assert identity(1, 0) in told.value.hint
    assert "and 5 more" in told.value.hint


@pytest.mark.parametrize(("wrong", "near"), [("Web-1", "web-1"), ("web-11", "web-1")])
def test_a_wrong_name_is_told_with_near_ones(connect: Connect, wrong: str, near: str) -> None:
    with (
        StandIn(servers=[server(1, name="web-1"), server(2, name="mail")]) as cloud,
        pytest.raises(UsageProblem, match=f"has no server {wrong}") as told,
    ):
        connect(cloud).server(wrong)
    assert told.value.hint == f"did you mean {near}?"


def test_a_name_like_none_is_told_so(connect: Connect) -> None:
    with StandIn(admin=False) as cloud, pytest.raises(UsageProblem, match=r"no server \\x1b"):
        connect(cloud).server("\x1b[31m")
