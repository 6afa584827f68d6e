"""A cloud of loopback HTTP: Keystone's token, and the listings of Nova, Glance and Cinder.

It pages as the real ones do, may wait before each page, and keeps every request.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PASSWORD = "sesame-0f3a9c"
TOKEN = "token-7b21d4"

Item = Mapping[str, Any]


@dataclass
class StandIn:
    """What the cloud has; listings may be any sequence, made as they are asked for.

    `delay` is in seconds, a page. `refuses` are paths, as they are asked with their query's
    words, that give HTTP 403; `fails` those that give 500.
    """

    servers: Sequence[Item] = ()
    images: Sequence[Item] = ()
    hidden: Sequence[Item] = ()
    volumes: Sequence[Item] | None = None
    snapshots: Sequence[Item] = ()
    hypervisors: Sequence[Item] = ()
    aggregates: Sequence[Item] = ()
    actions: Mapping[str, Sequence[Item]] = field(default_factory=dict)
    newest: str = "2.98"
    delay: float = 0.0
    largest_page: int = 1000
    refuses: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    locked: bool = False
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator[StandIn]:
        """On a port of its own, until the end."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def clouds_yaml(self, folder: Path, name: str = "stand-in") -> Path:
        """A clouds.yaml with this cloud."""
        path = folder / "clouds.yaml"
        path.write_text(
            json.dumps(
                {
                    "clouds": {
                        name: {
                            "auth": {
                                "auth_url": f"{self.url}/v3",
                                "username": "reader",
                                "password": PASSWORD,
                                "project_name": "p",
                                "user_domain_name": "Default",
                                "project_domain_name": "Default",
                            },
                            "region_name": "R",
                        }
                    }
                }
            ),
            encoding="utf-8",
        )
        return path

    def paths(self) -> list[str]:
        """The path and query of each GET, without discovery's."""
        return [path for method, path in self.requests if method == "GET" and path.count("/") > 2]


def _handler(cloud: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            cloud.requests.append(("POST", self.path))
            if cloud.locked:
                self._say(401, {"error": {"code": 401, "title": "Unauthorized", "message": "no"}})
                return
            self._say(201, _token(cloud), {"X-Subject-Token": TOKEN})

        def do_GET(self) -> None:
            cloud.requests.append(("GET", self.path))
            for path in cloud.refuses:
                if path in self.path:
                    self._say(403, {"forbidden": {"code": 403, "message": "policy"}})
                    return
            for path in cloud.fails:
                if path in self.path:
                    self._say(500, {"computeFault": {"code": 500, "message": "boom"}})
                    return
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            answer = _answer(cloud, parts.path, query)
            if answer is None:
                self._say(404, {"itemNotFound": {"code": 404, "message": "not found"}})
            else:
                self._say(200, answer)

        def _say(self, code: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


def _token(cloud: StandIn) -> Item:
    services = [("compute", "compute/v2.1"), ("image", "image")]
    if cloud.volumes is not None:
        services.append(("block-storage", "volume/v3"))
    return {
        "token": {
            "methods": ["password"],
            "expires_at": "2126-01-01T00:00:00.000000Z",
            "user": {"id": "u", "name": "reader", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": "p", "name": "p", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": "r", "name": "reader"}],
            "catalog": [
                {
                    "id": kind,
                    "name": kind,
                    "type": kind,
                    "endpoints": [
                        {
                            "id": kind,
                            "interface": "public",
                            "region": "R",
                            "region_id": "R",
                            "url": f"{cloud.url}/{path}",
                        }
                    ],
                }
                for kind, path in services
            ],
        }
    }


def _answer(cloud: StandIn, path: str, query: Mapping[str, str]) -> Item | None:
    version = {"status": "CURRENT", "links": []}
    match path.rstrip("/").split("/")[1:]:
        case [] | ["v3"]:
            links = [{"rel": "self", "href": f"{cloud.url}/v3/"}]
            return {"version": {**version, "status": "stable", "id": "v3.14", "links": links}}
        case ["compute"] | ["compute", "v2.1"]:
            links = [{"rel": "self", "href": f"{cloud.url}/compute/v2.1/"}]
            micro = {"version": cloud.newest, "min_version": "2.1"}
            return {"version": {**version, "id": "v2.1", "links": links, **micro}}
        case ["image"]:
            links = [{"rel": "self", "href": f"{cloud.url}/image/v2/"}]
            return {"versions": [{**version, "id": "v2.16", "links": links}]}
        case ["volume", "v3"]:
            links = [{"rel": "self", "href": f"{cloud.url}/volume/v3/"}]
            micro = {"version": "3.70", "min_version": "3.0"}
            return {"versions": [{**version, "id": "v3.0", "links": links, **micro}]}
        case ["image", "v2", "images"]:
            listed = cloud.hidden if query.get("os_hidden") == "true" else cloud.images
            page, marker = _page(cloud, listed, query)
            rest = {"next": f"/v2/images?{_more(query, marker)}"} if marker else {}
            return {"images": page, **rest}
        case ["compute", "v2.1", "servers", *rest]:
            return _servers(cloud, rest, query)
        case ["compute", "v2.1", "os-hypervisors", "detail"]:
            return _listing(cloud, "hypervisors", cloud.hypervisors, query)
        case ["compute", "v2.1", "os-aggregates"]:
            return {"aggregates": list(cloud.aggregates)}
        case ["volume", "v3", "volumes", "detail"]:
            return _listing(cloud, "volumes", cloud.volumes or (), query)
        case ["volume", "v3", "snapshots", "detail"]:
            return _listing(cloud, "snapshots", cloud.snapshots, query)
        case _:
            return None


def _servers(cloud: StandIn, rest: list[str], query: Mapping[str, str]) -> Item | None:
    match rest:
        case [] | ["detail"]:
            part = query.get("name", "").lower()
            found: Sequence[Item] = cloud.servers
            if part:
                found = [one for one in found if part in one["name"].lower()]
            return _listing(cloud, "servers", found, query)
        case [server]:
            one = next((each for each in cloud.servers if each["id"] == server), None)
            return None if one is None else {"server": one}
        case [server, "os-instance-actions"] if server in cloud.actions:
            return {"instanceActions": list(cloud.actions[server])}
        case _:
            return None


def _listing(cloud: StandIn, key: str, listed: Sequence[Item], query: Mapping[str, str]) -> Item:
    page, marker = _page(cloud, listed, query)
    if not marker:
        return {key: page}
    # A real cloud may well name a host in it that only it knows.
    href = f"http://cloud.internal:8774/v2.1/{key}/detail?{_more(query, marker)}"
    return {key: page, f"{key}_links": [{"rel": "next", "href": href}]}


def _page(
    cloud: StandIn, listed: Sequence[Item], query: Mapping[str, str]
) -> tuple[list[Item], str]:
    if cloud.delay:
        threading.Event().wait(cloud.delay)
    size = min(int(query.get("limit", 1000)), cloud.largest_page)
    start = int(query.get("marker", "0").rpartition("-")[2])
    page = list(listed[start : start + size])
    after = start + size
    return page, f"after-{after}" if after < len(listed) else ""


def _more(query: Mapping[str, str], marker: str) -> str:
    return "&".join(f"{key}={value}" for key, value in {**query, "marker": marker}.items())


class Made(Sequence[Item]):
    """A listing of any length whose items are made when they are asked for."""

    def __init__(self, count: int, make: Callable[[int], Item]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._make(number) for number in range(*at.indices(self._count))]
        return self._make(range(self._count)[at])
