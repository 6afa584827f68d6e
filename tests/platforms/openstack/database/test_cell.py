from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from guestclock.errors import Unreadable
from guestclock.evidence import Observed, Unknown, value_of
from guestclock.platforms.openstack.database.cell import CellDatabase
from guestclock.platforms.openstack.records import Action, Server
from tests.platforms.openstack.database.copies import Row, copy_of
from tests.real.openstack.tables_of_nova import ACTIONS, CELL, DEVICES, INSTANCES, METADATA

MADE = datetime(2026, 1, 2, 3, 4, 5)
STARTED = MADE.replace(second=9)


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def instance(number: int, **other: object) -> Row:
    return {
        "id": number,
        "uuid": uuid(number),
        "display_name": f"server-{number}",
        "deleted": 0,
        "created_at": MADE,
        **other,
    }


def metadata(number: int, key: str, value: str | None, deleted: int = 0) -> Row:
    return {"instance_uuid": uuid(number), "key": key, "value": value, "deleted": deleted}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nova.db"


def servers(url: str, page: int = 2) -> list[Server]:
    return list(CellDatabase(url, page).servers())


def test_a_server_has_all_that_the_tables_say(path: Path) -> None:
    row = instance(
        7,
        os_type="windows",
        image_ref="image-1",
        vm_state="active",
        task_state=None,
        power_state=1,
        host="host1",
        node="host1.example",
        project_id="project-1",
        launched_at=STARTED,
    )
    copied = [
        metadata(7, "image_os_type", "Windows"),
        metadata(7, "image_os_distro", "win2k22"),
        metadata(7, "image_base_image_ref", "image-0"),
        metadata(7, "image_min_ram", "64"),
        metadata(7, "boot_roles", "admin"),
    ]
    done = [
        {"instance_uuid": uuid(7), "action": "rebuild", "start_time": STARTED},
        {"instance_uuid": uuid(7), "action": "reboot", "start_time": STARTED},
        {"instance_uuid": uuid(7), "action": "create", "start_time": MADE},
    ]
    root = {"instance_uuid": uuid(7), "boot_index": 0, "deleted": 0, "image_id": "image-1"}
    other = {"instance_uuid": uuid(7), "boot_index": 1, "deleted": 0, "volume_id": "volume-9"}
    url = copy_of(
        path,
        CELL,
        {INSTANCES: [row], METADATA: copied, ACTIONS: done, DEVICES: [root, other]},
    )
    cell = CellDatabase(url)
    [server] = cell.servers()
    assert server == Server(
        id=uuid(7),
        name="server-7",
        project="project-1",
        host="host1",
        node="host1.example",
        image="image-1",
        column=Observed("windows", f"{cell.name}: instances.os_type"),
        metadata=Observed("Windows", f"{cell.name}: instance_system_metadata image_os_type"),
        copied={"os_distro": "win2k22"},
        base_image="image-0",
        vm_state="active",
        power_state="running",
        created_at=MADE.replace(tzinfo=UTC),
        launched_at=STARTED.replace(tzinfo=UTC),
        made=(
            Action("create", MADE.replace(tzinfo=UTC)),
            Action("rebuild", STARTED.replace(tzinfo=UTC)),
        ),
        source=cell.name,
    )
    assert cell.notes == []


def test_a_server_of_a_failed_build_has_no_host_and_no_image(path: Path) -> None:
    url = copy_of(path, CELL, {INSTANCES: [instance(1, vm_state="error", display_name=None)]})
    [server] = servers(url)
    assert (server.name, server.host, server.image, server.volume) == (uuid(1), "", "", "")
    assert server.made == ()


def test_a_place_that_was_read_and_has_no_os_type_is_no_unknown(path: Path) -> None:
    [server] = servers(copy_of(path, CELL, {INSTANCES: [instance(1)]}))
    assert not isinstance(server.column, Unknown)
    assert not isinstance(server.metadata, Unknown)
    assert (server.column.value, server.metadata.value) == (None, None)


