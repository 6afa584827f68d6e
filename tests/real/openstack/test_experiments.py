"""Single experiments on a real cloud: what Nova accepts, writes, copies and falls back to."""

from __future__ import annotations

from functools import partial

import pytest
from lxml import etree

from guestclock.platforms.libvirt.dialect import parse_clock
from guestclock.platforms.openstack.rule import BadOsType, check_os_type, nova_clock
from tests.real.openstack import operations as do
from tests.real.openstack.cloud import Cloud
from tests.real.openstack.foretelling import error_of, explained
from tests.real.openstack.reader import Reader

pytestmark = pytest.mark.real

TOLERANCE = 5
SHANGHAI = 8 * 3600
OS_TYPES = ("windows", "Windows", "WINDOWS", "linux", "Linux", "bsd", "other", " windows ", "")


@pytest.mark.parametrize("os_type", OS_TYPES)
def test_nova_accepts_and_writes_what_the_rule_says(os_type: str, cloud: Cloud) -> None:
    image = cloud.image(f"type-{os_type}", {"os_type": os_type})
    try:
        kept = check_os_type(os_type)
    except BadOsType:
        assert cloud.refused(f"type-{os_type}", image) == 400
        return
    server = cloud.created(f"type-{os_type}", image)
    assert cloud.bed.sql("SELECT os_type FROM nova.instances WHERE uuid = :id", id=server) == [
        (kept,)
    ]
    domain = etree.fromstring(cloud.domain(server).XMLDesc())
    assert parse_clock(domain) == nova_clock(kept, "qemu")


@pytest.mark.parametrize(
    ("column", "metadata", "carried"),
    [
        ("windows", None, "windows"),
        (None, "windows", "windows"),
        ("linux", "windows", "linux"),
        ("Windows", "windows", "Windows"),
    ],
)
def test_a_snapshot_takes_the_column_and_else_the_metadata(
    column: str | None, metadata: str | None, carried: str, cloud: Cloud
) -> None:
    name = f"carried-{column}-{metadata}"
    server = cloud.create(name, cloud.public_images["plain"])
    cloud.set_column(server, column)
    if metadata is not None:
        do.nova_manage(metadata)(cloud, server)
    snapshot = cloud.snapshot(server, name)
    assert cloud.api.image.get(f"/images/{snapshot}").json()["os_type"] == carried


def test_a_soft_reboot_that_the_guest_does_not_hear_is_a_hard_one(
    cloud: Cloud, reader: Reader
) -> None:
    deaf = cloud.image("deaf", disk=bytes(1 << 20))
    server = cloud.created("deaf", deaf)
    cloud.set_column(server, "windows")
    told = explained(cloud.bed, server, "windows")
    assert cloud.rtc_offset(server) == pytest.approx(0, abs=TOLERANCE)
    cloud.act(server, "reboot", "ACTIVE", type="SOFT")
    measured = cloud.rtc_offset(server)
    assert measured == pytest.approx(SHANGHAI, abs=TOLERANCE)
    assert error_of(told, "after_soft_reboot") == pytest.approx(-SHANGHAI, abs=TOLERANCE)
    assert error_of(told, "after_hard_reboot") == pytest.approx(measured - SHANGHAI, abs=TOLERANCE)
    [soft] = [one for one in told["life"] if one["operation"] == "soft reboot"]
    assert "hard reboot" in soft["hangs_on"]


def test_the_moment_things_went_wrong_is_named(cloud: Cloud, reader: Reader) -> None:
    image = cloud.image("three-days")
    server = cloud.created("three-days", image)
    sql = partial(cloud.bed.sql, id=server)
    ago = "INTERVAL '3 1' DAY_HOUR"
    sql(f"UPDATE nova.instances SET created_at = created_at - {ago} WHERE uuid = :id")
    sql(
        "UPDATE nova.instance_actions SET start_time = start_time - "
        f"{ago}, created_at = created_at - {ago} WHERE instance_uuid = :id"
    )
    cloud.set_property(image, "os_type", "windows")
    told = explained(cloud.bed, server, "windows")
    [sentence] = [one for one in told["history"] if "os_type was last set" in one]
    assert "3 d 1 h" in sentence
    assert "after this server was created" in sentence


def test_what_nova_manage_changed_is_shown_beside_the_column(cloud: Cloud, reader: Reader) -> None:
    server = cloud.create("shown", cloud.public_images["plain"])
    do.nova_manage("windows")(cloud, server)
    told = explained(cloud.bed, server, "windows")
    says = {hop["name"]: hop["says"] for hop in told["hops"]}
    assert (says["server"], says["server metadata"]) == ("no os_type", "os_type=windows")
    assert error_of(told, "after_hard_reboot") == pytest.approx(-SHANGHAI, abs=TOLERANCE)
