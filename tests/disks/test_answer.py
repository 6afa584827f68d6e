"""What the process that reads images says is believed in nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from guestclock.disks.answer import is_record
from guestclock.disks.budget import Limits
from guestclock.disks.record import nothing_read
from guestclock.disks.worker import Inspector


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(4096))
    return str(path)


def lies(monkeypatch: pytest.MonkeyPatch, *told: dict[str, Any]) -> None:
    """Has the process say this in place of an answer."""
    from guestclock.disks import child

    def served(request: Any, channel: Any, *others: Any) -> bool:
        for one in told:
            channel.send(one)
        return True

    monkeypatch.setattr(child, "_served", served)


RECORD = nothing_read("x", "no-os", "nothing")
SYSTEM = {
    "family": "linux",
    "name": "Debian",
    "version": None,
    "id": "debian",
    "rtc": "utc",
    "zone": "Europe/Berlin",
    "active_time_bias_minutes": None,
    "real_time_is_universal": None,
    "utc_offset_minutes": None,
    "reason": None,
    "place": {"volume": "the whole disk", "filesystem": "ext4", "base": ""},
    "details": {},
    "zone_rules": {"offsets": [[0, 3600]], "until": 1},
    "evidence": [{"what": "rtc", "path": "/etc/adjtime", "key": "", "type": "", "raw": ""}],
    "unknown": [{"what": "zone", "reason": "damaged", "detail": "x"}],
    "remarks": [{"code": "x", "text": "y"}],
    "names": {},
}


def test_a_whole_record_is_one() -> None:
    assert is_record(RECORD)
    assert is_record({**RECORD, "unknown": None, "systems": [SYSTEM]})


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {**RECORD, "more": 1},
        {**RECORD, "path": 1},
        {**RECORD, "unknown": "no such word"},
        {**RECORD, "unknown": ["no-os"]},
        {**RECORD, "systems": {}},
        {**RECORD, "systems": [{}]},
        {**RECORD, "systems": [{**SYSTEM, "rtc": "moon"}]},
        {**RECORD, "systems": [{**SYSTEM, "active_time_bias_minutes": True}]},
        {**RECORD, "systems": [{**SYSTEM, "active_time_bias_minutes": 1.5}]},
        {**RECORD, "systems": [{**SYSTEM, "zone_rules": {"offsets": [[0]], "until": 1}}]},
        {**RECORD, "systems": [{**SYSTEM, "zone_rules": {"offsets": [["0", 1]], "until": 1}}]},
        {**RECORD, "systems": [{**SYSTEM, "unknown": [{"what": "x", "detail": "y"}]}]},
        {**RECORD, "systems": [{**SYSTEM, "details": []}]},
    ],
)
def test_anything_else_is_none(wrong: object) -> None:
    assert not is_record(wrong)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"record": {}},
        {"record": {**RECORD, "unknown": "no such word"}},
        {"failed": "no such word", "detail": "x"},
        {"ask": "money"},
        {"ask": "read", "offset": 0, "count": 1},
        {"ask": "backing", "name": 1, "of": 0},
        {"ready": ["a second time"]},
    ],
)
def test_an_answer_that_is_none_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, image: str, told: dict[str, Any]
) -> None:
    lies(monkeypatch, told)
    with Inspector(Limits()) as inspector:
        found = inspector.inspect(image)
        assert inspector.notes == []
    assert found["unknown"] == "fault"
    assert "please report it" in found["detail"]


def test_the_path_of_a_record_is_the_one_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    lies(monkeypatch, {"record": {**RECORD, "path": "/another"}})
    with Inspector(Limits()) as inspector:
        assert inspector.inspect(image)["path"] == image
