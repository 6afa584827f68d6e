"""What `explain` says of a server: its hops, its operations, its history."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guestclock.clock import Localtime, Utc, Zone
from guestclock.evidence import Assumed, Observed, Unknown, value_of
from guestclock.explanation import Ahead, Explanation, explain
from guestclock.law import Host as ClockHost
from guestclock.machine import Facts
from guestclock.platforms.openstack.facts import FactsMaker
from guestclock.platforms.openstack.origin import ServerOrigin
from guestclock.platforms.openstack.records import NO_COLUMN, Action, Cloud, Host, Server
from guestclock.platforms.surroundings import Surroundings
from tests.findings.build import AT, ZONES
from tests.platforms.openstack.build import (
    LATER,
    MADE,
    SHANGHAI,
    cloud,
    domain,
    domains,
    image,
    server,
)

WINDOWS = {"os_type": "windows"}


def explained(
    given: Server, around: Cloud, on_host: Facts | None, surroundings: Surroundings = SHANGHAI
) -> Explanation:
    machine, known = FactsMaker(around, domains(on_host), surroundings).machine(given)
    told = ServerOrigin(known, around, surroundings).told(machine, AT, ZONES, 5)
    return explain(machine, AT, ZONES, told)


def ahead(found: Explanation) -> dict[str, Ahead]:
    return {one.name: one for one in found.told.ahead}


def errors(found: Explanation) -> list[int | None]:
    names = ("soft reboot", "hard reboot", "stop/start", "rebuild")
    return [value_of(ahead(found)[name].error) for name in names]


def test_an_image_that_was_corrected_later_helps_a_rebuild_alone() -> None:
    around = cloud(image(WINDOWS, updated_at=LATER))
    found = explained(server(None), around, domain(Utc(), Utc(), 0))
    assert errors(found) == [-28800, -28800, -28800, 0]
    assert value_of(found.seen.after_cold_start) == -28800
    assert [ahead(found)[name].regenerates for name in ("soft reboot", "rebuild")] == [False, True]


def test_a_corrected_column_takes_a_hard_reboot() -> None:
    found = explained(server("windows"), cloud(image()), domain(Utc(), Utc(), 0))
    assert errors(found) == [-28800, 0, 0, -28800]
    assert value_of(found.seen.now) == -28800


def test_a_hand_edit_lasts_for_soft_reboots() -> None:
    edited = domain(Zone("Asia/Shanghai"), Utc(), 28800)
    found = explained(server("linux"), cloud(image({"os_type": "linux"})), edited)
    assert errors(found) == [0, -28800, -28800, -28800]
    hops = {hop.name: hop for hop in found.hops}
    assert hops["definition"].wrong
    assert hops["next definition"].says == "offset='utc'"


def test_without_its_host_a_soft_reboot_is_unknown_and_says_what_settles_it() -> None:
    machine, _ = FactsMaker(cloud(image()), domains(), SHANGHAI).machine(server(None))
    found = explained(server(None), cloud(image()), None)
    soft = ahead(found)["soft reboot"].error
    assert isinstance(soft, Unknown)
    assert "-c URI" in soft.settle
    assert machine.facts.stored is not None


def test_a_stopped_server_has_no_soft_reboot() -> None:
    found = explained(server(None, vm_state="stopped"), cloud(image()), domain(Utc()))
    assert isinstance(ahead(found)["soft reboot"].error, Unknown)


@pytest.mark.parametrize(
    ("properties", "reason"), [({"os_type": "bsd"}, "HTTP 400"), (None, "the image is gone")]
)
def test_a_rebuild_that_nova_would_refuse_is_said_so(
    properties: dict[str, str] | None, reason: str
) -> None:
    around = cloud() if properties is None else cloud(image(properties))
    rebuild = ahead(explained(server(None), around, None))["rebuild"].error
    assert isinstance(rebuild, Unknown)
    assert reason in rebuild.reason


def test_a_rescued_server_is_unrescued_to_what_was_saved() -> None:
    found = explained(server("windows", vm_state="rescued"), cloud(image()), domain(Localtime()))
    assert isinstance(ahead(found)["unrescue"].error, Unknown)
    assert "rescue" not in ahead(found)


def test_each_host_it_may_move_to_is_named_with_the_next_hard_reboot_there() -> None:
    hosts = {
        name: Host(name, aggregates=aggregates, enabled=name != "compute5")
        for name, aggregates in (
            ("compute1", ("a",)),
            ("compute2", ("a",)),
            ("compute3", ("b",)),
            ("compute4", ("a", "b")),
            ("compute5", ("a",)),
        )
    }
    utc = {"compute2": ClockHost(Assumed("UTC", "--host-zone"))}
    surroundings = replace(SHANGHAI, hosts=utc)
    running = domain(Localtime(), Localtime(), 28800)
    found = explained(server("windows"), cloud(image(WINDOWS), hosts=hosts), running, surroundings)
    moves = {name: one for name, one in ahead(found).items() if name.startswith("live")}
    assert list(moves) == ["live migration to compute2", "live migration to compute4"]
    assert all(value_of(one.error) == 0 for one in moves.values())
    assert moves["live migration to compute2"].hangs_on.endswith("there: 8 h behind")
    assert moves["live migration to compute4"].hangs_on.endswith("there: right")


def test_the_hops_go_from_the_image_to_the_guest() -> None:
    given = server(None, metadata=Observed("windows", "metadata"))
    found = explained(given, cloud(image(WINDOWS)), domain(Utc(), Utc(), 0))
    names = [hop.name for hop in found.hops]
    assert names == [
        "image",
        "server",
        "server metadata",
        "next definition",
        "definition",
        "live definition",
        "QEMU",
        "RTC",
        "guest",
    ]
    wrong = [hop.name for hop in found.hops if hop.wrong]
    assert wrong == ["server", "next definition", "RTC"]
    assert found.hops[1].should == "os_type=windows"


def test_a_server_of_a_volume_has_the_volume_as_its_first_hop() -> None:
    found = explained(server(None, image="", volume="v"), cloud(), None)
    assert found.hops[0].name == "volume"
    assert found.hops[0].says == "unknown"


def test_the_moment_things_went_wrong_is_named() -> None:
    corrected = image(WINDOWS, updated_at=LATER, os_type_set_at=Observed(LATER, "glance"))
    found = explained(server(None), cloud(corrected), None)
    assert found.told.history[-1] == (
        "os_type was last set on the image at 2026-11-04T09:00:00Z: "
        "3 d after this server was created"
    )


def test_a_change_of_the_image_after_a_rebuild_is_told_as_such() -> None:
    made = (Action("create", MADE), Action("rebuild", LATER))
    given = replace(server(None, made=made), column=NO_COLUMN)
    found = explained(given, cloud(image(WINDOWS)), None)
    assert found.told.history[0].startswith("the server was rebuilt at 2026-11-04T09:00:00Z")


def test_the_cure_is_that_of_the_rule_that_explains_the_fault() -> None:
    found = explained(server("Windows"), cloud(image({"os_type": "Windows"})), None)
    assert found.cure is not None
    assert "os_type" in found.cure.what
    assert "hard reboot" in str(found.cure)
