from __future__ import annotations

import random
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from guestclock.disks.problem import DiskProblem, OverLimit
from guestclock.disks.remote.blocks import BLOCK
from tests.disks.remote.server import DATA, Asked, Reply, serving, source_of, trouble


def test_any_part_is_what_the_file_has_there() -> None:
    chosen = random.Random(1)
    with serving(DATA) as server:
        source = source_of(server.url)
        assert source.size == len(DATA)
        for _ in range(200):
            offset = chosen.randrange(len(DATA))
            count = min(chosen.choice((1, 512, 4096, 100_000, 1 << 20)), len(DATA) - offset)
            assert source.read_at(offset, count) == DATA[offset : offset + count]
        assert source.read_at(len(DATA), 0) == b""
        assert server.connections == 1


def test_what_was_fetched_is_not_fetched_again() -> None:
    with serving(DATA) as server:
        source = source_of(server.url)
        for _ in range(20):
            source.read_at(0, 100)
            source.read_at(len(DATA) - 100, 100)
        assert len(server.asked) == 2


def test_a_few_bytes_cost_a_block_each() -> None:
    with serving(bytes(100 * BLOCK)) as server:
        source = source_of(server.url)
        for number in range(10, 100, 10):
            source.read_at(number * BLOCK, 512)
        fetched = [last - first + 1 for first, last in (one.range for one in server.asked)]
    assert fetched == [BLOCK] * 10


def test_who_reads_on_is_given_more_at_once() -> None:
    with serving(bytes(256 * BLOCK)) as server:
        source = source_of(server.url)
        for offset in range(0, 256 * BLOCK, 4096):
            source.read_at(offset, 4096)
        assert len(server.asked) < 256 / 8


def test_an_empty_file_is_empty() -> None:
    with serving(b"") as server:
        assert source_of(server.url).size == 0


def test_a_file_shorter_than_a_block_is_read() -> None:
    with serving(b"short") as server:
        assert source_of(server.url).read_at(0, 5) == b"short"


def test_a_part_that_comes_in_smaller_parts_is_put_together() -> None:
    def less(asked: Asked) -> Reply:
        first, last = asked.range
        target = f"bytes={first}-{min(last, first + 9999)}"
        return server.part(Asked(asked.target, {"range": target}))

    with serving(DATA) as server:
        server.answers = less
        assert source_of(server.url).read_at(50_000, 100_000) == DATA[50_000:150_000]


def test_a_connection_that_the_server_closed_is_opened_again() -> None:
    with serving(DATA) as server:
        server.answers = lambda asked: replace(server.part(asked), closes=True)
        source = source_of(server.url)
        assert source.read_at(1 << 20, 10) == DATA[1 << 20 :][:10]
        assert source.read_at(2 << 20, 10) == DATA[2 << 20 :][:10]


# Limits.


def test_what_is_fetched_is_bounded() -> None:
    with serving(DATA) as server:
        source = source_of(server.url, max_read=10 * BLOCK)
        for offset in range(0, 9 * BLOCK, 2 * BLOCK):
            source.read_at(offset, 1)
        with pytest.raises(OverLimit):
            source.read_at(20 * BLOCK, 10 * BLOCK)
        fetched = sum(last - first + 1 for first, last in (one.range for one in server.asked))
    assert fetched <= 10 * BLOCK


