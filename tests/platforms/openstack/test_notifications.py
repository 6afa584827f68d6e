from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guestclock.platforms.interface import Note, Unread
from guestclock.platforms.openstack import notifications
from guestclock.platforms.openstack.notice import ImageNotice, ServerNotice, line_of, notice_of
from guestclock.platforms.openstack.notifications import read_notifications
from guestclock.platforms.openstack.records import Notified

SERVER = "fb62ec36-5f15-45f5-bb55-0646d80a2464"
OTHER = "93672913-d1f5-46f5-9eff-3034e65848a3"
IMAGE = "880dee75-303d-42fc-a2ad-af8a2b96042e"
RESCUE = "42e55688-254e-43ac-a899-803c24eae672"
PRIVATE = "what users would not want in a file"


def raw(event: str = "instance.update", second: int = 0, **fields: object) -> dict[str, Any]:
    """A notification as Nova sends it."""
    data: dict[str, object] = {
        "uuid": SERVER,
        "os_type": "Windows",
        "host": "bed",
        "image_uuid": IMAGE,
        "state": "active",
        "task_state": None,
        "display_name": PRIVATE,
        "metadata": {"note": PRIVATE},
        "ip_addresses": [],
    }
    return {
        "event_type": event,
        "publisher_id": "nova-compute:bed",
        "timestamp": f"2026-11-23 22:38:{second:02}.711865",
        "priority": "INFO",
        "payload": {
            "nova_object.name": "InstanceUpdatePayload",
            "nova_object.version": "2.0",
            "nova_object.data": data | fields,
        },
    }


def rescued(second: int, image: str | None, event: str = "instance.rescue.end") -> dict[str, Any]:
    return raw(event, second, state="rescued", rescue_image_ref=image)


def enveloped(message: dict[str, Any]) -> dict[str, Any]:
    return {"oslo.version": "2.0", "oslo.message": json.dumps(message)}


def recorded(message: dict[str, Any]) -> dict[str, Any]:
    notice = notice_of(message)
    assert notice is not None
    line: dict[str, Any] = json.loads(line_of(notice))
    return line


def at(second: int) -> datetime:
    return datetime(2026, 11, 23, 22, 38, second, 711865, UTC)


def told_by(record: Path, *messages: object) -> Notified | None:
    """What a record of these messages says of the server."""
    record.write_text("".join(f"{json.dumps(message)}\n" for message in messages))
    found, told = read_notifications(str(record))
    assert told == []
    return found.get(SERVER)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "nova.jsonl"


