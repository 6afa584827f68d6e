from __future__ import annotations

import json
from pathlib import Path

import pytest

from guestclock.evidence import Observed, Unknown, value_of
from guestclock.platforms.openstack.database.api import ApiDatabase, os_type_of
from tests.platforms.openstack.database.copies import copy_of
from tests.real.openstack.tables_of_nova import API, CELLS, MAPPINGS, SPECS


def nova_object(**data: object) -> dict[str, object]:
    return {"nova_object.name": "X", "nova_object.version": "1.0", "nova_object.data": data}


def spec(properties: object) -> str:
    image = nova_object(name="plain", properties=properties)
    return json.dumps(nova_object(image=image, flavor=nova_object(name="tiny")))


@pytest.mark.parametrize(
    ("text", "os_type"),
    [
        (spec(nova_object(os_type="windows", hw_disk_bus="ide")), "windows"),
        (spec(nova_object(os_type=None)), None),
        (spec(nova_object(OS_TYPE="windows")), None),
        (spec(nova_object()), None),
        (spec(None), None),
        (json.dumps(nova_object(image=nova_object(name="plain"))), None),
        (json.dumps(nova_object(image=None)), None),
        (json.dumps(nova_object()), None),
    ],
)
def test_the_os_type_of_a_spec(text: str, os_type: str | None) -> None:
    assert os_type_of(text) == os_type


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        spec([]),
        spec(nova_object(os_type=[1])),
        spec(nova_object(os_type="\ud800")),
    ],
)
def test_what_is_no_spec_is_said(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each of several kinds of it
        os_type_of(text)


def test_specs_of_many_servers_and_of_one(tmp_path: Path) -> None:
    rows = [
        {"id": number, "instance_uuid": f"{number}", "spec": spec(nova_object(os_type="windows"))}
        for number in range(1, 1203)
    ]
    rows += [{"id": 2000, "instance_uuid": "broken", "spec": "{"}]
    database = ApiDatabase(copy_of(tmp_path / "api.db", API, {SPECS: rows}))
    wanted = [*(f"{number}" for number in range(1, 1203)), "broken", "none"]
    found = database.specs(wanted)
    assert list(found) == wanted
    where = f"{database.name}: request_specs.spec"
    assert all(found[f"{n}"] == Observed("windows", where) for n in range(1, 1203))
    assert found["broken"] == Unknown("its request spec is not as Nova writes it")
    assert found["none"] == Unknown("the API database has no request spec of this server")
    assert value_of(database.spec_of("7")) == "windows"
    assert database.specs([]) == {}


def test_servers_are_counted_per_cell(tmp_path: Path) -> None:
    cells = [
        {"id": 1, "uuid": "00000000-0000-0000-0000-000000000000", "name": "cell0"},
        {"id": 2, "uuid": "u2", "name": "cell1"},
        {"id": 3, "uuid": "u3", "name": None},
        {"id": 4, "uuid": "u4", "name": "empty"},
    ]
    state = {1: False, 2: False, 3: False, 4: None, 5: False, 6: True, 7: False}
    in_cell = {1: 1, 2: 2, 3: 2, 4: 3, 5: None, 6: 4, 7: 9}
    mappings = [
        {
            "id": number,
            "instance_uuid": f"{number}",
            "cell_id": in_cell[number],
            "project_id": "p",
            "queued_for_delete": gone,
        }
        for number, gone in state.items()
    ]
    url = copy_of(tmp_path / "api.db", API, {CELLS: cells, MAPPINGS: mappings})
    database = ApiDatabase(url)
    assert database.cells() == ("cell0", "cell1", "u3", "empty")
    assert database.mapped() == {"": 1, "cell0": 1, "cell1": 2, "u3": 1, "cell 9": 1}
    assert database.notes == []