def drip(pieces: bytes, stop: threading.Event, times: float = 0.02) -> tuple[str, threading.Thread]:
    """A server that sends a byte now and then; its address, and what to wait for."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/disk.img"

    def serve() -> None:
        with listening:
            end, _ = listening.accept()
            with end:
                end.recv(65536)
                for number in range(1 << 20):
                    if stop.wait(times):
                        return
                    try:
                        end.sendall(pieces[number : number + 1] or b"x")
                    except OSError:
                        return

    thread = threading.Thread(target=serve)
    thread.start()
    return url, thread


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 206 P\r\nContent-Range: bytes 0-65535/99999\r\nContent-Length: 65536\r\n\r\n",
    ],
    ids=["headers", "body"],
)
def test_a_server_that_gives_a_byte_now_and_then_runs_out_of_time(answer: bytes) -> None:
    stop = threading.Event()
    url, thread = drip(answer, stop, 0.001)
    try:
        with pytest.raises(OverLimit, match=r"longer than 0\.5 s"):
            source_of(url, timeout=0.5)
    finally:
        stop.set()
        thread.join()


def test_a_server_that_says_nothing_runs_out_of_time() -> None:
    stop = threading.Event()
    url, thread = drip(b"", stop, 3600)
    try:
        with pytest.raises(OverLimit):
            source_of(url, timeout=0.2)
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [b"", b"\0\0\0", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 206 x\r\n" + b"A: b\r\n" * 500 + b"\r\n"],
    ids=["nothing", "nonsense", "no status", "many headers"],
)
def test_what_is_no_http_is_told(answer: bytes) -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        end, _ = listening.accept()
        with end:
            end.recv(65536)
            end.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    with listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/disk.img"
        assert trouble(url).startswith("asking the server: ")
        thread.join()


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert trouble(f"http://127.0.0.1:{port}/x") == "asking the server: Connection refused"


# Redirects, logins, proxies.


def test_a_redirect_is_followed_once_and_remembered() -> None:
    with serving(DATA) as server:

        def answers(asked: Asked) -> Reply:
            if asked.target == "/disk.img":
                return Reply(302, {"Location": "/elsewhere"})
            return server.part(asked)

        server.answers = answers
        source = source_of(server.url)
        source.read_at(1 << 20, 1)
        assert [one.target for one in server.asked] == ["/disk.img", "/elsewhere", "/elsewhere"]


def test_a_place_that_was_good_for_a_while_is_asked_for_again() -> None:
    with serving(DATA) as server:

        def answers(asked: Asked) -> Reply:
            if asked.target == "/disk.img":
                return Reply(302, {"Location": f"/signed-{len(server.asked)}"})
            used = [one.target for one in server.asked].count(asked.target)
            return server.part(asked) if used == 1 else Reply(403, {})

        server.answers = answers
        source = source_of(server.url)
        assert source.read_at(1 << 20, 9) == DATA[1 << 20 :][:9]
        assert source.read_at(2 << 20, 9) == DATA[2 << 20 :][:9]


def test_redirects_have_an_end() -> None:
    with serving(DATA) as server:
        server.answers = lambda asked: Reply(302, {"Location": asked.target + "x"})
        assert "more than 5 times" in trouble(server.url)
        assert len(server.asked) == 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_to_no_web_server_is_not_followed(location: str) -> None:
    with serving(DATA) as server:
        server.answers = lambda asked: Reply(302, {"Location": location})
        assert "no address of http" in trouble(server.url)


def test_a_login_is_sent_and_not_to_others() -> None:
    with serving(DATA) as other, serving(DATA) as server:
        server.answers = lambda asked: Reply(302, {"Location": other.url})
        source_of(server.url.replace("//", "//me:secret@"))
        assert server.asked[0].headers["authorization"] == "Basic bWU6c2VjcmV0"
        assert "authorization" not in other.asked[0].headers


def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(DATA) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:secret@"))
        assert source_of("http://images.invalid/x?y=z").read_at(0, 4) == DATA[:4]
        asked = proxy.asked[0]
    assert asked.target == "http://images.invalid/x?y=z"
    assert asked.headers["host"] == "images.invalid"
    assert asked.headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"


def test_a_proxy_is_left_out_where_the_environment_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(DATA) as server:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert source_of(server.url).size == len(DATA)


def test_a_proxy_of_another_kind_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://me:secret@127.0.0.1:1")
    said = trouble("http://images.invalid/x")
    assert "proxy" in said
    assert "secret" not in said


def test_no_problem_shows_a_secret(tmp_path: Path) -> None:
    with serving(DATA) as server:
        server.answers = lambda asked: Reply(403, {}, b"secret")
        with pytest.raises(DiskProblem) as told:
            source_of(f"http://me:secret@{server.host}/x?token=secret")
    assert "secret" not in told.value.detail
