"""A web server on loopback with one file, and the ways in which such servers differ and lie."""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.problem import Unreachable
from guestclock.disks.remote.http import at_address
from guestclock.disks.source import Source

DATA = os.urandom(3 << 20) + b"the end"


@dataclass(frozen=True)
class Asked:
    """One request: its target, and its headers by their names in lower case."""

    target: str
    headers: dict[str, str]

    @property
    def range(self) -> tuple[int, int]:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["range"])
        assert found
        return int(found[1]), int(found[2])


@dataclass
class Reply:
    """What is sent, in pieces; a `length` of None is the body's own."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    length: int | None = None
    closes: bool = False


Answers = Callable[[Asked], Reply]


class _Quiet(ThreadingHTTPServer):
    """Says nothing of clients that go away, as ours do from what they need no longer."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@dataclass
class Server:
    """`answers` says what comes for a request; all requests are kept."""

    data: bytes = b""
    answers: Answers | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    host: str = ""

    def part(self, asked: Asked) -> Reply:
        """As a good server answers."""
        first, last = asked.range
        if first >= len(self.data):
            return Reply(416, {"Content-Range": f"bytes */{len(self.data)}"})
        last = min(last, len(self.data) - 1)
        about = f"bytes {first}-{last}/{len(self.data)}"
        return Reply(206, {"Content-Range": about, "ETag": '"1"'}, self.data[first : last + 1])

    def whole(self, asked: Asked) -> Reply:
        """As a server answers that has no ranges."""
        return Reply(200, {}, self.data)


@contextmanager
def serving(
    data: bytes = b"", answers: Answers | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """A server that runs until the end of the `with`, by TLS where a context for it is given."""
    server = Server(data, answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            asked = Asked(self.path, {k.lower(): v for k, v in self.headers.items()})
            server.asked.append(asked)
            reply = (server.answers or server.part)(asked)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            length = len(reply.body) if reply.length is None else reply.length
            if length >= 0:
                self.send_header("Content-Length", str(length))
            self.end_headers()
            try:
                self.wfile.write(reply.body)
                self.wfile.flush()
            except OSError:
                self.close_connection = True
            if reply.closes or length < 0:
                self.close_connection = True

    http = _Quiet(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.host = f"127.0.0.1:{http.server_port}"
    server.url = f"{'https' if tls else 'http'}://{server.host}/disk.img"
    if tls:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def source_of(url: str, **limits: float) -> Source:
    """The file at an address, within those limits."""
    return at_address(url)(Budget(Limits(**limits)))  # type: ignore[arg-type]


def trouble(url: str, at: int = 0, **limits: float) -> str:
    """Why a byte of it cannot be had."""
    with pytest.raises(Unreachable) as told:
        source_of(url, **limits).read_at(at, 1)
    return told.value.detail