def test_the_root_volume_and_what_it_was_made_of(path: Path) -> None:
    root = {"instance_uuid": uuid(1), "boot_index": 0, "deleted": 0, "volume_id": "volume-1"}
    gone = {**root, "volume_id": "volume-0", "deleted": 5}
    url = copy_of(
        path,
        CELL,
        {INSTANCES: [instance(1)], DEVICES: [{**root, "image_id": "image-1"}, gone]},
    )
    [server] = servers(url)
    assert (server.image, server.volume, server.base_image) == ("", "volume-1", "image-1")
    assert server.volume_backed


def test_equal_servers_share_their_facts(path: Path) -> None:
    rows = [instance(number, os_type="linux") for number in range(1, 6)]
    found = servers(copy_of(path, CELL, {INSTANCES: rows}))
    assert len({id(server.column) for server in found}) == 1
    assert len({id(server.metadata) for server in found}) == 1


def test_a_cloud_in_which_all_os_types_differ_is_read_too(path: Path) -> None:
    rows = [instance(number, os_type=f"{number}" * 255) for number in range(1, 9)]
    many = [instance(number, os_type=f"other-{number}") for number in range(10, 110)]
    found = servers(copy_of(path, CELL, {INSTANCES: rows + many}))
    assert [value_of(server.column) for server in found[:8]] == [f"{n}" * 255 for n in range(1, 9)]
    assert value_of(found[-1].column) == "other-109"


def test_what_is_deleted_is_not_there(path: Path) -> None:
    url = copy_of(
        path,
        CELL,
        {
            INSTANCES: [instance(1, deleted=1), instance(2)],
            METADATA: [metadata(2, "image_os_type", "windows", deleted=9)],
        },
    )
    [server] = servers(url)
    assert (server.id, value_of(server.metadata)) == (uuid(2), None)


@pytest.mark.parametrize("page", [1, 2, 3, 5, 6])
def test_pages_hold_each_server_once(path: Path, page: int) -> None:
    numbers = [1, 2, 5, 900, 901]
    rows = [instance(number, os_type=f"{number}") for number in numbers]
    copied = [metadata(number, "image_os_type", f"{number}") for number in numbers]
    url = copy_of(path, CELL, {INSTANCES: rows, METADATA: copied})
    found = servers(url, page)
    assert [server.id for server in found] == [uuid(number) for number in numbers]
    for server in found:
        assert value_of(server.column) == value_of(server.metadata)


def test_an_empty_cell_has_no_servers(path: Path) -> None:
    assert servers(copy_of(path, CELL, {})) == []


def test_of_a_key_that_is_there_twice_the_last_counts(path: Path) -> None:
    twice = [metadata(1, "image_os_type", "linux"), metadata(1, "image_os_type", "windows")]
    [server] = servers(copy_of(path, CELL, {INSTANCES: [instance(1)], METADATA: twice}))
    assert value_of(server.metadata) == "windows"


def test_a_server_is_found_by_its_id_in_any_case_and_by_its_name(path: Path) -> None:
    rows = [
        instance(1, uuid="abcdef00-0000-4000-8000-000000000001", display_name="web"),
        instance(2, display_name="web"),
        instance(3, display_name="Web"),
        instance(4, display_name="ABCDEF00-0000-4000-8000-000000000001"),
        instance(5, display_name="Zürich 時計"),
        instance(6, display_name="web", deleted=6),
    ]
    cell = CellDatabase(copy_of(path, CELL, {INSTANCES: rows}))
    by_id = cell.server("ABCDEF00-0000-4000-8000-000000000001")
    assert [server.name for server in by_id] == ["web"]
    assert [server.id[-1] for server in cell.server("web")] == ["1", "2"]
    assert [server.id[-1] for server in cell.server("Zürich 時計")] == ["5"]
    assert cell.server("nobody") == []
    assert cell.server(uuid(99)) == []
    assert cell.server("") == []


def test_a_database_without_the_tables_is_not_one_of_nova(path: Path) -> None:
    path.touch()
    with pytest.raises(Unreadable, match="no such table: instances"):
        servers(f"sqlite:///file:{path}?mode=ro&uri=true")
