from __future__ import annotations

from datetime import timedelta

import pytest
from lxml import etree

from guestclock.lab.cloud import Lab
from guestclock.lab.errors import LabError
from tests.lab.cloud.conftest import Opener

EIGHT_HOURS = 8 * 3600


def offset(xml: str | None) -> str:
    assert xml is not None
    clock = etree.fromstring(xml).find("clock")
    assert clock is not None
    return str(clock.get("offset"))


def error(lab: Lab, name: str) -> int:
    """The guest's error, rounded as an RTC's whole seconds ask for."""
    found = lab.clock(name).error
    assert found is not None
    return 60 * round(found / 60)


def test_a_windows_guest_of_an_image_without_os_type_is_behind_by_its_zone(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    assert offset(lab.trace("desk7").definition) == "utc"
    assert error(lab, "desk7") == -EIGHT_HOURS


def test_a_linux_guest_of_an_image_with_os_type_windows_is_ahead_by_the_hosts_zone(
    lab: Lab,
) -> None:
    lab.images.set("lin", {"os_type": "windows"})
    lab.servers.create("web", "lin")
    assert error(lab, "web") == EIGHT_HOURS


def test_what_a_user_sets_survives_the_guests_reboot_and_no_cold_start(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    local = lab.clock("desk7").true_local
    assert local is not None
    lab.servers.set_time("desk7", local)
    assert error(lab, "desk7") == 0
    lab.servers.guest_reboot("desk7")
    assert error(lab, "desk7") == 0
    lab.servers.reboot("desk7")
    assert error(lab, "desk7") == -EIGHT_HOURS


@pytest.mark.parametrize("way", ["soft reboot", "hard reboot", "stop and start", "cold migration"])
def test_an_image_that_is_corrected_does_not_change_a_server(lab: Lab, way: str) -> None:
    lab.hosts.create("host2", "Asia/Shanghai")
    lab.servers.create("desk7", "win")
    lab.images.set("win", {"os_type": "windows"})
    match way:
        case "soft reboot":
            lab.servers.reboot("desk7")
        case "hard reboot":
            lab.servers.reboot("desk7", hard=True)
        case "stop and start":
            lab.servers.stop("desk7")
            lab.servers.start("desk7")
        case _:
            lab.servers.migrate("desk7")
    trace = lab.trace("desk7")
    assert (trace.image_os_type, trace.os_type) == ("windows", None)
    assert offset(trace.live) == "utc"


def test_a_rebuild_takes_the_corrected_os_type(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.images.set("win", {"os_type": "windows"})
    lab.servers.rebuild("desk7")
    assert lab.trace("desk7").os_type == "windows"
    assert error(lab, "desk7") == 0


def test_a_new_server_of_the_corrected_image_is_right(lab: Lab) -> None:
    lab.images.set("win", {"os_type": "windows"})
    lab.servers.create("desk8", "win")
    assert error(lab, "desk8") == 0


def test_os_type_in_capitals_is_accepted_and_does_nothing(lab: Lab) -> None:
    lab.images.set("win", {"os_type": "Windows"})
    lab.servers.create("desk7", "win")
    trace = lab.trace("desk7")
    assert trace.os_type == "Windows"
    assert offset(trace.definition) == "utc"


def test_an_os_type_nova_does_not_know_is_refused_and_leaves_nothing(lab: Lab) -> None:
    lab.images.set("win", {"os_type": "bsd"})
    with pytest.raises(LabError, match="use linux or windows"):
        lab.servers.create("desk7", "win")
    assert lab.servers.list() == []


def test_a_refused_rebuild_leaves_the_server_as_it_was(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    before = lab.trace("desk7")
    lab.images.set("win", {"os_type": "other"})
    with pytest.raises(LabError, match="use linux or windows"):
        lab.servers.rebuild("desk7")
    after = lab.trace("desk7")
    assert (after.pid, after.os_type, after.status) == (before.pid, None, "ACTIVE")


def test_realtimeisuniversal_cures_a_windows_guest_on_utc(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.servers.stop("desk7")
    lab.servers.set_universal("desk7", True)
    lab.servers.start("desk7")
    assert error(lab, "desk7") == 0


def test_the_registry_is_changed_only_while_the_server_is_off(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    with pytest.raises(LabError, match="while it is in vm_state active"):
        lab.servers.set_universal("desk7", True)


def test_both_reboots_start_a_new_process(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    pids = {lab.trace("desk7").pid}
    lab.servers.reboot("desk7")
    pids.add(lab.trace("desk7").pid)
    lab.servers.reboot("desk7", hard=True)
    pids.add(lab.trace("desk7").pid)
    assert len(pids) == 3


def test_a_soft_reboot_keeps_the_definition_and_a_hard_one_writes_it_anew(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.images.set("win", {"os_type": "windows"})
    hypervisor = lab._site.hypervisor(lab.hosts.show("host1"))
    changed = hypervisor.definition("instance-00000001").replace("'utc'", "'localtime'")
    hypervisor.define(changed)
    lab.servers.reboot("desk7")
    assert offset(lab.trace("desk7").live) == "localtime"
    lab.servers.reboot("desk7", hard=True)
    assert offset(lab.trace("desk7").live) == "utc"


def test_a_soft_reboot_of_a_deaf_guest_becomes_a_hard_one(lab: Lab, said: list[str]) -> None:
    deaf = lab.images.guest_setup("windows", "Asia/Shanghai", deaf=True)
    lab.images.create_guest("deaf", deaf, "Asia/Shanghai")
    lab.servers.create("desk7", "deaf")
    hypervisor = lab._site.hypervisor(lab.hosts.show("host1"))
    changed = hypervisor.definition("instance-00000001").replace("'utc'", "'localtime'")
    hypervisor.define(changed)
    lab.servers.reboot("desk7")
    assert offset(lab.trace("desk7").live) == "utc"
    assert said == ["desk7 did not heed the power button: the reboot becomes a hard one"]


def test_live_migration_keeps_definition_and_rtc(lab: Lab) -> None:
    lab.hosts.create("host2", "America/New_York")
    lab.images.set("win", {"os_type": "windows"})
    lab.servers.create("desk7", "win")
    lab.servers.migrate("desk7", live=True)
    trace = lab.trace("desk7")
    assert (trace.host, trace.status, offset(trace.live)) == ("host2", "ACTIVE", "localtime")
    assert error(lab, "desk7") == 0
    lab.servers.reboot("desk7")
    assert error(lab, "desk7") < -EIGHT_HOURS


def test_cold_migration_of_a_stopped_server_leaves_it_stopped(lab: Lab) -> None:
    lab.hosts.create("host2", "UTC")
    lab.servers.create("desk7", "win")
    lab.servers.stop("desk7")
    lab.servers.migrate("desk7", "host2")
    trace = lab.trace("desk7")
    assert (trace.host, trace.status, trace.live, trace.pid) == ("host2", "SHUTOFF", None, None)


def test_there_is_no_migration_to_where_the_server_is(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    with pytest.raises(LabError, match="is on host host1 already"):
        lab.servers.migrate("desk7")


def test_a_snapshot_takes_the_servers_own_os_type_over_its_images(lab: Lab) -> None:
    lab.images.set("win", {"os_type": "Windows", "hw_disk_bus": "ide"})
    lab.servers.create("desk7", "win")
    lab.images.set("win", {"os_type": "windows"})
    properties = lab.servers.snapshot("desk7", "snap").properties
    assert properties["os_type"] == "Windows"
    assert properties["hw_disk_bus"] == "ide"
    assert properties["image_type"] == "snapshot"


def test_a_snapshot_of_a_server_without_os_type_has_none(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.images.set("win", {"os_type": "windows"})
    assert "os_type" not in lab.servers.snapshot("desk7", "snap").properties


def test_a_server_of_a_snapshot_has_the_snapshots_disk(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.servers.stop("desk7")
    lab.servers.set_universal("desk7", True)
    lab.servers.snapshot("desk7", "snap")
    lab.servers.create("desk8", "snap")
    assert error(lab, "desk8") == 0


def test_pause_keeps_the_process_and_the_clock_running(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.servers.pause("desk7")
    reading = lab.clock("desk7")
    assert reading.rtc is not None
    assert reading.guest is None
    assert lab.servers.show("desk7").status == "PAUSED"
    lab.servers.unpause("desk7")
    assert lab.servers.show("desk7").status == "ACTIVE"


def test_what_a_state_does_not_allow_is_refused(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    with pytest.raises(LabError, match="cannot start server desk7 while it is in vm_state active"):
        lab.servers.start("desk7")


def test_a_machine_that_went_off_by_itself_is_stopped(lab: Lab, said: list[str]) -> None:
    lab.servers.create("desk7", "win")
    lab._site.hypervisor(lab.hosts.show("host1")).destroy("instance-00000001")
    assert lab.servers.show("desk7").status == "SHUTOFF"
    assert said == ["server desk7 has gone off by itself"]
    lab.servers.start("desk7")
    assert lab.servers.list()[0].status == "ACTIVE"


def test_a_deleted_server_leaves_nothing(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    lab.servers.delete("desk7")
    assert lab.servers.list() == []
    assert list((lab.folder / "servers").iterdir()) == []
    assert lab._site.hypervisor(lab.hosts.show("host1")).names() == []


def test_names_are_used_once(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    with pytest.raises(LabError, match="there is a server 'desk7' already"):
        lab.servers.create("desk7", "win")


def test_an_id_is_as_good_as_a_name(lab: Lab) -> None:
    uuid = lab.servers.create("desk7", lab.images.show("win").uuid).uuid
    assert lab.servers.show(uuid).server.name == "desk7"


def test_a_host_with_servers_is_not_deleted(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    with pytest.raises(LabError, match="host host1 has servers: desk7"):
        lab.hosts.delete("host1")
    lab.servers.delete("desk7")
    lab.hosts.delete("host1")
    assert lab.hosts.list() == []


def test_a_hosts_new_zone_counts_from_the_next_cold_start(lab: Lab) -> None:
    lab.images.set("win", {"os_type": "windows"})
    lab.servers.create("desk7", "win")
    lab.hosts.set_zone("host1", "UTC")
    assert error(lab, "desk7") == 0
    lab.servers.reboot("desk7")
    assert error(lab, "desk7") == -EIGHT_HOURS


def test_a_zone_the_hosts_do_not_have_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="did you mean Asia/Shanghai"):
        lab.hosts.set_zone("host1", "Asia/Shangai")


def test_a_hosts_zone_may_be_given_by_its_windows_name(lab: Lab) -> None:
    assert lab.hosts.set_zone("host1", "china standard time").zone == "Asia/Shanghai"


def test_down_stops_all_servers_and_keeps_all_state(lab: Lab, opened: Opener) -> None:
    lab.servers.create("desk7", "win")
    lab.down()
    with opened() as again:
        assert again.servers.show("desk7").status == "SHUTOFF"
        again.servers.start("desk7")
        assert again.servers.show("desk7").status == "ACTIVE"


def test_destroy_leaves_no_file(lab: Lab) -> None:
    lab.servers.create("desk7", "win")
    sockets = lab._site.sockets()
    lab.destroy()
    assert not lab.folder.exists()
    assert not sockets.exists()


def test_a_lab_that_another_command_destroyed_says_so(lab: Lab, opened: Opener) -> None:
    with opened() as other:
        other.destroy()
    with pytest.raises(LabError, match="has just been destroyed"):
        lab.servers.create("desk7", "win")


def test_the_labs_time_is_the_machines_too(lab: Lab) -> None:
    lab.servers.create("web", "lin")
    before = lab.time.now()
    lab.time.step(86400)
    assert lab.time.now() - before >= timedelta(days=1)
    assert error(lab, "web") == 0
    lab.time.reset()
    assert lab.time.offset() == 0


def test_a_time_that_qemu_cannot_have_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="from 1970 to 2149"):
        lab.time.step(10**11)
    assert lab.time.offset() == 0


def test_a_server_of_a_foreign_file_has_an_rtc_and_no_guest_to_talk_to(lab: Lab) -> None:
    file = lab.folder / "foreign.raw"
    file.write_bytes(bytes(4096))
    lab.images.create_from_file("foreign", file)
    lab.servers.create("box", "foreign")
    reading = lab.clock("box")
    assert reading.rtc is not None
    assert (reading.guest, reading.true_local, reading.error) == (None, None, None)
    with pytest.raises(LabError, match="no small guest"):
        lab.servers.guest_reboot("box")


def test_min_ram_is_the_memory_of_a_server(lab: Lab) -> None:
    lab.images.set("lin", {"min_ram": "256"})
    lab.servers.create("web", "lin")
    assert "<memory unit='MiB'>256</memory>" in str(lab.trace("web").definition)


def test_the_definition_has_novas_metadata(lab: Lab) -> None:
    lab.servers.create("desk<7>", "win")
    definition = lab.trace("desk<7>").definition
    assert definition is not None
    nova = "{http://openstack.org/xmlns/libvirt/nova/1.1}"
    instance = etree.fromstring(definition).find(f"metadata/{nova}instance")
    assert instance is not None
    assert instance.findtext(f"{nova}name") == "desk<7>"
    root = instance.find(f"{nova}root")
    assert root is not None
    assert (root.get("type"), root.get("uuid")) == ("image", lab.images.show("win").uuid)
