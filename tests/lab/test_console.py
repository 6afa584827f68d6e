from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guestclock.lab.console import GuestConsole, GuestState, parse_state
from guestclock.lab.errors import LabError
from guestclock.lab.lines import Closed, TookTooLong

STATE = "state rtc=2026-11-23T19:00:00 utc=2026-11-23T11:00:00 local=2026-11-23T19:00:00 bias=-480"
BOOT = STATE.replace("state", "boot")
EXPECTED = GuestState(
    datetime(2026, 11, 23, 19), datetime(2026, 11, 23, 11), datetime(2026, 11, 23, 19), -480
)

Serve = Callable[..., GuestConsole]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A console whose other side answers each command by the given function."""
    opened: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(answer: Callable[[str], str], first: str = "", patience: float = 20) -> GuestConsole:
        ours, theirs = socket.socketpair()
        opened.extend((ours, theirs))
        theirs.sendall(first.encode())

        def run() -> None:
            with suppress(BrokenPipeError), theirs.makefile("r", newline="\n") as lines:
                for line in lines:
                    if line != "\n":
                        theirs.sendall(answer(line.rstrip("\n")).encode())

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return GuestConsole(ours, patience)

    yield serve
    for end in opened:
        with suppress(OSError):  # a test may have closed its own end
            end.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()
    for end in opened:
        end.close()


def tagged(text: str) -> Callable[[str], str]:
    return lambda line: f"{line.split()[0]} {text}\r\n"


@pytest.mark.parametrize("line", [STATE, BOOT])
def test_a_state_line_is_read(line: str) -> None:
    assert parse_state(line) == EXPECTED


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ok",
        STATE + " more",
        STATE.replace("utc", "gmt"),
        STATE.replace("-11-23T19", "-13-23T19"),
    ],
)
def test_a_line_that_is_no_state_is_refused(line: str) -> None:
    with pytest.raises(LabError, match="the guest said"):
        parse_state(line)


def test_commands_are_sent_as_the_guest_expects_them(serve: Serve) -> None:
    heard: list[str] = []

    def answer(line: str) -> str:
        heard.append(line)
        return tagged(STATE)(line)

    console = serve(answer)
    assert console.state() == EXPECTED
    console.set_local(datetime(2027, 1, 2, 3, 4, 5, 999))
    console.set_rtc(datetime(1999, 12, 31))
    console.reset("cf9")
    console.power_off()
    tags, words = zip(*(line.split(" ", 1) for line in heard), strict=True)
    assert list(words) == [
        "state",
        "local 2027-01-02T03:04:05",
        "rtc 1999-12-31T00:00:00",
        "cf9",
        "off",
    ]
    numbers = [int(tag) for tag in tags]
    assert numbers == list(range(numbers[0], numbers[0] + 5))


def test_an_answer_to_an_earlier_connection_is_not_taken_for_the_next_ones(serve: Serve) -> None:
    numbers = [int(_first_tag(serve)) for _ in range(3)]
    assert len(set(numbers)) == 3


def _first_tag(serve: Serve) -> str:
    heard: list[str] = []

    def answer(line: str) -> str:
        heard.append(line)
        return tagged(STATE)(line)

    serve(answer).state()
    return heard[0].split()[0]


def test_answers_to_others_and_late_ones_are_passed_over(serve: Serve) -> None:
    late = STATE.replace("bias=-480", "bias=0")
    console = serve(lambda line: f"{late}\r\n77 {late}\r\n" + tagged(STATE)(line))
    assert console.state() == EXPECTED


def test_a_boot_that_was_announced_counts_as_well_as_one_that_is_asked_for(serve: Serve) -> None:
    assert serve(lambda line: "", f"noise\r\n{BOOT}\r\n").wait_boot(20) == EXPECTED
    assert serve(tagged(BOOT)).wait_boot(20) == EXPECTED


def test_after_a_reset_only_an_announced_boot_counts(serve: Serve) -> None:
    def answer(line: str) -> str:
        return tagged("ok")(line) + BOOT + "\r\n"

    console = serve(answer)
    console.reset("kbc")
    assert console.wait_boot(20, again=True) == EXPECTED


def test_a_guest_without_a_setup_cannot_boot(serve: Serve) -> None:
    console = serve(lambda line: "", "error the disk has no setup\r\n")
    with pytest.raises(LabError, match="the disk has no setup"):
        console.wait_boot(20)


def test_what_the_guest_refuses_is_an_error(serve: Serve) -> None:
    with pytest.raises(LabError, match="refused 'state': unknown command"):
        serve(tagged("error unknown command")).state()


def test_a_silent_guest_is_given_up(serve: Serve) -> None:
    console = serve(lambda line: "", patience=0.05)
    with pytest.raises(TookTooLong, match="did not answer 'state'"):
        console.state()
    with pytest.raises(TookTooLong):
        console.wait_boot(0.05)


def test_a_machine_that_has_gone_is_said_so() -> None:
    ours, theirs = socket.socketpair()
    console = GuestConsole(ours)
    theirs.close()
    with pytest.raises(Closed), console:
        console.state()


def test_a_time_with_a_zone_is_refused(serve: Serve) -> None:
    with pytest.raises(ValueError, match="naive"):
        serve(tagged(STATE)).set_local(datetime.now(UTC))


def test_a_socket_nobody_listens_on_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Closed, match="nobody listens"):
        GuestConsole.connect(tmp_path / "none.sock")
    with pytest.raises(LabError, match="cannot be connected to"):
        GuestConsole.connect(tmp_path / ("long" * 40))
