from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from guestclock.cli.glance_image import _glance
from tests.conftest import Run
from tests.disks.builders.ext import make_ext
from tests.disks.builders.tree import Link
from tests.disks.remote.server import Asked, Reply, Server, serving
from tests.platforms.openstack.conftest import no_cloud_of_the_user
from tests.platforms.openstack.stand_in import StandIn

ID = "6f0c1a5e-2d3b-4c5d-8e9f-0a1b2c3d4e5f"
SECRET = "hunter2-of-the-cloud"

__all__ = ["no_cloud_of_the_user"]


@pytest.fixture
def glance(tmp_path: Path, no_cloud_of_the_user: Path) -> Iterator[Server]:
    """A cloud called `stand-in` that has one image of 24 MiB."""
    image = make_ext(
        tmp_path / "image",
        {
            "etc/os-release": b"ID=alpine\nPRETTY_NAME=Alpine\n",
            "etc/localtime": Link("/usr/share/zoneinfo/Asia/Tokyo"),
        },
    )
    _glance.cache_clear()
    with serving(image.read_bytes()) as server, StandIn(password=SECRET) as cloud:
        override = f"http://{server.host}"
        cloud.clouds_yaml(no_cloud_of_the_user.parent, image_endpoint_override=override)
        yield server
    _glance.cache_clear()


def test_an_image_of_glance_is_read_by_its_parts(guestclock: Run, glance: Server) -> None:
    ran = guestclock("inspect", f"glance:{ID}", "--os-cloud", "stand-in", "-f", "json")
    (image,) = json.loads(ran.out)
    assert image["path"] == f"glance:{ID}"
    assert image["systems"][0]["zone"] == "Asia/Tokyo"
    assert {one.target for one in glance.asked} == {f"/v2/images/{ID}/file"}
    assert all(one.headers["x-auth-token"] for one in glance.asked)
    read = sum(last - first + 1 for first, last in (one.range for one in glance.asked))
    assert read < (2 << 20)
    assert ran.code == 0


def test_two_images_need_one_sign_in(guestclock: Run, glance: Server) -> None:
    names = (f"glance:{ID}", f"glance:{ID[:-1]}0")
    ran = guestclock("inspect", *names, "--os-cloud", "stand-in", "-f", "json")
    assert [one["unknown"] for one in json.loads(ran.out)] == [None, None]
    assert len({one.headers["x-auth-token"] for one in glance.asked}) == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (204, "no data"),
        (404, "answers 404"),
        (403, "answers 403"),
        (500, "answers 500"),
    ],
)
def test_what_glance_refuses_is_told(
    guestclock: Run, glance: Server, status: int, said: str
) -> None:
    glance.answers = lambda asked: Reply(status, {}, b"" if status == 204 else SECRET.encode())
    ran = guestclock("inspect", f"glance:{ID}", "--os-cloud", "stand-in", "-f", "json")
    (image,) = json.loads(ran.out)
    assert image["unknown"] == "unreachable"
    assert said in image["detail"]
    assert SECRET not in ran.out + ran.err
    assert ran.code == 3


def test_a_glance_without_ranges_is_told(guestclock: Run, glance: Server) -> None:
    glance.answers = glance.whole
    options = ("--os-cloud", "stand-in", "-f", "json", "--max-read", "8M")
    (image,) = json.loads(guestclock("inspect", f"glance:{ID}", *options).out)
    assert image["unknown"] == "unreachable"
    assert "gives no ranges" in image["detail"]


def test_a_connection_that_breaks_is_told(guestclock: Run, glance: Server) -> None:
    def broken(asked: Asked) -> Reply:
        return replace(glance.part(asked), body=b"x", closes=True)

    glance.answers = broken
    ran = guestclock("inspect", f"glance:{ID}", "--os-cloud", "stand-in", "-f", "json")
    (image,) = json.loads(ran.out)
    assert image["unknown"] == "unreachable"
    assert "reading from Glance" in image["detail"] or "cut short" in image["detail"]


def test_a_cloud_that_is_not_there_is_a_mistake_of_usage(guestclock: Run, glance: Server) -> None:
    ran = guestclock("inspect", f"glance:{ID}", "--os-cloud", "nowhere")
    assert ran.code == 2
    assert "there is no cloud nowhere" in ran.err


@pytest.mark.parametrize("name", ["glance:", "glance:my-image", f"glance:{ID}/../x", "glance:../x"])
def test_a_name_is_no_id(guestclock: Run, name: str) -> None:
    ran = guestclock("inspect", name, "--os-cloud", "stand-in")
    assert ran.code == 2
    assert "image's id" in ran.err


def test_a_wrong_password_is_told_and_not_shown(
    guestclock: Run, tmp_path: Path, no_cloud_of_the_user: Path
) -> None:
    _glance.cache_clear()
    with StandIn(password=SECRET) as cloud:
        cloud.clouds_yaml(no_cloud_of_the_user.parent)
        cloud.password = "another"
        ran = guestclock("inspect", f"glance:{ID}", "--os-cloud", "stand-in", "-f", "json")
    (image,) = json.loads(ran.out)
    assert image["unknown"] == "unreachable"
    assert "signing in" in image["detail"]
    assert SECRET not in ran.out + ran.err