@pytest.mark.parametrize("form", [recorded, enveloped, lambda message: message])
def test_a_line_is_read_in_each_form(
    record: Path, form: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    expected = Notified("Windows", at(4), "instance.create.end", "bed", IMAGE)
    assert told_by(record, form(raw("instance.create.end", 4))) == expected


def test_a_recorded_line_holds_nothing_but_what_is_used() -> None:
    assert recorded(rescued(4, RESCUE)) == {
        "event_type": "instance.rescue.end",
        "publisher_id": "nova-compute:bed",
        "timestamp": "2026-11-23T22:38:04.711865Z",
        "uuid": SERVER,
        "os_type": "Windows",
        "host": "bed",
        "image_uuid": IMAGE,
        "state": "rescued",
        "task_state": "",
        "rescue_image_ref": RESCUE,
    }


def test_an_image_is_recorded_with_the_properties_that_are_used() -> None:
    properties = {"os_type": "windows", "os_admin_user": PRIVATE, "os_distro": "windows"}
    message = raw("image.update") | {"payload": {"id": IMAGE, "properties": properties}}
    line = recorded(message)
    assert line == {
        "event_type": "image.update",
        "publisher_id": "nova-compute:bed",
        "timestamp": "2026-11-23T22:38:00.711865Z",
        "id": IMAGE,
        "properties": {"os_type": "windows", "os_distro": "windows"},
    }
    assert isinstance(notice_of(line), ImageNotice)
    assert notice_of(line) == notice_of(message)


def test_a_recorded_line_says_what_the_notification_said() -> None:
    for message in (raw(os_type=None, host=None), rescued(1, None), rescued(1, RESCUE)):
        assert isinstance(notice_of(message), ServerNotice)
        assert notice_of(recorded(message)) == notice_of(message)


def test_other_notifications_are_passed_over(record: Path) -> None:
    started = raw("scheduler.select_destinations.start")
    no_os_type = {"event_type": "instance.foo", "payload": {"nova_object.data": {"uuid": SERVER}}}
    unversioned = {"event_type": "compute.instance.create.end", "payload": {"os_type": "linux"}}
    assert told_by(record, raw(), started, no_os_type, unversioned) is not None


def test_the_newest_is_chosen_by_the_time_of_its_sender(record: Path) -> None:
    newest = told_by(record, raw(second=2, os_type="linux"), raw(second=9), raw(second=5))
    assert newest == Notified("Windows", at(9), "instance.update", "bed", IMAGE)


def test_of_two_at_the_same_time_the_later_line_counts(record: Path) -> None:
    newest = told_by(record, raw(os_type="linux"), raw(os_type=None))
    assert newest is not None
    assert newest.os_type is None


def test_other_offsets_are_understood(record: Path) -> None:
    line = recorded(raw()) | {"timestamp": "2026-11-24T06:38:04.711865+08:00"}
    newest = told_by(record, line)
    assert newest is not None
    assert newest.at == at(4)


@pytest.mark.parametrize(
    "last", [raw("instance.delete.end", 9), raw("instance.update", 9, state="deleted")]
)
def test_a_deleted_server_is_gone_even_if_an_older_line_follows(
    record: Path, last: dict[str, Any]
) -> None:
    assert told_by(record, last, raw(second=8)) is None


@pytest.mark.parametrize(
    ("messages", "image"),
    [
        ([raw()], None),
        ([rescued(1, RESCUE, "instance.rescue.start"), rescued(2, RESCUE)], RESCUE),
        # Without an image Nova takes the server's own.
        ([rescued(1, None)], IMAGE),
        ([rescued(1, RESCUE), raw(second=2, state="rescued")], RESCUE),
        ([rescued(1, RESCUE), raw(second=2, task_state="rescuing")], RESCUE),
        ([rescued(1, RESCUE), raw("instance.unrescue.end", 2)], None),
        ([raw("instance.unrescue.end", 2), rescued(1, RESCUE)], None),
        # The end of a rescue may be among the messages that were lost.
        ([rescued(1, RESCUE), raw(second=2)], None),
        ([rescued(1, RESCUE), raw("instance.unrescue.end", 2), rescued(3, IMAGE)], IMAGE),
    ],
)
def test_a_rescue_is_known_until_it_is_over(
    record: Path, messages: list[dict[str, Any]], image: str | None
) -> None:
    newest = told_by(record, *messages)
    assert newest is not None
    assert newest.rescue_image == image


def test_rotated_files_are_read_as_well(record: Path) -> None:
    record.with_name("nova.jsonl.10").write_text(json.dumps(raw(second=1, uuid=OTHER)) + "\n")
    record.with_name("nova.jsonl.2").write_text(json.dumps(raw(os_type="linux")) + "\n")
    for other in ("nova.jsonl.lock", "nova.jsonl.1.bak", "nova.jsonl.02", "other.jsonl.1"):
        record.with_name(other).write_text("something else\n")
    record.write_text(json.dumps(raw()) + "\n")
    found, told = read_notifications(str(record))
    assert {server: one.os_type for server, one in found.items()} == {
        SERVER: "Windows",
        OTHER: "Windows",
    }
    assert told == []


def test_a_record_that_was_killed_as_it_rotated_is_read(record: Path) -> None:
    record.with_name("nova.jsonl.1").write_text(json.dumps(raw()) + "\n")
    found, told = read_notifications(str(record))
    assert list(found) == [SERVER]
    assert told == []


def test_a_torn_last_line_is_left_out(record: Path) -> None:
    line = json.dumps(raw())
    record.write_text(f"{line}\n{line[:90]}")
    found, told = read_notifications(str(record))
    assert list(found) == [SERVER]
    assert told == [Note(str(record), f"the last line of {record} is torn and was left out")]


def test_a_whole_last_line_without_its_end_is_read(record: Path) -> None:
    record.write_text(json.dumps(raw()))
    assert list(read_notifications(str(record))[0]) == [SERVER]


HOSTILE = [
    b"\xff\xfe\x00",
    b"no JSON",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[]",
    b"null",
    b"1e999999",
    b"{}",
    json.dumps({"event_type": 7}).encode(),
    json.dumps({"oslo.message": "{"}).encode(),
    json.dumps({"oslo.message": "[" * 100_000}).encode(),
    json.dumps(raw(uuid="../../etc/passwd")).encode(),
    json.dumps(raw(uuid=None)).encode(),
    json.dumps(raw(os_type={"a": 1})).encode(),
    json.dumps(raw(os_type="w" * 256)).encode(),
    json.dumps(raw() | {"timestamp": "soon"}).encode(),
    json.dumps(raw() | {"timestamp": None}).encode(),
    json.dumps(raw() | {"timestamp": "0001-01-01T00:00:00+14:00"}).encode(),
    json.dumps(raw("image.update") | {"payload": {"id": IMAGE, "properties": "x"}}).encode(),
    b'{"event_type": "instance.update", "os_type": "' + b"x" * (2 << 20) + b'"}',
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_notification_is_skipped_and_counted(record: Path, line: bytes) -> None:
    good = json.dumps(raw()).encode()
    record.write_bytes(b"\n".join([line, good, line, b""]))
    found, told = read_notifications(str(record))
    assert list(found) == [SERVER]
    text = f"2 lines that are no notification left out, first line 1 of {record}"
    assert told == [Note(str(record), text)]


def test_hostile_texts_are_kept_as_data(record: Path) -> None:
    newest = told_by(record, raw(os_type="\x1b[2J=cmd|' /C calc'!A0"))
    assert newest is not None
    assert newest.os_type == "\x1b[2J=cmd|' /C calc'!A0"


def test_a_hostile_path_is_shown_in_one_line() -> None:
    _, (told,) = read_notifications("no\n\x1b[2Jsuch")
    assert told == Unread("no\\x0a\\x1b[2Jsuch", "it cannot be read: No such file or directory")


def test_servers_without_end_do_not_take_all_memory(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "MOST_SERVERS", 1)
    record.write_text("".join(json.dumps(raw(uuid=one)) + "\n" for one in (SERVER, OTHER)))
    found, told = read_notifications(str(record))
    assert list(found) == [SERVER]
    assert told == [Note(str(record), "only 1 servers are kept; 1 notices left out")]


def test_a_record_without_any_server_says_what_nova_needs(record: Path) -> None:
    record.write_text("")
    found, (told,) = read_notifications(str(record))
    assert found == {}
    assert isinstance(told, Note)
    assert "notification_format" in told.text


def test_a_missing_record_is_unread(record: Path) -> None:
    expected = Unread(str(record), "it cannot be read: No such file or directory")
    assert read_notifications(str(record)) == ({}, [expected])


def test_a_pipe_is_not_waited_for(record: Path) -> None:
    os.mkfifo(record)
    assert read_notifications(str(record)) == ({}, [Unread(str(record), "it is not a file")])


def test_a_folder_is_no_record(tmp_path: Path) -> None:
    expected = Unread(str(tmp_path), "it is not a file")
    assert read_notifications(str(tmp_path)) == ({}, [expected])


def test_a_null_byte_in_a_path_is_no_fault_of_ours() -> None:
    found, told = read_notifications("a\0b")
    assert found == {}
    assert told == [Unread("a\\x00b", "it cannot be read: not the path of a file")]
