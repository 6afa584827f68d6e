from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from guestclock.lab.lines import Closed, TookTooLong
from guestclock.lab.qmp import Qmp, QmpError, reading_of, rtc_time

GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\r\n'
TM = {"tm_year": 126, "tm_mon": 10, "tm_mday": 23, "tm_hour": 19, "tm_min": 0, "tm_sec": 1}

Answer = Callable[[dict[str, Any]], list[dict[str, Any]]]
Serve = Callable[..., Qmp]


def returns(value: object) -> Answer:
    return lambda request: [{"return": value, "id": request["id"]}]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A monitor that answers each command after qmp_capabilities by the given function."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "qmp.sock"))
    listener.listen()
    threads: list[threading.Thread] = []
    opened: list[Qmp] = []

    def serve(answer: Answer, greeting: bytes = GREETING, patience: float = 20) -> Qmp:
        def run() -> None:
            peer, _ = listener.accept()
            with peer, peer.makefile("r") as lines:
                peer.sendall(greeting)
                for line in lines:
                    request = json.loads(line)
                    first = request["execute"] == "qmp_capabilities"
                    for message in (returns({}) if first else answer)(request):
                        peer.sendall(json.dumps(message).encode() + b"\r\n")

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        opened.append(Qmp.connect(tmp_path / "qmp.sock", patience))
        return opened[-1]

    yield serve
    for qmp in opened:
        qmp.close()
    for thread in threads:
        thread.join()
    listener.close()


def test_a_command_carries_its_arguments_and_returns_its_answer(serve: Serve) -> None:
    heard: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> list[dict[str, Any]]:
        heard.append(request)
        return returns([1, 2])(request)

    qmp = serve(answer)
    assert qmp.execute("query-things", kind="all", **{"job-id": 7}) == [1, 2]
    assert heard[0]["execute"] == "query-things"
    assert heard[0]["arguments"] == {"kind": "all", "job-id": 7}


def test_events_before_an_answer_are_kept_until_somebody_waits(serve: Serve) -> None:
    events: list[dict[str, Any]] = [{"event": name, "n": n} for n, name in enumerate("ABA")]
    qmp = serve(lambda request: [*events, *returns({})(request)])
    qmp.execute("go")
    assert [qmp.wait_event(name, 1)["n"] for name in "BAA"] == [1, 0, 2]


def test_an_event_is_waited_for_and_others_are_kept(serve: Serve) -> None:
    qmp = serve(lambda request: [*returns({})(request), {"event": "A"}, {"event": "B"}])
    qmp.execute("go")
    assert qmp.wait_event("B", 20) == {"event": "B"}
    assert qmp.wait_event("A", 0) == {"event": "A"}
    with pytest.raises(TookTooLong, match="QEMU sent no B"):
        qmp.wait_event("B", 0.05)


def test_what_qemu_refuses_is_an_error_of_its_kind(serve: Serve) -> None:
    error = {"class": "DeviceNotFound", "desc": "no such thing"}
    qmp = serve(lambda request: [{"error": error, "id": request["id"]}])
    with pytest.raises(QmpError, match="refused go: no such thing") as caught:
        qmp.execute("go")
    assert caught.value.kind == "DeviceNotFound"


def test_an_answer_to_another_command_is_passed_over(serve: Serve) -> None:
    qmp = serve(lambda request: [{"return": 1, "id": 99}, *returns(2)(request)])
    assert qmp.execute("go") == 2


def test_a_silent_monitor_is_given_up(serve: Serve) -> None:
    qmp = serve(lambda request: [], patience=0.05)
    with pytest.raises(TookTooLong):
        qmp.execute("go")


def test_the_answer_to_a_client_that_was_killed_is_passed_over(serve: Serve) -> None:
    late = b'{"return": {}, "id": 9}\r\n'
    assert serve(returns(5), late + GREETING).execute("query-something") == 5


@pytest.mark.parametrize("greeting", [b"hello\n", b"[]\n", b"{}\n"])
def test_something_else_than_qmp_is_refused(serve: Serve, greeting: bytes) -> None:
    with pytest.raises(QmpError, match="does not speak QMP"):
        serve(returns({}), greeting)


def test_a_qemu_that_has_gone_is_said_so() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(GREETING)
    theirs.close()
    with ours, pytest.raises(Closed, match="has gone"):
        Qmp(ours)


def test_the_rtc_is_a_naive_reading(serve: Serve) -> None:
    with serve(returns(TM)) as qmp:
        assert rtc_time(qmp) == datetime(2026, 11, 23, 19, 0, 1)


@pytest.mark.parametrize("tm", [{}, TM | {"tm_mon": 12}, TM | {"tm_sec": "x"}])
def test_an_rtc_that_is_no_date_is_an_error(tm: dict[str, Any]) -> None:
    with pytest.raises(QmpError, match="no date"):
        reading_of(tm)
