"""What a command asks of the cloud: HTTP requests through a proxy, SQL in MariaDB's log."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from tests.real.openstack.running import Bed

_OF_ONE_HOP = ("connection", "keep-alive", "proxy-connection", "transfer-encoding")
_TOKENS = ("x-auth-token", "x-subject-token")


@dataclass
class Requests:
    """The requests that went through, each as METHOD and path, and every token among them."""

    url: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program send its requests this way."""
        return {"http_proxy": self.url, "HTTP_PROXY": self.url, "no_proxy": "", "NO_PROXY": ""}


@contextmanager
def recorded_requests() -> Iterator[Requests]:
    """A proxy for plain HTTP that passes everything on and writes down what it was."""
    requests = Requests()

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            target = urlsplit(self.path)
            requests.seen.append((self.command, target.path))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
            sent = {k: v for k, v in self.headers.items() if k.lower() not in _OF_ONE_HOP}
            path = target.path + ("?" + target.query if target.query else "")
            there.request(self.command, path, body or None, sent)
            answer = there.getresponse()
            data = answer.read()
            self.send_response(answer.status)
            received = answer.getheaders()
            for name, value in received:
                if name.lower() not in (*_OF_ONE_HOP, "content-length", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            there.close()
            for name, value in [*sent.items(), *received]:
                if name.lower() in _TOKENS:
                    requests.tokens.add(value)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what matters is written down."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as server:
        requests.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield requests
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def recorded_statements(bed: Bed, user: str) -> Iterator[list[str]]:
    """The statements of one user of the databases; the list is filled at the end."""
    statements: list[str] = []
    [(output, active, begun)] = bed.sql("SELECT @@log_output, @@general_log, NOW(6)")
    bed.sql("SET GLOBAL log_output = 'TABLE'")
    bed.sql("SET GLOBAL general_log = ON")
    try:
        yield statements
    finally:
        bed.sql("SET GLOBAL general_log = :active", active=active)
        bed.sql("SET GLOBAL log_output = :output", output=output)
        rows = bed.sql(
            "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
            " WHERE event_time >= :begun AND user_host LIKE :who"
            " AND command_type NOT IN ('Connect', 'Quit', 'Init DB', 'Ping')",
            begun=begun,
            who=f"{user}[%",
        )
        statements += [str(row[0]) for row in rows]
